"""Before the first round: each agent chooses inducing inputs from rows of its own, and all match them alike.

Like the pilot, inducing inputs are handed on before the run and are no messages of it: every agent has those of all,
and the matching is deterministic, so that all have the same common inputs on any number of ranks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.features.inducing import conditional_variance, own_centres
from coolgp.agents.kernels.base import Kernel
from coolgp.fusion.matching.gps.matched import matched
from coolgp.fusion.matching.gps.selection import label_means
from coolgp.fusion.matching.sets.spahm import GP_NOISE, SPAHM
from coolgp.network.base.randomness import generator
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.scaler import Scaler

__all__ = ["chosen_apart", "common_inputs"]

ROWS_EACH = 10
"""Own rows that an agent looks at for each inducing input, at most."""
SWEEPS = 1
"""Of the matching: more changed the number of common inputs by less than 5 %, and cost in proportion."""


def chosen_apart(
    agents: AgentsSettings, dataset: Dataset, scaler: Scaler, pilot: Array, lengthscale: Array, seed: int
) -> Array:
    """Inducing inputs ``[N, M, D]``, scaled: of each agent from its own rows and, where these are few, from the pilot.

    pilot: its rows ``[n, D]``, scaled; lengthscale ``[D]``: the unit of distances. Raises ValueError where own rows and
    pilot together are too few.
    """
    count, shared = min(agents.pilot, ROWS_EACH * agents.inducing), pilot / lengthscale
    inputs = [
        own_centres(scaler.inputs(rows) / lengthscale, shared, agents.inducing, generator(seed, "own inputs", agent))
        for agent, rows in enumerate(dataset.training.own_rows(len(dataset.agents), count, seed))
    ]
    chosen: Array = np.stack(inputs) * lengthscale
    return chosen


def common_inputs(inputs: Sequence[Array], most: int, lengthscale: Array, kernel: Kernel) -> Array:
    """Inducing inputs ``[L, D]`` that groups ``[M, D]`` have in common: matched, and at most so many of these.

    Where there are more, they are taken by their variance given those before, under lengthscales ``[D]``.
    """
    labels, _ = matched(inputs, SPAHM(GP_NOISE, 1.0, learn=False, sweeps=SWEEPS))
    common = label_means(inputs, labels)
    if len(common) <= most:
        return common
    return conditional_variance(common / lengthscale, most, np.random.default_rng(0), kernel) * lengthscale
