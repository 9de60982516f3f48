"""Laws of inducing inputs that join in a run: nothing that was known is lost, and what is new is learned."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.coverage import best_added, coverage, least_covered, uncovered
from coolgp.agents.model import Model
from coolgp.agents.population import extended, fold, new_population, observe, observe_in_place
from coolgp.agents.prediction import predict
from coolgp.agents.statistics import packed_length, widened
from coolgp.fusion.extension import extend
from coolgp.fusion.registry import RULES, rule_named
from coolgp.fusion.rule import EvidenceRule
from coolgp.network.graphs.generate import generate
from coolgp.scenarios import load_model, run
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.loading import resolve

from tests.fusion.test_exact import Run
from tests.oracle import QUERIES, build_model, draw, informed, kernel, rows_of, solve, start
from tests.run_folders import table

AGENTS, LEAST = 5, 0.9
FAR = 5.0
"""How far the domain moves, from one about 4.4 wide: what is known does not reach there."""


def moved(batch: Batch) -> Batch:
    return replace(batch, x=batch.x + FAR)


def spread_thetas(model: Model, agents: int) -> np.ndarray:
    """Hyper-parameters that differ from agent to agent."""
    return start(model) + 0.2 * np.random.default_rng(3).standard_normal((agents, model.layout.size))


def textbook_coverage(model: Model, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    w = model.layout.projection(theta)
    points = model.basis.inducing @ w.T
    cross = kernel(points, x @ w.T)
    unit = kernel(points, points) + model.basis.jitter * np.eye(model.inducing)
    return (cross * solve(unit, cross)).sum(0).astype(float)


@pytest.mark.parametrize("layout", ["diagonal", "full"])
def test_coverage_is_the_share_of_prior_variance_that_inducing_inputs_express(layout: str) -> None:
    model, batch = build_model("function", layout), draw(AGENTS, 6)
    batch = replace(batch, x=batch.x * 1.5)
    theta = spread_thetas(model, AGENTS)
    wanted = np.stack([textbook_coverage(model, t, x) for t, x in zip(theta, batch.x, strict=True)])
    wanted = np.where(batch.mask > 0, wanted, 1.0)
    share = coverage(model, theta, batch)
    np.testing.assert_allclose(share, wanted, atol=1e-8)
    inputs, lowest = least_covered(model, theta, batch)
    np.testing.assert_array_equal(inputs, batch.x[np.arange(AGENTS), wanted.argmin(axis=1)])
    np.testing.assert_array_equal(lowest, share.min(axis=1))
    few = ((wanted < LEAST) & (batch.mask > 0)).sum(axis=1) / np.maximum(batch.count, 1)
    np.testing.assert_array_equal(uncovered(model, theta, batch, LEAST), few)


@pytest.mark.parametrize("alike", [True, False])
def test_inputs_are_added_one_after_another_where_coverage_is_least(alike: bool) -> None:
    model = build_model()
    x = np.random.default_rng(5).uniform(-3, 3, (9, model.layout.inputs))
    theta = np.tile(start(model), (9, 1)) if alike else spread_thetas(model, 9)
    wanted, grown = [], model
    for _ in range(9):
        share = [textbook_coverage(grown, t, row[None])[0] for t, row in zip(theta, x, strict=True)]
        if min(share) >= 0.6:
            break
        wanted.append(int(np.argmin(share)))
        grown = replace(model, basis=model.basis.extended(x[wanted]))
    assert 1 < len(wanted) < 9
    assert best_added(model, theta, x, 0.6, 9).tolist() == wanted
    assert best_added(model, theta, x, 0.6, 2).tolist() == wanted[:2]


def test_wider_rows_hold_the_same_numbers_and_zeros() -> None:
    rows = np.arange(1.0, 2 * packed_length(3) + 7).reshape(2, -1)
    wide = widened(rows, 3, 2)
    assert wide.shape[1] - rows.shape[1] == packed_length(5) - packed_length(3)
    assert [row[row > 0].tolist() for row in wide] == rows.tolist()
    assert widened(np.broadcast_to(rows[:1], (4, rows.shape[1])), 3, 2).strides[0] == 0


def test_agents_predict_after_an_extension_as_before_it() -> None:
    """Of the new inducing inputs their data say what the old ones say: mean and variance stay."""
    model = build_model()
    theta = spread_thetas(model, AGENTS)
    population = replace(new_population(model, start(model), AGENTS), theta=theta)
    observe_in_place(population, draw(AGENTS, 9))
    larger = extended(population, QUERIES[:3] + FAR)
    x = np.concatenate([QUERIES, QUERIES + FAR])
    before = predict(model, theta, population.evidence(), x)
    after = predict(larger.model, theta, larger.evidence(), x)
    np.testing.assert_allclose(after.mean, before.mean, atol=1e-9)
    np.testing.assert_allclose(after.variance, before.variance, atol=1e-9)


def test_old_data_go_through_old_inducing_inputs_and_new_data_through_all() -> None:
    """The posterior is that of a linear model in ``f(Z')`` whose rows are ``[k K⁻¹, 0]`` and then ``k' K'⁻¹``."""
    model = build_model()
    theta, first, second = start(model), draw(2, 8, seed=1), moved(draw(2, 7, seed=2))
    larger = extended(informed(model, theta, first), second.x[0, :3])
    observe_in_place(larger, second)
    total = larger.evidence()[:1] + larger.evidence()[1:]
    x = np.concatenate([QUERIES, QUERIES + FAR])
    said = predict(larger.model, larger.theta[:1], total, x)

    w = model.layout.projection(theta)
    signal, noise = model.layout.signal_variance(theta), model.layout.noise_variance(theta)
    old, every = model.basis.inducing @ w.T, larger.model.basis.inducing @ w.T
    small = kernel(old, old) + model.basis.jitter * np.eye(len(old))
    large = kernel(every, every) + model.basis.jitter * np.eye(len(every))
    (x_old, y_old), (x_new, y_new) = rows_of(first), rows_of(second)
    through_old = solve(small, kernel(old, x_old @ w.T)).T
    through_old = np.concatenate([through_old, np.zeros((len(x_old), len(every) - len(old)))], axis=1)
    rows = np.concatenate([through_old, solve(large, kernel(every, x_new @ w.T)).T])
    asked = solve(large, kernel(every, x @ w.T)).T
    joint = signal * rows @ large @ rows.T + noise * np.eye(len(rows))
    cross = signal * asked @ large @ rows.T
    mean = cross @ solve(joint, np.concatenate([y_old, y_new]))
    variance = signal - (cross * solve(joint, cross.T).T).sum(1)
    np.testing.assert_allclose(said.mean[0], mean.astype(float), atol=1e-8)
    np.testing.assert_allclose(said.variance[0], variance.astype(float), atol=1e-8)


@pytest.mark.parametrize("name", [name for name in RULES if not hasattr(RULES[name], "observe")])
def test_under_every_rule_agents_know_after_an_extension_what_they_knew(name: str) -> None:
    model, topology = build_model(), generate("ring", AGENTS, seed=0)
    world = Run(rule_named(name), topology, model, draw(AGENTS, 9)).exchange(3)
    before = world.predict()
    batch = moved(draw(AGENTS, 4, seed=4))
    world.population, world.state = extend(
        world.population, world.state, batch, world.rule, world.transport, LEAST, model.inducing + 3
    )
    assert world.population.model.inducing == model.inducing + 3
    after = world.predict()
    np.testing.assert_allclose(after.mean, before.mean, atol=1e-8)
    np.testing.assert_allclose(after.variance, before.variance, atol=1e-8)
    world.population = fold(observe(world.population, batch))
    world.exchange(2)
    assert np.isfinite(world.predict().mean).all()
    if isinstance(world.rule, EvidenceRule):
        assert world.belief.precision.shape[-1] == model.inducing + 3


def test_agents_that_are_covered_or_have_no_room_add_nothing() -> None:
    model, topology = build_model(), generate("ring", AGENTS, seed=0)
    world = Run(rule_named("tree"), topology, model, draw(AGENTS, 9)).exchange()
    sent = world.transport.meter.messages
    near = replace(draw(AGENTS, 3), x=np.tile(model.basis.inducing[:3], (AGENTS, 1, 1)))
    more = (world.rule, world.transport, 0.5)
    for batch, most, said in ((moved(near), model.inducing, 0), (moved(near), 0, 0), (near, 99, 2 * (AGENTS - 1))):
        population, state = extend(world.population, world.state, batch, *more, most)
        assert (population, state) == (world.population, world.state)
        assert world.transport.meter.messages - sent == said


# Runs ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drifting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four agents see a function while its input moves from [0, 1] to [3, 4]."""
    rng, n = np.random.default_rng(0), 1200
    x = 3 * np.arange(n) / n + rng.uniform(0, 1, n)
    y = np.sin(3 * x) + 0.1 * rng.standard_normal(n)
    path = tmp_path_factory.mktemp("drifting") / "drifting.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("x", "y", "agent"), *zip(x, y, np.arange(n) % 4, strict=True)])
    return path


def drift(path: Path, out: Path, *settings: str) -> float:
    """The error after fusion at the end of a run that leaves its folder."""
    scenario = {
        "data": {"source": str(path), "target": "y", "agent": "agent", "order": "file", "standardize": False},
        "agents": {"inducing": 8, "pilot": 60, "batch_size": 10, "hyperparameters": "fixed", "coverage": LEAST}
        | {"lengthscale": 0.5, "signal_variance": 1.0, "noise_variance": 0.02},
        "network": {"topology": "ring"},
        "run": {"rounds": "all", "probes": 4},
    }
    run(resolve(scenario, "drift", settings), out, figures=False)
    return float(table(out / "metrics.csv")[-1]["rmse_post"])


def test_where_the_domain_drifts_extension_learns_what_is_lost_without(drifting: Path, tmp_path: Path) -> None:
    never = drift(drifting, tmp_path / "never")
    grown = drift(drifting, tmp_path / "grown", "agents.inducing_most=60")
    informed_run = drift(drifting, tmp_path / "known", "data.order=random", "agents.inducing=20", "agents.pilot=1000")
    assert grown < 1.1 * informed_run
    assert never > 3 * grown
    lost, kept = (table(tmp_path / name / "hyperparameters.csv")[-1] for name in ("never", "grown"))
    assert float(lost["uncovered"]) > 0.5 > float(kept["uncovered"]) == 0
    assert float(lost["inducing"]) == 8 < float(kept["inducing"]) <= 60


def test_the_stored_model_predicts_with_the_inducing_inputs_that_joined(drifting: Path, tmp_path: Path) -> None:
    drift(drifting, tmp_path / "run", "agents.inducing_most=60", "agents.hyperparameters=collective")
    model = load_model(tmp_path / "run")
    with np.load(tmp_path / "run" / "predictions.npz") as told:
        found = model.predict(told["x_test"], model.agents[2])
        np.testing.assert_allclose(found.mean, told["mean_post"][2], atol=1e-10)
        np.testing.assert_allclose(found.variance, told["variance_post"][2], atol=1e-10)
    assert model.model.inducing > 8


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("agents.inducing_most=7",), "needed at least agents.inducing, 8"),
        (("agents.inducing_most=9", "agents.shared=latent"), 'needs shared = "function"'),
        (("agents.inducing_most=9", "agents.encoding=stale"), 'needs encoding = "transport"'),
        (("agents.inducing_most=9", "agents.coordinates=kernel"), 'needs coordinates = "whitened"'),
        (("agents.inducing_most=9", "network.loss=0.1"), "a network where nothing fails"),
        (("agents.inducing_most=9", "fusion.rule=ensemble"), "ensemble has sums of its own"),
    ],
)
def test_an_extension_that_cannot_be_is_refused(
    drifting: Path, tmp_path: Path, settings: tuple[str, ...], words: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        drift(drifting, tmp_path / "refused", *settings, "fusion.rounds_per_step=2")
