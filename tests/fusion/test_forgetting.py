"""Laws of forgetting: what agents hold is ``Σ share^age`` times what each round brought, and fusing stays a sum."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.model import Model
from coolgp.agents.own_inputs import OwnInputs
from coolgp.agents.population import Population, forgotten, new_population, observe, observe_in_place
from coolgp.fusion.registry import RULES, SUM_RULES
from coolgp.fusion.rule import SeesData, forgets
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import PERFECT
from coolgp.network.serial import SerialTransport

from tests.oracle import BASES, QUERIES, build_model, dense, draw, ranked, rows_of, start

AGENTS, ROUNDS, SHARE, NOISE = 7, 4, 0.6, 0.05
BATCHES = [draw(AGENTS, 9, turn) for turn in range(ROUNDS)]
BATCHES[2].mask[3] = 0.0  # who observes nothing in a round forgets as well
FUSING = {"tree": 1e-9, "flood": 1e-9, "server": 1e-9, "central": 1e-9}
FUSING |= dict.fromkeys(("consensus", "chebyshev", "push-sum", "gossip"), 1e-6)


def remembering(model: Model, share: float, batches: list[Batch] = BATCHES) -> Population:
    population = new_population(model, start(model, noise=NOISE), AGENTS)
    for batch in batches:
        population = observe(forgotten(population, share), batch)
    return population


def by_hand(model: Model, share: float) -> np.ndarray:
    """Sums of each round by themselves, each times its weight."""
    total = np.zeros_like(remembering(model, 1.0).statistics.rows)
    for age, batch in enumerate(reversed(BATCHES)):
        alone = new_population(model, start(model, noise=NOISE), AGENTS)
        observe_in_place(alone, batch)
        total += share**age * alone.statistics.rows
    return total


@pytest.mark.parametrize("encoding", ["transport", "stale", "importance"])
@pytest.mark.parametrize("basis", BASES)
def test_sums_are_those_of_each_round_times_the_share_for_every_round_since(basis, encoding):
    model = build_model(basis, encoding=encoding)
    held = remembering(model, SHARE).sums(slice(None)).rows
    np.testing.assert_allclose(held, by_hand(model, SHARE), rtol=1e-12, atol=1e-12)


def test_sums_at_inducing_inputs_of_an_agents_own_are_forgotten_alike():
    model = replace(build_model(), encoding=OwnInputs(np.random.default_rng(3).uniform(-2, 2, (AGENTS, 6, 2))))
    held = remembering(model, SHARE).sums(slice(None)).rows
    np.testing.assert_allclose(held, by_hand(model, SHARE), rtol=1e-12, atol=1e-12)


def test_to_forget_nothing_changes_no_bit():
    model, plain = build_model(), new_population(build_model(), start(build_model(), noise=NOISE), AGENTS)
    for batch in BATCHES:
        plain = observe(plain, batch)
    held = remembering(model, 1.0)
    assert len(held.waiting) == len(plain.waiting)
    np.testing.assert_array_equal(held.sums(slice(None)).rows, plain.sums(slice(None)).rows)


def test_observations_counted_are_their_effective_number():
    held = remembering(build_model(), SHARE).sums(slice(None))
    weights = SHARE ** np.arange(ROUNDS)[::-1]
    expected = sum(weight * batch.mask.sum(1) for weight, batch in zip(weights, BATCHES, strict=True))
    np.testing.assert_allclose(held.count, expected, rtol=1e-12)


@pytest.mark.parametrize("name", FUSING)
@pytest.mark.parametrize("verb", ["exchange", "converge"])
def test_agents_that_forget_fuse_to_the_dense_process_of_rows_with_more_noise_the_older_they_are(name, verb):
    model, graph = build_model(), generate("small-world", AGENTS, seed=3)
    rule = SUM_RULES[name]().fit(graph, PERFECT)
    transport = SerialTransport(rule.links(graph))
    population = new_population(model, start(model, noise=NOISE), AGENTS)
    state = rule.init(population, transport)
    for turn, batch in enumerate(BATCHES):
        transport.advance(turn)
        population = forgotten(population, SHARE)
        observe_in_place(population, ranked(batch, transport))
        state = getattr(rule, verb)(state, population, transport)
        assert np.isfinite(rule.predict(state, population, np.arange(AGENTS), QUERIES, transport).variance).all()
    state = rule.converge(state, population, transport)
    found = rule.predict(state, population, np.arange(AGENTS), QUERIES, transport)
    mean, variance = by_rows_of_their_own_noise(model)
    for agent in range(AGENTS):
        np.testing.assert_allclose(found.mean[agent], mean, rtol=FUSING[name], atol=FUSING[name])
        np.testing.assert_allclose(found.variance[agent], variance, rtol=FUSING[name])


def by_rows_of_their_own_noise(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """A likelihood to the power of a row's weight is one whose noise variance is divided by it: by dense matrices."""
    x, y = (np.concatenate(part) for part in zip(*map(rows_of, BATCHES), strict=True))
    ages = np.repeat(np.arange(ROUNDS)[::-1], [int(batch.mask.sum()) for batch in BATCHES])
    weighted = replace(dense(model, start(model, noise=NOISE)), noise=NOISE / SHARE**ages)
    mean, variance = weighted.predict(x, y, QUERIES)
    return mean.astype(float), variance.astype(float)


def test_an_ensemble_forgets_the_sums_and_the_record_of_its_experts():
    rule, model = RULES["ensemble"](), build_model()
    transport = SerialTransport(generate("random-tree", AGENTS, seed=3))
    population = new_population(model, start(model, noise=NOISE), AGENTS)
    state = rule.init(population, transport)
    for batch in BATCHES:
        state = rule.observe(rule.forgotten(state, SHARE), population, ranked(batch, transport))
    middle = rule.scales.index(1.0)
    np.testing.assert_allclose(
        state.sums[:, middle], by_hand(model, SHARE)[transport.shard.agents], rtol=1e-12, atol=1e-12
    )
    before = state.log_density.copy()
    np.testing.assert_allclose(rule.forgotten(state, SHARE).log_density, SHARE * before)


def test_of_the_rules_that_see_the_data_all_forget_but_those_that_keep_every_row():
    seeing = {name for name, rule in RULES.items() if issubclass(rule, SeesData)}
    assert {name for name in seeing if not forgets(RULES[name]())} == {"dpitc"}
