"""Gradients by the projection against full matrices."""

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.learning import gradient
from coolgp.agents.model import Model
from coolgp.agents.population import fold, observe
from coolgp.agents.statistics import Evidence

from tests.agents.fast_paths.plain import AGENTS, ROWS, Plain, at, plain_kernel, settings
from tests.oracle import BASES, LAYOUTS, build_model, draw


def plain_gradient(model: Model, theta: np.ndarray, evidence: Evidence, batch: Batch) -> np.ndarray:
    """By ``W``, agent by agent: the derivative by every kernel value, held in full, times that value's by ``W``.

    With ``q(f_u)`` held, ``∂L/∂κ_n = (σ_s (y_n - σ_s κ_nᵀα) α + σ_s² Fκ_n) / σ_η²`` and, where inducing points move
    with ``W``, ``∂L/∂K = Σ_n K⁻¹κ_n (½ σ_s²/σ_η² K⁻¹κ_n - ∂L/∂κ_n)ᵀ - ½ (F - ααᵀ)`` a batch's share, ``α`` the weights
    of the mean and ``F = K⁻¹ - K⁻¹SK⁻¹/σ_s²``.
    """
    slopes = []
    for agent, own in enumerate(theta):
        plain = Plain(model, own)
        amplitude = np.sqrt(plain.signal) if model.basis.moves else 1.0
        kernel = plain.factor @ plain.factor.T
        inverse = np.linalg.inv(kernel)
        own_to_common = np.linalg.solve(plain.factor, plain.frame)
        covariance = np.linalg.inv(own_to_common.T @ own_to_common / amplitude**2 + evidence.precision[agent])
        carrier = inverse @ plain.frame / amplitude  # from v to K⁻¹u, u the unit process
        alpha = carrier @ covariance @ evidence.shift[agent]
        shrink = inverse - carrier @ covariance @ carrier.T
        slopes.append(_by_projection(plain, batch, agent, alpha, shrink, float(evidence.count[agent])))
    return np.array(slopes)


def _by_projection(
    plain: Plain, batch: Batch, agent: int, alpha: np.ndarray, shrink: np.ndarray, count: float
) -> np.ndarray:
    real = batch.mask[agent] > 0
    x, y, u = batch.x[agent, real], batch.y[agent, real], plain.model.basis.inducing
    inverse = np.linalg.inv(plain.factor @ plain.factor.T)
    root, n = np.sqrt(plain.signal), len(y)
    kappa = plain_kernel(x @ plain.projection.T, plain.points)
    by_kappa = (root * np.outer(y - root * kappa @ alpha, alpha) + plain.signal * kappa @ shrink) / (plain.noise * n)
    slope = np.zeros((2, 2))
    for i in range(n):
        for j in range(len(u)):
            gap = plain.projection @ x[i] - plain.points[j]
            moved = x[i] - u[j] if plain.model.basis.moves else x[i]
            slope -= by_kappa[i, j] * kappa[i, j] * np.outer(gap, moved)
    if not plain.model.basis.moves:
        return slope
    rows = kappa @ inverse
    by_kernel = rows.T @ (0.5 * plain.signal / (plain.noise * n) * rows - by_kappa)
    by_kernel -= 0.5 * (shrink - np.outer(alpha, alpha)) / count
    for j in range(len(u)):
        for k in range(len(u)):
            gap = u[j] - u[k]
            slope -= by_kernel[j, k] * plain.kernel[j, k] * np.outer(plain.projection @ gap, gap)
    return slope


@pytest.mark.parametrize("alike", [True, False], ids=["agreeing", "differing"])
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_by_the_projection_are_those_of_full_matrices(layout, basis, alike):
    model = build_model(basis, layout)
    theta, batch = settings(model, alike=alike), draw(AGENTS, ROWS, 5)
    evidence = fold(observe(at(model, theta), draw(AGENTS, 30))).evidence()
    slope = plain_gradient(model, theta, evidence, batch)
    if layout == "diagonal":
        expected = np.diagonal(slope, axis1=-2, axis2=-1) * np.exp(theta[:, :2])
    else:
        expected = slope.reshape(AGENTS, 4)
    found_slope = gradient(model, theta, evidence, batch)[:, : model.layout.width]
    np.testing.assert_allclose(found_slope, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())
