"""Laws of inducing inputs that move in a run: where they stay nothing is lost, and all rows are carried alike."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.features.crossing import crossing
from coolgp.agents.model import Model
from coolgp.agents.population import fold, observe
from coolgp.agents.prediction import predict
from coolgp.agents.sparse.collapsed import Parameters, bound_and_slopes
from coolgp.agents.sparse.earlier import rows_of_sums
from coolgp.agents.sparse.rows import Pooled
from coolgp.agents.sparse.together import Together
from coolgp.agents.statistics import Evidence, carried, packed_length
from coolgp.fusion import moving
from coolgp.fusion.moving import held_rows, is_due, move
from coolgp.fusion.registry import RULES, rule_named
from coolgp.network.graphs.generate import generate
from coolgp.scenarios import load_scenario, run
from coolgp.scenarios.base.errors import ConfigError

from tests.fusion.test_exact import Run
from tests.oracle import QUERIES, build_model, draw, informed, kernel, ranked, rows_of, slope, solve, start

AGENTS = 5


def elsewhere(model: Model, by: float = 0.3) -> FunctionBasis:
    basis = model.basis
    assert isinstance(basis, FunctionBasis)
    return basis.at(basis.inducing + by * np.random.default_rng(8).standard_normal(basis.inducing.shape))


def sums_of(model: Model, batch: Batch) -> Evidence:
    return Evidence.unpack(informed(model, start(model), batch).statistics.rows.sum(0), model.inducing)


def test_where_inducing_inputs_stay_nothing_is_lost() -> None:
    model = build_model()
    projection = model.layout.projection(start(model) + 0.1)[None]
    found = crossing(model.basis, model.basis, projection, model.basis.geometry(projection))
    np.testing.assert_allclose(found[0], np.eye(model.inducing), atol=1e-9)


def test_rows_are_carried_one_by_one_and_keep_the_columns_behind() -> None:
    rng, size = np.random.default_rng(1), 4
    rows, map_ = rng.normal(size=(3, packed_length(size) + 2)), rng.normal(size=(size, size))
    told = Evidence.unpack(rows[:, :-2], size)
    found = Evidence.unpack(carried(rows, map_)[:, :-2], size)
    np.testing.assert_allclose(found.precision, map_.T @ told.precision @ map_, atol=1e-12)
    np.testing.assert_allclose(found.shift, told.shift @ map_, atol=1e-12)
    np.testing.assert_array_equal(carried(rows, map_)[:, -4:], rows[:, -4:])
    alike = carried(np.broadcast_to(rows[:1], (6, rows.shape[1])), map_)
    assert alike.strides[0] == 0
    np.testing.assert_array_equal(alike[5], carried(rows, map_)[0])


def test_sums_of_earlier_rows_say_what_the_rows_say() -> None:
    """At the inducing inputs of the sums the bound sees the same of both; elsewhere its slope is that of the value."""
    model, batch, later = build_model(), draw(AGENTS, 9), draw(AGENTS, 4, seed=3)
    theta, basis = start(model), model.basis
    told = sums_of(model, batch)
    earlier = rows_of_sums(told.precision, told.shift, basis.inducing, basis.frame.inverse)
    both = Together((Pooled(*map(np.asarray, rows_of(later))), earlier))
    one = Pooled(*(np.concatenate([a, b]) for a, b in zip(rows_of(later), rows_of(batch), strict=True)))
    lengthscale, (signal, noise) = model.layout.lengthscale(theta), np.exp(theta[-2:])
    at = Parameters(basis.inducing, lengthscale, float(signal), float(noise))
    inverse = model.geometry(theta[None]).inverse[0] / np.sqrt(signal)
    for name in ("gram", "moment"):
        found, wanted = (getattr(rows.explained(at, inverse, basis.kernel), name) for rows in (both, one))
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-3)  # as much as the jitter

    def value(inputs: np.ndarray) -> float:
        moved = replace(at, inducing_inputs=inputs.astype(float).reshape(basis.inducing.shape))
        return bound_and_slopes(both, moved, basis.kernel, basis.jitter)[0]

    inputs = elsewhere(model).inducing
    found = bound_and_slopes(both, replace(at, inducing_inputs=inputs), basis.kernel, basis.jitter)[1].inducing_inputs
    np.testing.assert_allclose(found.ravel(), slope(value, inputs.ravel(), 1e-5), rtol=1e-3, atol=1e-3)


@pytest.fixture
def accepted(monkeypatch: pytest.MonkeyPatch) -> FunctionBasis:
    """Whatever is sought, these inputs are proposed, and they are used."""
    there = elsewhere(build_model())
    monkeypatch.setattr(moving, "ROWS_EACH", 0)
    monkeypatch.setattr(moving._Known, "sought", lambda known: there.inducing)
    monkeypatch.setattr(moving._Known, "gain", lambda known, moved, fresh: 9.0)
    return there


@pytest.mark.parametrize("name", [name for name in RULES if not hasattr(RULES[name], "observe")])
def test_under_every_rule_agents_go_on_with_what_the_new_inputs_say_of_the_old(
    name: str, accepted: FunctionBasis
) -> None:
    """Earlier rows go through the old inducing inputs and then the new ones, held rows through these alone."""
    model, first, second = build_model(), draw(AGENTS, 9), draw(AGENTS, 4, seed=4)
    world = Run(rule_named(name), generate("ring", AGENTS, seed=0), model, first).exchange(4)
    first, second = (ranked(batch, world.transport) for batch in (first, second))
    world.population = fold(observe(world.population, second))
    moved = replace(model, basis=accepted)
    projection = model.layout.projection(start(model))[None]
    map_ = crossing(model.basis, accepted, projection, accepted.geometry(projection))[0]
    world.population, world.state = move(world.population, world.state, world.rule, world.transport, second, second)
    found = world.population.statistics.rows
    wanted = carried(informed(model, start(model), first).statistics.rows, map_)
    wanted += informed(moved, start(model), second).statistics.rows
    np.testing.assert_allclose(found, wanted, atol=1e-8)
    assert np.isfinite(world.predict().mean).all()
    world.exchange(4)
    fresh = Run(rule_named(name), generate("ring", AGENTS, seed=0), moved, second)
    fresh.population = replace(fresh.population, statistics=world.population.statistics)
    fresh.state = fresh.rule.init(fresh.population, fresh.transport)
    if name in ("tree", "flood", "central", "server"):
        np.testing.assert_allclose(world.predict().mean, fresh.exchange(4).predict().mean, atol=1e-7)


def test_old_data_go_through_old_inducing_inputs_and_then_through_new_ones(accepted: FunctionBasis) -> None:
    model, first, none = build_model(), draw(AGENTS, 9), draw(AGENTS, 2)
    none = replace(none, mask=np.zeros_like(none.mask))
    world = Run(rule_named("tree"), generate("ring", AGENTS, seed=0), model, first).exchange(3)
    population, _ = move(world.population, world.state, world.rule, world.transport, none, none)
    whole = population.evidence()
    total = Evidence(*(getattr(whole, field).sum(0)[None] for field in ("precision", "shift", "square", "count")))
    said = predict(population.model, population.theta[:1], total, QUERIES)

    theta = start(model)
    w, signal, noise = model.layout.projection(theta), *np.exp(theta[-2:])
    old, new = model.basis.inducing @ w.T, accepted.inducing @ w.T
    before, after = (kernel(z, z) + model.basis.jitter * np.eye(len(z)) for z in (old, new))
    x, y = rows_of(first)
    through = solve(after, kernel(new, old) @ solve(before, kernel(old, x @ w.T))).T
    asked = solve(after, kernel(new, QUERIES @ w.T)).T
    joint = signal * through @ after @ through.T + noise * np.eye(len(x))
    cross = signal * asked @ after @ through.T
    variance = signal - (cross * solve(joint, cross.T).T).sum(1)
    np.testing.assert_allclose(said.mean[0], (cross @ solve(joint, y)).astype(float), atol=1e-6)
    np.testing.assert_allclose(said.variance[0], variance.astype(float), atol=1e-6)


def test_a_proposal_that_predicts_worse_changes_nothing_but_the_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    model, first, fresh = build_model(), draw(AGENTS, 40), draw(AGENTS, 20, seed=6)
    monkeypatch.setattr(moving._Known, "sought", lambda known: known.basis.inducing + 50.0)
    world = Run(rule_named("tree"), generate("ring", AGENTS, seed=0), model, first).exchange(3)
    sent = world.transport.meter.messages
    population, state = move(world.population, world.state, world.rule, world.transport, first, fresh)
    assert (population.model, state) == (world.population.model, world.state)
    assert world.transport.meter.messages > sent


def test_what_is_sought_predicts_better_where_inducing_inputs_lie_beside_the_data() -> None:
    model, first, fresh = build_model(), draw(AGENTS, 40), draw(AGENTS, 20, seed=6)
    assert isinstance(model.basis, FunctionBasis)
    model = replace(model, basis=model.basis.at(model.basis.inducing * 0.5 + 1.0))
    world = Run(rule_named("tree"), generate("ring", AGENTS, seed=0), model, first).exchange(3)
    population, _ = move(world.population, world.state, world.rule, world.transport, first, fresh)
    assert not np.array_equal(population.model.basis.inducing, model.basis.inducing)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("agents.forget=0.9", "agents.shared=latent"), 'true needs shared = "function" and forget = 1.0'),
        (("agents.inducing_most=200",), "true needs no inducing_most"),
        (("agents.inducing_choice=own",), "which stay; leave it out"),
        (("agents.basis=rff",), "there are no inducing inputs"),
    ],
)
def test_what_inducing_inputs_cannot_move_with_is_refused(settings: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        load_scenario("field", ("agents.learn_inducing=true", *settings))


@pytest.mark.parametrize(
    ("settings", "words"),
    [("network.loss=0.1", "a network where nothing fails"), ("fusion.rule=ensemble", "cannot be carried to others")],
)
def test_where_agents_may_not_agree_no_inducing_inputs_move(settings: str, words: str, tmp_path: Path) -> None:
    scenario = load_scenario("field", ("agents.learn_inducing=true", settings, "fusion.rounds_per_step=2"))
    with pytest.raises(ConfigError, match=words):
        run(scenario, tmp_path / "refused", figures=False)


def test_agents_hold_some_rows_of_each_of_the_last_rounds() -> None:
    batches = [draw(AGENTS, 30, seed) for seed in range(3)]
    held = held_rows(batches, 100, 10)
    assert held.x.shape[:2] == (AGENTS, 21)
    np.testing.assert_array_equal(held.x[:, 7:14], batches[1].x[:, :7])
    assert [count for count in range(20) if is_due(count)] == [4, 8, 16]
