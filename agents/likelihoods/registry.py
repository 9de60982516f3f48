"""All likelihoods by name; a new one is a file here and a line below."""

from __future__ import annotations

from coolgp.agents.likelihoods.base import Likelihood
from coolgp.agents.likelihoods.bernoulli import BERNOULLI
from coolgp.agents.likelihoods.gaussian import GAUSSIAN

__all__ = ["LIKELIHOODS"]

LIKELIHOODS: dict[str, Likelihood] = {likelihood.name: likelihood for likelihood in (GAUSSIAN, BERNOULLI)}
