"""Laws of the gradients: each against central differences of the oracle's objective in extended precision.

What an agent knows comes from other data than the batch, so that no term vanishes because ``q`` happens to be optimal.
"""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.kernels.se import expected_kernel, expected_outer
from coolgp.agents.learning import bound, gradient
from coolgp.agents.model import Model
from coolgp.agents.parameters import LOG_BOUND, VARIANCE_BOUND, Layout
from coolgp.agents.population import Population
from coolgp.agents.prediction import posterior
from coolgp.agents.trial import Adam
from coolgp.agents.variances import best_variances

from tests.oracle import BASES, LAYOUTS, LONG, build_model, dense, draw, informed, rows_of, slope, start, walked

KNOWN, NEWEST = draw(1, 40, seed=1), draw(1, 12, seed=2)


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
class TestCertain:
    """Point estimates of the projection."""

    def test_variances_climb_the_collapsed_bound(self, basis, layout):
        model = build_model(basis, layout)
        theta = start(model)
        at, rows = theta.astype(LONG), rows_of(KNOWN)

        def objective(logs):
            return dense(model, np.concatenate([at[:-2], logs])).bound(*rows) / len(rows[1])

        slopes = gradient(model, theta[None], informed(model, theta, KNOWN).evidence(), NEWEST)[0, -2:]
        np.testing.assert_allclose(slopes, slope(objective, at[-2:]).astype(float), rtol=1e-7)

    def test_at_its_own_posterior_the_whole_gradient_is_that_of_the_collapsed_bound(self, basis, layout):
        model = build_model(basis, layout)
        theta, rows = start(model), rows_of(KNOWN)
        slopes = gradient(model, theta[None], informed(model, theta, KNOWN).evidence(), KNOWN)[0]
        expected = slope(lambda at: dense(model, at).bound(*rows) / len(rows[1]), theta.astype(LONG)).astype(float)
        np.testing.assert_allclose(slopes, expected, rtol=1e-7, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_moments_of_an_uncertain_projection_climb_their_bound(layout):
    plain = build_model("latent", layout)
    model = Model(Layout(2, layout == "full", uncertain=True), plain.basis, plain.encoding)
    theta, width = start(model), model.layout.width
    theta[width:-2] = np.log(0.3) + 0.4 * np.sin(np.arange(width))
    evidence = informed(model, theta, KNOWN).evidence()
    belief, (x, y) = posterior(model, theta[None], evidence), rows_of(NEWEST)
    inverse = np.linalg.inv(belief.geometry.factor[0])
    alpha = inverse.T @ np.linalg.solve(np.eye(12) + evidence.precision[0], evidence.shift[0])
    shrink = inverse.T @ (np.eye(12) - np.linalg.inv(np.eye(12) + evidence.precision[0])) @ inverse
    signal, noise = np.exp(theta[-2:])

    def objective(entries):
        """``E_q(u)q(W)`` of the batch's log likelihood a row, less ``KL(q(W) ‖ N(0, 1))`` a known observation."""
        entries = entries.astype(float)
        mean, spread = entries[:width] if layout == "full" else np.exp(entries[:width]), np.exp(entries[width:])
        wide = [m.reshape(2, 2) if layout == "full" else np.diag(m) for m in (mean, spread)]
        first = expected_kernel(x, model.basis.inducing, *wide)
        second = expected_outer(x, model.basis.inducing, *wide)
        square = signal * (1 - (second * (shrink - np.outer(alpha, alpha))).sum((-2, -1)))  # E[f²]
        fit = -0.5 * (y**2 - 2 * np.sqrt(signal) * y * (first @ alpha) + square).mean() / noise
        return fit - 0.5 * (mean**2 + spread**2 - 1 - 2 * np.log(spread)).sum() / KNOWN.mask.sum()

    expected = slope(objective, theta[:-2].astype(LONG), width=1e-5).astype(float)
    slopes = gradient(model, theta[None], evidence, NEWEST)[0, :-2]
    # Double precision and a step of 1e-5 leave 1e-16/1e-5 of the objective.
    np.testing.assert_allclose(slopes, expected, rtol=1e-6, atol=1e-8 * max(1.0, abs(objective(theta[:-2]))))


@pytest.fixture(params=[(b, u) for b in BASES for u in (False, True) if not (u and b == "function")], ids=str)
def population(request):
    basis, uncertain = request.param
    model = build_model(basis)
    model = Model(Layout(2, uncertain=uncertain), model.basis, model.encoding)
    return informed(model, start(model), draw(3, 30, seed=1))


def test_an_agent_that_sees_nothing_has_no_gradient(population):
    batch = draw(3, 8, seed=2)
    batch.mask[1] = 0.0
    slopes = gradient(population.model, population.theta, population.evidence(), batch)
    assert not slopes[1].any()
    assert slopes[[0, 2]].all()


def test_an_agent_that_knows_nothing_has_no_gradient(population):
    evidence = population.evidence() - population.evidence()
    assert not gradient(population.model, population.theta, evidence, draw(3, 8, seed=2)).any()


def test_masked_rows_do_not_leak_into_gradients(population):
    batch = draw(3, 8, seed=2)
    hidden = batch.mask == 0
    other = Batch(np.where(hidden[..., None], 5.0, batch.x), np.where(hidden, -1e8, batch.y), batch.mask)
    one, two = (gradient(population.model, population.theta, population.evidence(), b) for b in (batch, other))
    np.testing.assert_allclose(two, one, rtol=1e-12)


def test_gradients_of_different_agents_do_not_leak(population):
    theta = population.theta + 0.2 * np.random.default_rng(0).standard_normal(population.theta.shape)
    evidence, batch = population.evidence(), draw(3, 8, seed=2)
    together = gradient(population.model, theta, evidence, batch)
    for agent in range(3):
        one = slice(agent, agent + 1)
        alone = gradient(population.model, theta[one], evidence[one], batch[one])
        np.testing.assert_allclose(together[agent], alone[0], rtol=1e-9)


def test_steps_along_the_gradient_raise_the_bound_to_where_it_is_flat():
    model, batch = build_model(), draw(1, 60, seed=3)
    population = informed(model, start(model, (1.4, 0.7), signal=0.5, noise=0.2), batch)
    before = bound(model, population.theta, population.evidence())[0] / batch.mask.sum()
    for turn in range(300):
        fresh = replace(population, statistics=informed(model, population.theta[0], batch).statistics)
        slopes = gradient(model, fresh.theta, fresh.evidence(), batch)
        population = walked(fresh, Adam(0.05 * 0.99**turn), fresh.theta, slopes)
    assert bound(model, fresh.theta, fresh.evidence())[0] / batch.mask.sum() > before + 0.1
    np.testing.assert_allclose(slopes, 0.0, atol=1e-2)


def test_a_step_without_gradient_stays(population):
    theta = population.theta.copy()
    moved = walked(population, Adam(0.1), theta, np.zeros_like(theta))
    np.testing.assert_array_equal(moved.theta, theta)
    assert moved.steps == population.steps + 1


def test_a_first_step_has_the_length_of_the_rate(population):
    slopes = np.random.default_rng(0).standard_normal(population.theta.shape)
    moved = walked(population, Adam(0.01), population.theta.copy(), slopes)
    np.testing.assert_allclose(moved.theta - population.theta, 0.01 * np.sign(slopes), rtol=1e-6)


def test_steps_stay_within_the_bounds_around_the_start(population):
    moved = walked(population, Adam(1e3), population.theta.copy(), np.ones_like(population.theta))
    reach = np.full(population.model.layout.size, LOG_BOUND)
    reach[-2:] = VARIANCE_BOUND
    np.testing.assert_allclose(moved.theta, np.tile(population.origin + reach, (population.size, 1)))


def evidence_of_sums(population: Population, theta: np.ndarray) -> float:
    """``log N(y | 0, Q + σ_η²I)`` at ``θ [1, K]``, but for a constant, by the determinant and inversion lemmas."""
    model = population.model
    evidence = model.reread(population.evidence(), population.theta, theta)
    belief = posterior(model, theta, evidence)
    misfit = belief.log_determinant - (evidence.shift * belief.mean).sum(-1) + evidence.square
    return float((-0.5 * (misfit + evidence.count * theta[:, -1]))[0])


def left_over(population: Population, theta: np.ndarray) -> float:
    """Signal that the inducing inputs cannot express, in units of the noise: twice what the bound lacks, a row."""
    model, rows = population.model, population.evidence().count[0]
    lower = bound(model, theta, model.reread(population.evidence(), population.theta, theta))[0]
    return 2 * (evidence_of_sums(population, theta) - 0.5 * rows * np.log(2 * np.pi) - lower) / rows


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("seed", [0, 1])
def test_no_other_variances_that_leave_less_signal_than_noise_are_more_probable(basis, seed):
    model = build_model(basis)
    population = informed(model, start(model, (1.4, 0.7)), draw(1, 60, seed))
    best = population.theta.copy()
    best[:, -2:] = best_variances(model, population.theta, population.evidence())
    for change in np.random.default_rng(0).normal(scale=(0.02, 0.5), size=(20, 2)):
        other = best.copy()
        other[:, -2:] += change
        if left_over(population, other) > 1:
            continue
        assert evidence_of_sums(population, other) <= evidence_of_sums(population, best) + 1e-6


@pytest.mark.parametrize("basis", BASES)
def test_the_maximum_does_not_depend_on_the_unit_in_which_evidence_is_told(basis):
    model = build_model(basis)
    population = informed(model, start(model), draw(1, 60))
    told = population.theta.copy()
    told[:, -2:] += [0.7, -2.0]
    once = best_variances(model, population.theta, population.evidence())
    again = best_variances(model, told, model.reread(population.evidence(), population.theta, told))
    np.testing.assert_allclose(again, once, atol=1e-6)


@pytest.mark.parametrize("basis", BASES)
def test_evidence_told_in_any_unit_is_read_as_the_same(basis):
    model = build_model(basis)
    population = informed(model, start(model), draw(3, 20))
    told = replace(population, told=population.told + np.array([0.7, -2.0]))
    own, read = population.evidence(), told.evidence()
    for name in ("precision", "shift", "square", "count"):
        np.testing.assert_allclose(getattr(read, name), getattr(own, name), rtol=1e-9, atol=1e-12)
