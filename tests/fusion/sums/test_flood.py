"""Laws of flooding.

Agents contribute unit vectors, so an agent's sum says how often it has counted each agent: whole numbers, exact bits.
"""

import numpy as np
import pytest
from scipy.sparse import csgraph

from coolgp.fusion.sums.flood import Flood
from coolgp.network.graphs.connectivity import diameter
from coolgp.network.graphs.generate import GENERATORS, generate
from coolgp.network.graphs.schedule import scheduled
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Absence, Faults
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

from tests.fusion.sums.lossy import LOSSY

SIZES = [1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 16, 18, 20, 21, 22, 24, 25, 30]
GRAPHS = [(kind, size) for kind in GENERATORS for size in SIZES]  # 200


@pytest.fixture(params=GRAPHS[::4], ids=lambda graph: f"{graph[0]}-{graph[1]}")
def graph(request) -> Topology:
    kind, size = request.param
    return generate(kind, size, seed=size)


def over(graph: Topology, faults: Faults, seed: int = 0, schedule=None) -> Transport:
    return FaultyTransport(SerialTransport(graph), Dynamics(graph, faults, seed, schedule), faults, seed)


def units(transport: Transport) -> np.ndarray:
    """Agent i contributes the i-th unit vector: ``[A, N]``."""
    return np.eye(transport.shard.size)[transport.shard.agents]


def rounds_until(transport: Transport, values: np.ndarray, rule: Flood, most: int) -> int:
    """Communication rounds until all sums are the true one, to the bit; whole numbers only."""
    state = rule.begin(values, transport)
    for turn in range(most):
        if (rule.sums(state) == values.sum(0)).all():
            return turn
        state = rule.round(state, values, transport)
    raise AssertionError(f"not exact after {most} rounds")


def test_after_k_rounds_every_agent_has_counted_those_within_k_hops_once(graph):
    transport, rule = SerialTransport(graph), Flood()
    values, hops = units(transport), csgraph.shortest_path(graph.matrix(), unweighted=True)[transport.shard.agents]
    state = rule.begin(values, transport)
    for rounds in range(diameter(graph) + 2):
        np.testing.assert_array_equal(rule.sums(state), hops <= rounds)
        state = rule.round(state, values, transport)


@pytest.mark.parametrize("kind, size", GRAPHS)
def test_exact_after_diameter_rounds_and_not_before(kind, size):
    graph = generate(kind, size, seed=size)
    transport, rule = SerialTransport(graph), Flood()
    assert (
        rounds_until(transport, units(transport), rule, 99) == diameter(graph) == rule.guarantee(graph, PERFECT).rounds
    )


def test_each_statistic_crosses_an_edge_once_at_most_and_never_goes_back_where_it_came_from(graph):
    transport, rule = SerialTransport(graph), Flood()
    crossed, sent = np.zeros((len(transport.shard.tail), graph.size), dtype=int), transport.send
    came = np.zeros(crossed.shape, dtype=bool)

    def watched(rows, edges):
        origin = rows[:, 0].astype(int)
        assert not came[edges, origin].any()
        np.add.at(crossed, (edges, origin), 1)
        delivery = sent(rows, edges)
        came[delivery.edges, delivery.rows[:, 0].astype(int)] = True
        return delivery

    transport.send = watched
    values = units(transport)
    state = rule.begin(values, transport)
    for _ in range(diameter(graph) + 2):
        state = rule.round(state, values, transport)
    assert (crossed <= 1).all()
    np.testing.assert_array_equal(came, crossed[transport.shard.reverse])
    assert ((crossed + came) >= 1).all()


def test_when_all_is_told_nobody_speaks():
    transport, rule = SerialTransport(generate("small-world", 20, seed=1)), Flood()
    values = units(transport)
    state = rule.settle(rule.begin(values, transport), values, transport)
    state = rule.round(state, values, transport)  # the last to learn have not told their neighbours that they know
    before = transport.meter.messages
    rule.round(state, values, transport)
    assert transport.meter.messages == before


@pytest.mark.parametrize("faults", LOSSY.values(), ids=LOSSY)
@pytest.mark.parametrize("kind", GENERATORS)
def test_exact_in_the_end_whatever_becomes_of_messages(kind, faults):
    graph = generate(kind, 15 if kind != "random-regular" else 16, seed=3)
    faults = Faults(**faults)
    transport = over(graph, faults)
    assert rounds_until(transport, units(transport), Flood(), 3000) >= diameter(graph)
    assert Flood().guarantee(graph, faults).kind == "exact"


@pytest.mark.parametrize("loss", [0.0, 0.3])
def test_agents_that_were_away_learn_what_they_missed(loss):
    away = tuple(Absence(agent, 1 + agent % 3, 5) for agent in (1, 4, 7, 9))
    transport, rule = over(generate("small-world", 20, seed=1), Faults(loss=loss, away=away)), Flood()
    values = units(transport)
    state = rule.begin(values, transport)
    for turn in range(5):
        transport.advance(turn)
        state = rule.round(state, values + turn, transport)
    transport.advance(5)
    for _ in range(60):
        state = rule.round(state, values, transport)
    np.testing.assert_array_equal(rule.sums(state), 1.0)


def test_links_that_never_work_together_carry_everything_by_and_by():
    ends = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
    graph, schedule = scheduled(range(40), [ends[[turn % 4]] for turn in range(40)], size=5)
    transport, rule = over(graph, Faults(moving=True), 0, schedule), Flood()
    values = units(transport)
    state = rule.begin(values, transport)
    for turn in range(40):
        transport.advance(turn)
        state = rule.round(state, values, transport)
    np.testing.assert_array_equal(rule.sums(state), 1.0)


@pytest.mark.parametrize("faults", [{}, {"loss": 0.3}, {"delay": 1.0}], ids=str)
def test_the_newest_contributions_win(faults):
    transport, rule = over(generate("grid", 16, seed=0), Faults(**faults)), Flood()
    rng, values = np.random.default_rng(0), np.zeros((16, 3))
    state = rule.begin(values, transport)
    for _ in range(12):
        values = rng.integers(-99, 99, values.shape).astype(float)
        state = rule.round(state, values, transport)
    for _ in range(80):
        state = rule.round(state, values, transport)
    np.testing.assert_array_equal(rule.sums(state), np.tile(values.sum(0), (16, 1)))


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_agents_that_know_the_same_have_the_same_bits(columns):
    transport, rule = SerialTransport(generate("geometric", 40, seed=2)), Flood()
    values = np.random.default_rng(0).normal(size=(40, columns))
    sums = rule.sums(rule.settle(rule.begin(values, transport), values, transport))
    np.testing.assert_array_equal(sums, np.tile(sums[:1], (40, 1)))
    np.testing.assert_allclose(sums[0], values.sum(0), rtol=1e-12, atol=1e-12)


def test_settling_takes_diameter_rounds_where_nothing_fails(graph):
    transport, rule = SerialTransport(graph), Flood()
    rule.settle(rule.begin(units(transport), transport), units(transport), transport)
    assert transport.meter.rounds == max(diameter(graph), 1)


def test_more_patience_sends_fewer_rows():
    faults, sent = Faults(delay=3), []
    for patience in (0, 3, 7):
        transport = over(generate("small-world", 20, seed=1), faults)
        rounds_until(transport, np.ones((20, 100)), Flood(patience=patience), 500)
        sent.append(transport.meter.bytes)
    assert sent[0] > sent[1] > sent[2]


def test_an_agent_that_lies_stops_nobody():
    transport, rule = over(generate("small-world", 20, seed=1), Faults(byzantine=2)), Flood()
    state = rule.begin(units(transport), transport)
    for _ in range(20):
        state = rule.round(state, units(transport), transport)
    assert np.isfinite(rule.sums(state)).all()
    assert rule.guarantee(generate("ring", 9, seed=0), Faults(byzantine=2)).kind == "approximate"


def test_more_memory_than_there_is_is_refused_before_it_is_taken():
    transport = SerialTransport(generate("ring", 3000, seed=0))
    with pytest.raises(ValueError, match=r'100 numbers of each of 3000 agents at each: 7\.2 GB in all.*"tree"'):
        Flood().begin(np.zeros((3000, 100)), transport)


def test_patience_is_no_less_than_nothing():
    with pytest.raises(ValueError, match="patience of 0 rounds or more; got -1"):
        Flood(patience=-1)
