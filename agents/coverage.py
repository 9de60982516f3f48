"""Coverage of inputs by the inducing inputs, and which of many inputs are best added to them.

The coverage of an input is ``φᵀφ = κᵀK⁻¹κ``: the share of its prior variance that the inducing inputs account for, one
on top of them and zero far away. Data where coverage is low are lost.
"""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.batches import Batch
from coolgp.agents.blocks import map_blocks
from coolgp.agents.features.basis import InducingInputs
from coolgp.agents.kernels.base import project
from coolgp.agents.model import Model

__all__ = ["best_added", "coverage", "least_covered", "uncovered"]


def coverage(model: Model, theta: Array, batch: Batch) -> Array:
    """``φᵀφ [A, B]`` of a batch's inputs under ``θ [A, K]``; one where a row is masked."""
    lens = model.lens(theta, batch.x.dtype, common=False)
    features = lens.features(batch.x, batch.y, batch.mask)[:, :-1]
    share = np.einsum("amb,amb->ab", features, features).astype(np.float64)
    return np.where(batch.mask > 0, share, 1.0)


def least_covered(model: Model, theta: Array, batch: Batch) -> tuple[Array, Array]:
    """Each agent's least covered input of a batch ``[A, D]``, and its coverage ``[A]``."""
    agents, rows = batch.y.shape

    def of(block: slice) -> Array:
        return coverage(model, theta[block], batch[block])

    share = np.concatenate([*map_blocks(of, agents, 8 * (model.inducing + 1) * rows), np.ones((0, rows))])
    worst = share.argmin(axis=1)
    every = np.arange(agents)
    return batch.x[every, worst].astype(np.float64), share[every, worst]


def uncovered(model: Model, theta: Array, batch: Batch, least: float) -> Array:
    """The share of each agent's rows of a batch that is covered less than ``least``, ``[A]``; 0 without rows."""
    share: Array = (coverage(model, theta, batch) < least).sum(axis=1) / np.maximum(batch.count, 1.0)
    return share


def best_added(model: Model, theta: Array, x: Array, least: float, most: int) -> Indices:
    """Which of inputs ``x [C, D]``, at most so many, make good inducing inputs: one after another the least covered.

    theta ``[C, K]``: the hyper-parameters under which each is looked at. Stops where all are covered to ``least``. A
    pivoted Cholesky factorisation of what the inducing inputs leave of the kernel matrix, as in
    :func:`coolgp.agents.features.inducing.conditional_variance` (Burt et al., JMLR 2020), for every candidate under
    its own.
    """
    assert isinstance(model.basis, InducingInputs)
    kernel, geometry, projection = model.basis.kernel, model.geometry(theta), model.layout.projection(theta)
    points = project(x, projection if len(geometry.points) > 1 else projection[:1])
    features = kernel.values(points, geometry.points) @ geometry.inverse.swapaxes(-1, -2)
    left = kernel.values(points, points) - features @ features.swapaxes(-1, -2)
    candidates = np.arange(len(x))
    own = candidates if len(left) > 1 else np.zeros_like(candidates)
    picked: list[int] = []
    while len(picked) < most:
        rest = left[own, candidates, candidates]
        pivot = int(np.argmax(rest))
        if 1.0 - rest[pivot] >= least:
            break
        column = left[:, :, pivot] / np.sqrt(left[:, pivot, pivot])[:, None]
        left = left - column[:, :, None] * column[:, None, :]
        picked.append(pivot)
    return np.array(picked, dtype=np.intp)
