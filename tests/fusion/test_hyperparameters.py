"""Laws of who learns hyper-parameters from what."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents import blocks
from coolgp.agents.base.failures import Indefinite
from coolgp.agents.batches import Batch
from coolgp.agents.learning import gradient
from coolgp.agents.population import Population, new_population, observe_in_place
from coolgp.agents.trial import Adam
from coolgp.fusion.hyperparameters import GRAIN, MODES, training_evidence_of
from coolgp.fusion.registry import RULES, SUM_RULES
from coolgp.fusion.rule import SeesData
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import Topology, from_edges
from coolgp.network.links.faults import PERFECT
from coolgp.network.serial import SerialTransport

from tests.oracle import BASES, LAYOUTS, build_model, draw, ranked, start

AGENTS, ROUNDS = 6, 8
GRID = generate("grid", AGENTS, seed=0)


def batches(seed: int = 0) -> list[Batch]:
    return [draw(AGENTS, 10, 100 * seed + turn) for turn in range(ROUNDS)]


def learned(mode: str, rule: str, topology: Topology, model, stream: list[Batch], verb: str = "converge"):
    """Rounds as the simulator takes them. What agents learned, by global id, whether in use yet or not; messages."""
    how, fusion = MODES[mode](Adam(0.05)), RULES[rule]().fit(topology, PERFECT)
    transport = SerialTransport(fusion.links(topology))
    population = how.start(new_population(model, start(model, (1.4, 0.7)), topology.size))
    state = fusion.init(population, transport)
    for batch in stream:
        batch = ranked(batch, transport)
        population = how.adopt(population, fusion.announced(state, population))
        population = how.propose(population, batch, training_evidence_of(fusion, state, population))
        state = fusion.observe(state, population, batch) if isinstance(fusion, SeesData) else state
        observe_in_place(population, batch)
        state = getattr(fusion, verb)(state, population, transport)
    return population.candidate[np.argsort(transport.shard.agents)], transport.meter.messages


def one_of(stream: list[Batch], agent: int) -> list[Batch]:
    return [batch[agent : agent + 1] for batch in stream]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("basis", BASES)
def test_fixed_never_moves(rule, basis):
    model = build_model(basis)
    theta, _ = learned("fixed", rule, GRID, model, batches())
    np.testing.assert_array_equal(theta, np.tile(start(model, (1.4, 0.7)), (AGENTS, 1)))


@pytest.mark.parametrize("rule", ["tree", "central"])
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ["transport", "stale", "importance"])
def test_collective_agents_that_hear_everyone_agree_to_the_bit(rule, basis, layout, encoding):
    model = build_model(basis, layout, encoding)
    theta, _ = learned("collective", rule, GRID, model, batches())
    np.testing.assert_array_equal(theta, np.tile(theta[0], (AGENTS, 1)))
    assert np.abs(theta[0] - start(model, (1.4, 0.7))).max() > 0.05


def test_collective_agents_on_settled_consensus_agree_to_a_few_grains():
    model = build_model()
    theta, _ = learned("collective", "consensus", GRID, model, batches())
    # A step's direction is a ratio of averages: it turns a grain in a small gradient into more than a grain.
    assert np.abs(theta - theta.mean(0)).max() < 1e4 * GRAIN
    np.testing.assert_allclose(theta, learned("collective", "tree", GRID, model, batches())[0], atol=1e4 * GRAIN)


@pytest.mark.parametrize("basis", BASES)
def test_local_agents_move_apart(basis):
    model = build_model(basis)
    theta, _ = learned("local", "tree", GRID, model, batches())
    gaps = np.abs(theta[:, None] - theta[None]).max(-1)
    assert gaps[~np.eye(AGENTS, dtype=bool)].min() > 1e-3


@pytest.mark.parametrize("mode", ["local", "collective"])
@pytest.mark.parametrize("basis", BASES)
def test_agents_that_hear_nobody_learn_as_if_alone(mode, basis):
    model, stream = build_model(basis), batches()
    theta, messages = learned(mode, "none", GRID, model, stream)
    assert messages == 0
    for agent in range(AGENTS):
        alone, _ = learned(mode, "none", from_edges([], [], 1), model, one_of(stream, agent))
        np.testing.assert_allclose(theta[agent], alone[0], rtol=1e-7)


@pytest.mark.parametrize("mode", ["local", "collective"])
@pytest.mark.parametrize("rule", ["tree", "central", "consensus"])
def test_agents_learn_from_what_they_hear(mode, rule):
    model, stream = build_model(), batches()
    heard, alone = (learned(mode, name, GRID, model, stream)[0] for name in (rule, "none"))
    assert (np.abs(heard - alone).max(axis=1) > 1e-3).all()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("verb", ["exchange", "converge"])
def test_with_one_agent_every_rule_learns_the_same(mode, rule, verb):
    model, stream, lone = build_model(), one_of(batches(), 0), from_edges([], [], 1)
    theta, _ = learned(mode, rule, lone, model, stream, verb)
    alike = (
        "none" if rule in (*SUM_RULES, "selective", "weighted") else "poe"
    )  # which takes the gradient at its newest belief
    np.testing.assert_allclose(theta, learned(mode, alike, lone, model, stream)[0], rtol=1e-10)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "gossip"])  # who meets whom is drawn by id
def test_renaming_the_agents_changes_nothing(mode, rule):
    model, stream = build_model(), batches()
    tree = generate("random-tree", AGENTS, seed=1)
    new = np.random.default_rng(0).permutation(AGENTS)  # agent i becomes new[i]
    renamed = from_edges(new[tree.tail], new[tree.indices], AGENTS)
    moved = [Batch(*(part[np.argsort(new)] for part in (b.x, b.y, b.mask))) for b in stream]
    one, two = (learned(mode, rule, *case)[0] for case in ((tree, model, stream), (renamed, model, moved)))
    np.testing.assert_allclose(two[new], one, atol=1e4 * GRAIN)


def test_a_collective_step_follows_the_average_gradient():
    """After the second batch everyone steps as one agent would along the mean of all gradients at the fused belief."""
    model, stream = build_model(), [draw(AGENTS, 10, turn, full=True) for turn in range(3)]
    theta, _ = learned("collective", "tree", GRID, model, stream)
    population = new_population(model, np.round(start(model, (1.4, 0.7)) / GRAIN) * GRAIN, AGENTS)
    observe_in_place(population, stream[0])
    told = population.evidence()
    fused = told[np.zeros(AGENTS, int)]
    for agent in range(1, AGENTS):
        fused = fused + told[np.full(AGENTS, agent)]
    slope = gradient(model, population.theta, fused, stream[1]).mean(0)
    # Round 1 announces no gradient, round 2 this one, round 3 steps along it: Adam's second step after one of zero.
    first, second = 0.1 * slope / (1 - 0.9**3), 0.01 * slope**2 / (1 - 0.99**3)
    expected = population.theta[0] + 0.05 * first / (np.sqrt(second) + 1e-8)
    np.testing.assert_allclose(theta[0, :-2], expected[:-2], atol=1e-5)


def test_evidence_that_is_none_is_refused_naming_the_agent_behind_its_block(monkeypatch):
    model, batch = build_model(), draw(AGENTS, 10)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2 * 8 * model.inducing**2)  # two agents a block
    population: Population = new_population(model, start(model), AGENTS)
    observe_in_place(population, batch)
    evidence = population.evidence()
    sign = np.where(np.arange(AGENTS) == 4, -1.0, 1.0)[:, None, None]
    broken = replace(evidence, precision=sign * evidence.precision)
    with pytest.raises(Indefinite) as caught:
        MODES["collective"](Adam(0.1)).propose(population, batch, lambda agents: broken[agents])
    assert caught.value.row == 4


@pytest.mark.parametrize("rule", SUM_RULES)
def test_few_rounds_between_steps_never_leave_an_agent_less_certain_than_it_is_alone(rule):
    """Increments of contributions are negative where hyper-parameters move; what an agent knows by itself stays."""
    model, topology = build_model(), generate("ring", AGENTS, seed=0)
    fusion, how = RULES[rule]().fit(topology, PERFECT), MODES["collective"](Adam(0.3))
    transport = SerialTransport(fusion.links(topology))
    population = how.start(new_population(model, start(model), AGENTS))
    state = fusion.init(population, transport)
    for batch in batches():
        population = how.adopt(population, fusion.announced(state, population))
        population = how.propose(population, batch, training_evidence_of(fusion, state, population))
        observe_in_place(population, batch)
        state = fusion.exchange(state, population, transport)
        gained = fusion.fused_evidence(state, population, slice(None)) - population.evidence()
        scale = np.trace(population.evidence().precision, axis1=1, axis2=2)
        assert (np.linalg.eigvalsh(gained.precision)[:, 0] >= -1e-6 * scale).all()
