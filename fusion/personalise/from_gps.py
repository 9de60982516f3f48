"""A newcomer's model from sparse Gaussian processes of others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.density import gaussian_log_density
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.matching.gps.agreement import sparse_gp_in, sparse_gps
from coolgp.fusion.personalise.alternatives import MINE, of_mixture, of_owners
from coolgp.fusion.personalise.gps import PersonalisedGPs
from coolgp.fusion.personalise.mixture import PersonalGP
from coolgp.fusion.personalise.outcome import PersonalRegressor, PersonalReport, Request
from coolgp.fusion.personalise.owners import gp_fault, owners_left

__all__ = ["from_gps", "mixture_left_out"]


def from_gps(request: Request) -> PersonalRegressor:
    """The mixture of priors that the owners' evidence gives. Raises ValueError where models are no sparse GPs."""
    records = [sparse_gp_in(model) for model in request.models]
    owners = owners_left(request, records, [gp_fault(record, request.x.shape[1]) for record in records])
    models, y = sparse_gps(owners.models), np.asarray(request.y, dtype=float)
    start, learned = PersonalisedGPs().start(models, owners.graph)
    model = start.observe(request.x, y)
    names = [candidate.name for candidate in model.candidates]
    report = PersonalReport(
        chosen="mixture of Gaussian process priors",
        why=f"all {len(records)} models are sparse Gaussian processes",
        rows=len(y),
        weights=dict(zip(names, model.weights.tolist(), strict=True)),
        left_out=mixture_left_out(model, request.x, y) | of_owners(_densities(models, request.x, y)),
        details={
            "common inducing inputs": f"{len(model.common.shift)}",
            "shrinkage of the population": f"{learned.shrinkages[0]:g} tasks",
        },
        models_left_out=owners.left_out,
    )
    return PersonalRegressor(model, report, SparseGPRegressor.of_sparse_gp(model.as_one()))


def mixture_left_out(model: PersonalGP, x: Array, y: Array) -> dict[str, float]:
    """What the mixture and its candidates say of the rows that it has seen, each left out."""
    densities = model.left_out(x, y)
    priors = np.array([candidate.weight for candidate in model.candidates])
    each = {candidate.name: float(own.mean()) for candidate, own in zip(model.candidates, densities, strict=True)}
    return {MINE: of_mixture(priors, model.log_evidence, densities), **each}


def _densities(models: Sequence[SparseGP], x: Array, y: Array) -> Array:
    """Log densities ``[A, n]`` of the rows under the owners' models as they are."""
    moments = [model.predict(x) for model in models]
    return np.stack([gaussian_log_density(y, mean, std) for mean, std in moments])
