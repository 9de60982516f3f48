"""Laws of the rule ``weighted``: an agent weights the others' evidence as its own data support it."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.statistics import Evidence
from coolgp.fusion.evidence.weighted import POWERS, own_probability
from coolgp.fusion.registry import rule_named
from coolgp.network.graphs.generate import generate
from coolgp.scenarios import run, synthetic
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.metrics.scores import rmse

from tests.fusion.test_exact import Run
from tests.oracle import BASES, build_model, draw, informed, kernel, log_determinant, rows_of, solve, start


def told(batch: Batch, basis: str, rule: str = "weighted") -> Run:
    return Run(rule_named(rule), generate("complete", 2, seed=0), build_model(basis), batch).converge()


@pytest.mark.parametrize("basis", BASES)
def test_the_probability_of_own_data_is_that_of_all_data_over_that_of_the_others(basis: str) -> None:
    """Against ``log N(y | 0, Q + σ_η²I)`` with what ``Q`` leaves of the variance, over matrices of observations."""
    model = build_model(basis)
    theta, batch = start(model), draw(2, 9)
    evidence = informed(model, theta, batch).evidence()

    def textbook(x: np.ndarray, y: np.ndarray) -> float:
        w = model.layout.projection(theta)
        points = model.basis.inducing @ w.T if model.basis.moves else model.basis.inducing
        signal, noise = model.layout.signal_variance(theta), model.layout.noise_variance(theta)
        cross = kernel(points, x @ w.T)
        nystrom = signal * cross.T @ solve(kernel(points, points) + model.basis.jitter * np.eye(len(points)), cross)
        covariance = nystrom + noise * np.eye(len(y))
        lost = (signal * len(y) - np.trace(nystrom)) / noise
        return float(
            -0.5 * (log_determinant(covariance) + y @ solve(covariance, y) + len(y) * np.log(2 * np.pi) + lost)
        )

    both, others = textbook(*rows_of(batch)), textbook(*rows_of(batch[1:]))
    found = own_probability(model, theta[None], evidence[:1], evidence[1:])
    assert found[0] == pytest.approx(both - others, abs=1e-7)


@pytest.mark.parametrize("basis", BASES)
def test_agents_take_of_the_others_the_part_that_makes_their_own_data_most_probable(basis: str) -> None:
    batch = draw(2, 9)
    batch = replace(batch, y=batch.y * np.array([[1.0], [0.3]]))
    world = told(batch, basis)
    model, theta, alone = world.population.model, world.population.theta, world.population.evidence(world.place)
    for agent in range(2):
        own, other = alone[agent : agent + 1], alone[1 - agent : 2 - agent]
        parts = [Evidence(*(p * getattr(other, n) for n in ("precision", "shift", "square", "count"))) for p in POWERS]
        best = int(np.argmax([own_probability(model, theta[:1], own, part)[0] for part in parts]))
        np.testing.assert_allclose(world.belief.precision[agent], (own + parts[best]).precision[0], atol=1e-9)
        np.testing.assert_allclose(world.belief.shift[agent], (own + parts[best]).shift[0], atol=1e-9)


def test_agents_that_see_one_function_take_all_and_agents_that_see_opposites_nothing() -> None:
    batch = draw(2, 40, full=True)
    plain = told(batch, "function", "tree")
    np.testing.assert_allclose(told(batch, "function").belief.precision, plain.belief.precision, rtol=1e-9)
    world = told(replace(batch, y=batch.y * np.array([[1.0], [-1.0]])), "function")
    alone = world.population.evidence(world.place)
    np.testing.assert_allclose(world.belief.precision, alone.precision, rtol=1e-9)


def test_fusing_does_not_harm_agents_that_have_not_yet_learned_their_projections() -> None:
    """From one projection for both of the paper's agents, which is wrong for either, a plain sum misleads them."""
    small = ["agents.inducing=50", "run.rounds=4", "data.test_count=1000", "data.observations=2000"]
    small += ["agents.lengthscale=pilot", "agents.learning_rate=0.02"]

    def last(*settings: str) -> tuple[float, float]:
        scenario = resolve(synthetic.SETTINGS, "synthetic", [*small, *settings])
        data, probed = load(scenario), run(scenario)[-1].probed
        assert probed is not None
        asked = (np.arange(2)[:, None] == data.test_owner).astype(float)
        return float(rmse(probed.pre, data.y_test, asked).mean()), float(rmse(probed.post, data.y_test, asked).mean())

    before, after = last()
    assert after > 1.05 * before
    before, after = last("fusion.rule=weighted")
    assert after < before
