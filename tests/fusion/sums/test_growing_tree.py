"""Laws of trees that agents grow while agents and links come and go.

Agents contribute unit vectors, so an agent's sum says how often it has counted each agent: whole numbers, exact bits.
"""

import numpy as np
import pytest
from scipy.sparse import csgraph, csr_array

from coolgp.fusion.sums.growing_tree import GrowingTree, GrowingTreeState
from coolgp.network.graphs.generate import GENERATORS, generate
from coolgp.network.graphs.schedule import Schedule, scheduled
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Absence, Faults
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

RULE = GrowingTree()
ENOUGH = 2000  # communication rounds; rest comes long before


def over(graph: Topology, faults: Faults, seed: int = 0, schedule: Schedule | None = None) -> Transport:
    return FaultyTransport(SerialTransport(graph), Dynamics(graph, faults, seed, schedule), faults, seed)


def units(transport: Transport) -> np.ndarray:
    return np.eye(transport.shard.size)[transport.shard.agents]


def linked(transport: Transport) -> np.ndarray:
    """Whether two agents, by place and by id, are joined by links that now work in both directions: ``[A, N]``."""
    shard = transport.shard
    ends = (shard.agents[shard.tail], shard.head_agent)
    up = csr_array((transport.up.astype(float), ends), shape=(shard.size, shard.size))
    part = csgraph.connected_components(up.minimum(up.T), directed=False)[1]
    return part[shard.agents][:, None] == part[None, :]


def spoken(state: GrowingTreeState, transport: Transport, rounds: int) -> GrowingTreeState:
    """After so many rounds, in each of which nobody was counted twice, and everybody by itself."""
    agents = transport.shard.agents
    for _ in range(rounds):
        state = RULE.round(state, units(transport), transport)
        sums = RULE.sums(state)
        assert np.isin(sums, (0.0, 1.0)).all()
        assert (sums[np.arange(len(agents)), agents] == 1).all()
    return state


def rested(state: GrowingTreeState, transport: Transport) -> GrowingTreeState:
    """At rest: all that are linked are counted, and stay so."""
    for _ in range(ENOUGH):
        if np.array_equal(RULE.sums(state), linked(transport)):
            break
        state = spoken(state, transport, 1)
    for _ in range(5):
        state = spoken(state, transport, 1)
        np.testing.assert_array_equal(RULE.sums(state), linked(transport))
    return state


def some_links(graph: Topology, rng: np.random.Generator, rounds: int) -> tuple[Topology, Schedule]:
    """In each round another random part of the links, and in the first all."""
    ends = np.stack([graph.tail, graph.indices], axis=1)[graph.tail < graph.indices]
    parts = [ends, *(ends[rng.random(len(ends)) < 0.7] for _ in range(rounds - 1))]
    return scheduled(range(rounds), parts, graph.size)


@pytest.mark.parametrize("moving", [False, True], ids=["links stay", "links change"])
@pytest.mark.parametrize(
    "faults", [{}, {"loss": 0.3}, {"delay": 1.0, "delays": "geometric"}, {"one_way": 0.5}, {"bandwidth": 100}], ids=str
)
@pytest.mark.parametrize("kind", GENERATORS)
def test_nobody_is_ever_counted_twice_and_at_rest_all_that_are_linked_are_counted(kind, faults, moving):
    seed = list(GENERATORS).index(kind)
    rng = np.random.default_rng(seed)
    graph = generate(kind, int(rng.choice([6, 10, 16, 22])), seed)
    graph, schedule = some_links(graph, rng, 10) if moving else (graph, None)
    transport = over(graph, Faults(**faults, churn=0.1, absence=2, moving=moving), seed, schedule)
    state = RULE.begin(units(transport), transport)
    for turn in range(10):
        transport.advance(turn)
        state = spoken(state, transport, int(rng.integers(1, 5)))
    rested(state, transport)


@pytest.mark.parametrize("loss", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(20))
def test_after_a_fifth_of_all_have_left_and_returned_everyone_counts_everyone(seed, loss):
    rng = np.random.default_rng(seed)
    graph = generate(list(GENERATORS)[seed % len(GENERATORS)], 20, seed)
    leave = rng.integers(1, 4, 4)
    gone = rng.choice(20, 4, replace=False)
    away = tuple(
        Absence(int(a), int(t), int(t + d)) for a, t, d in zip(gone, leave, rng.integers(1, 4, 4), strict=True)
    )
    transport = over(graph, Faults(loss=loss, away=away), seed)
    state = RULE.begin(units(transport), transport)
    for turn in range(8):
        transport.advance(turn)
        state = spoken(state, transport, 6)
    np.testing.assert_array_equal(RULE.sums(rested(state, transport)), 1.0)


def moved(back: list[tuple[int, int]], alone: int) -> tuple[np.ndarray, GrowingTreeState, Transport]:
    """Agent 0 at the end of the line 4-3-2-1-0 is cut off for some rounds, then linked as given; 4 is the root."""
    line = np.array([[4, 3], [3, 2], [2, 1]])
    first, last = np.vstack([line, [[1, 0]]]), np.vstack([line, back])
    graph, schedule = scheduled([0, 1, 2], [first, line, last], size=5)
    transport = over(graph, Faults(moving=True), 0, schedule)
    state = rested(RULE.begin(units(transport), transport), transport)
    before = state.key.copy()
    transport.advance(1)
    state = spoken(state, transport, alone)
    transport.advance(2)
    return before, state, transport


@pytest.mark.parametrize("alone", [1, 2, 3, 9])
def test_an_agent_that_comes_back_elsewhere_is_not_counted_by_what_is_old(alone):
    before, state, transport = moved([(0, 4)], alone)
    state = rested(state, transport)
    assert (state.key[:, 0] > before[:, 0]).all()


@pytest.mark.parametrize("alone", [1, 2, 3, 9])
def test_a_leaf_that_comes_back_to_its_parent_makes_nobody_grow_anew(alone):
    before, state, transport = moved([(0, 1)], alone)
    state = rested(state, transport)
    np.testing.assert_array_equal(state.key, before)


def test_an_agent_that_is_cut_off_has_counted_only_itself():
    _, state, transport = moved([(0, 1)], alone=1)
    alone = transport.shard.agents == 0
    np.testing.assert_array_equal(RULE.sums(state)[alone], np.eye(5)[:1])


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize("size", [1, 2, 5, 24])
def test_without_failures_exact_after_three_times_the_distance_from_the_root(kind, size):
    graph = generate(kind, size, seed=1)
    hops = csgraph.shortest_path(graph.matrix(), unweighted=True)[-1].max()  # the root is the highest id
    for transport in (SerialTransport(graph), over(graph, PERFECT)):
        state = spoken(RULE.begin(units(transport), transport), transport, int(3 * hops))
        np.testing.assert_array_equal(RULE.sums(state), 1.0)
        assert 3 * hops <= RULE.guarantee(graph, PERFECT).rounds


def test_at_rest_a_round_sends_a_key_on_every_edge_and_a_row_on_those_of_the_tree():
    graph = generate("small-world", 20, seed=1)
    transport = SerialTransport(graph)
    state = rested(RULE.begin(units(transport), transport), transport)
    messages, size = transport.meter.messages, transport.meter.bytes
    spoken(state, transport, 1)
    assert (
        transport.meter.messages - messages == 2 * graph.edge_count + 2 * 19 == RULE.guarantee(graph, PERFECT).messages
    )
    assert transport.meter.bytes - size == 2 * graph.edge_count * 16 + 2 * 19 * 22 * 8


@pytest.mark.parametrize("loss", [0.0, 0.3])
def test_settling_ends_with_the_sum(loss):
    transport = over(generate("geometric", 30, seed=2), Faults(loss=loss))
    values = np.random.default_rng(0).normal(size=(30, 3))
    state = RULE.settle(RULE.begin(values, transport), values, transport)
    np.testing.assert_allclose(RULE.sums(state), np.tile(values.sum(0), (30, 1)), rtol=1e-9, atol=1e-11)


def test_an_agent_that_lies_stops_nobody():
    transport = over(generate("small-world", 20, seed=1), Faults(byzantine=2, churn=0.1))
    state = RULE.begin(units(transport), transport)
    for turn in range(20):
        transport.advance(turn)
        state = RULE.round(state, units(transport), transport)
    assert np.isfinite(RULE.sums(state)).all()


@pytest.mark.parametrize(
    "faults, kind",
    [(Faults(loss=0.3, delay=2), "exact"), (Faults(churn=0.1), "approximate"), (Faults(byzantine=1), "approximate")],
    ids=str,
)
def test_it_promises_no_more_than_it_keeps(faults, kind):
    assert RULE.guarantee(generate("ring", 9, seed=0), faults).kind == kind
