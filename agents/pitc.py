"""Evidence of blocks of data under the partially independent training conditional (PITC).

Quiñonero-Candela & Rasmussen, A unifying view of sparse approximate Gaussian process regression, JMLR 2005, section 6.
DTC takes ``y = f + noise`` with ``f = aᵀv``, as if the inducing inputs explained the function; PITC keeps, within each
block, the covariance of what they do not: ``Λ = K - Q + σ_η²I``. A block of one observation is FITC's.
"""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.base.triangular import inverse_of_lower
from coolgp.agents.batches import Batch
from coolgp.agents.features.basis import InducingInputs
from coolgp.agents.kernels.base import project
from coolgp.agents.model import Model, agreed
from coolgp.agents.prediction import function_rows
from coolgp.agents.statistics import Evidence

__all__ = ["block_evidence"]


def block_evidence(model: Model, theta: Array, batch: Batch) -> Evidence:
    """Evidence of each agent's rows, one block an agent, under its ``θ [A, K]``, in common coordinates.

    Precision ``AᵀΛ⁻¹A`` and shift ``AᵀΛ⁻¹y`` with rows ``a`` of ``f = aᵀv + rest``. square: what makes
    :func:`coolgp.agents.learning.bound` of sums over agents that share ``θ`` the log evidence of PITC,
    ``log N(y | 0, Q + Λ)``. Takes the mean of an uncertain projection. Cost: n³ an agent.
    """
    factor, rows = _factor_and_rows(model, theta, batch)
    size = model.inducing
    whitened = inverse_of_lower(factor) @ rows
    gram = whitened.swapaxes(-1, -2) @ whitened
    precision, count = gram[:, :size, :size], batch.count
    noise, signal = model.layout.noise_variance(theta), model.layout.signal_variance(theta)
    apart = 2.0 * np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(-1) - batch.y.shape[1] * np.log(noise)
    spread = model.geometry(theta).common_covariance * np.square(model.basis.amplitude(signal))[:, None, None]
    missed = count * signal / noise - (precision * spread).sum((-2, -1))
    return Evidence(precision, gram[:, :size, -1], gram[:, -1, -1] + apart - missed, count)


def _factor_and_rows(model: Model, theta: Array, batch: Batch) -> tuple[Array, Array]:
    """Cholesky factor ``[A, n, n]`` of ``Λ`` and rows with their targets ``[A, n, M + 1]``; masked rows are noise."""
    assert isinstance(model.basis, InducingInputs)
    real = batch.mask[..., None]
    rows, explained = (real * matrix for matrix in function_rows(model, theta, batch.x))
    place = project(batch.x, model.layout.projection(agreed(theta)))
    signal, noise = (of(theta)[:, None, None] for of in (model.layout.signal_variance, model.layout.noise_variance))
    rest = signal * model.basis.kernel.values(place, place) * (real @ real.swapaxes(-1, -2))
    rest -= explained @ explained.swapaxes(-1, -2)
    rest += noise * np.eye(place.shape[1])
    return np.linalg.cholesky(rest), np.concatenate([rows, (batch.y * batch.mask)[..., None]], axis=-1)
