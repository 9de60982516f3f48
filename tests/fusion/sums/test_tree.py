"""Laws of message passing on trees.

Agents contribute unit vectors, so an agent's sum says how often it has counted each agent: whole numbers, exact bits.
"""

import networkx as nx
import numpy as np
import pytest
from scipy.sparse import csgraph

from coolgp.fusion.registry import RULES
from coolgp.fusion.sums.growing_tree import GrowingTree
from coolgp.fusion.sums.tree import Tree
from coolgp.network.graphs.connectivity import diameter
from coolgp.network.graphs.generate import GENERATORS, generate
from coolgp.network.graphs.interchange import from_networkx
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Absence, Faults
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport
from coolgp.network.tree_sum import plan_tree_sum

from tests.fusion.sums.lossy import LOSSY


def random_tree(size: int, seed: int | None = None) -> Topology:
    """Uniform over labelled trees: long ones are common, where the generator's are shallow."""
    return from_networkx(nx.random_labeled_tree(size, seed=size if seed is None else seed))


def over(graph: Topology, faults: Faults, seed: int = 0) -> Transport:
    return FaultyTransport(SerialTransport(Tree().links(graph)), Dynamics(graph, faults, seed), faults, seed)


LONG = [("labelled", size) for size in range(2, 31)]
MANY = 200  # random trees
SHALLOW = [("recursive", size) for size in (4, 9, 16, 25)]


@pytest.fixture(params=LONG + SHALLOW, ids=str)
def tree(request) -> Topology:
    kind, size = request.param
    return random_tree(size) if kind == "labelled" else generate("random-tree", size, seed=size)


def units(transport: SerialTransport) -> np.ndarray:
    """Agent i contributes the i-th unit vector: ``[A, N]``."""
    return np.eye(transport.shard.size)[transport.shard.agents]


def distances(tree: Topology, transport: SerialTransport) -> np.ndarray:
    """Hops from each agent, in the transport's order, to each agent by id."""
    return csgraph.shortest_path(tree.matrix(), unweighted=True)[transport.shard.agents]


def test_after_k_rounds_every_agent_has_counted_those_within_k_hops_once(tree):
    transport, rule = SerialTransport(tree), Tree()
    values = units(transport)
    state = rule.begin(values, transport)
    for rounds in range(diameter(tree) + 3):
        np.testing.assert_array_equal(rule.sums(state), distances(tree, transport) <= rounds)
        state = rule.round(state, values, transport)


@pytest.mark.parametrize("seed", range(MANY))
def test_exact_after_diameter_rounds_and_not_before(seed):
    tree = random_tree(2 + seed % 29, seed)
    transport, rule = SerialTransport(tree), Tree()
    values = units(transport)
    state = rule.begin(values, transport)
    for _ in range(diameter(tree) - 1):
        state = rule.round(state, values, transport)
    assert (rule.sums(state) != 1).any()
    np.testing.assert_array_equal(rule.sums(rule.round(state, values, transport)), 1.0)


def test_converging_is_exchanging_diameter_times(tree):
    transport, rule = SerialTransport(tree), Tree()
    values = np.random.default_rng(0).integers(-99, 99, (tree.size, 5)).astype(float)
    state = rule.begin(values, transport)
    for _ in range(diameter(tree)):
        state = rule.round(state, values, transport)
    swept = rule.settle(rule.begin(values, transport), values, transport)
    np.testing.assert_array_equal(rule.sums(swept), rule.sums(state))


def test_converging_leaves_all_agents_with_the_same_bits(tree):
    transport, rule = SerialTransport(tree), Tree()
    values = np.random.default_rng(0).normal(size=(tree.size, 5))
    sums = rule.sums(rule.settle(rule.begin(values, transport), values, transport))
    np.testing.assert_array_equal(sums, np.tile(sums[:1], (tree.size, 1)))
    np.testing.assert_allclose(sums[0], values.sum(0), rtol=1e-12, atol=1e-12)


def test_converging_takes_one_message_a_directed_edge_in_diameter_rounds(tree):
    transport, rule = SerialTransport(tree), Tree()
    values = units(transport)
    state = rule.begin(values, transport)
    messages, size = transport.meter.messages, transport.meter.bytes
    rule.settle(state, values, transport)
    assert transport.meter.messages - messages == 2 * (tree.size - 1)
    assert transport.meter.bytes - size == 2 * (tree.size - 1) * tree.size * 8
    assert state.tree_sum.rounds == diameter(tree)


def test_an_agent_speaks_once_all_its_other_neighbours_have_spoken_to_it(tree):
    transport = SerialTransport(tree)
    turn = plan_tree_sum(transport).sends
    heard = transport.swap(turn)
    tail = transport.shard.tail
    for edge in range(len(tail)):
        others = (tail == tail[edge]) & (np.arange(len(tail)) != edge)
        assert turn[edge] == max(heard[others], default=0) + 1


def test_converging_again_with_new_contributions_is_exact(tree):
    transport, rule = SerialTransport(tree), Tree()
    rng = np.random.default_rng(0)
    state = rule.begin(np.zeros((tree.size, 4)), transport)
    for _ in range(3):
        values = rng.integers(-99, 99, (tree.size, 4)).astype(float)
        state = rule.settle(state, values, transport)
        np.testing.assert_array_equal(rule.sums(state), np.tile(values.sum(0), (tree.size, 1)))


def test_exchanging_on_while_contributions_change_is_exact_diameter_rounds_later(tree):
    transport, rule = SerialTransport(tree), Tree()
    rng = np.random.default_rng(0)
    values = rng.integers(-99, 99, (tree.size, 4)).astype(float)
    state = rule.settle(rule.begin(values, transport), values, transport)
    for _ in range(4):
        values = values + rng.integers(-9, 9, values.shape)
        state = rule.round(state, values, transport)
    for _ in range(diameter(tree) - 1):
        state = rule.round(state, values, transport)
    np.testing.assert_array_equal(rule.sums(state), np.tile(values.sum(0), (tree.size, 1)))


@pytest.mark.parametrize("faults", LOSSY.values(), ids=LOSSY)
@pytest.mark.parametrize("kind", ["grid", "small-world", "random-tree", "complete"])
def test_exact_in_the_end_whatever_becomes_of_messages_and_nobody_is_counted_twice(kind, faults):
    graph, faults = generate(kind, 20, seed=3), Faults(**faults)
    transport, rule = over(graph, faults), Tree().fit(graph, faults)
    values = units(transport)
    state, rounds = rule.begin(values, transport), 0
    while (rule.sums(state) != 1).any():
        assert np.isin(rule.sums(state), (0, 1)).all()
        assert rounds < 2000
        state, rounds = rule.round(state, values, transport), rounds + 1
    assert rounds >= rule.guarantee(graph, faults).rounds
    assert rule.guarantee(graph, faults).kind == "exact"


@pytest.mark.parametrize("loss", [0.0, 0.3])
def test_converging_over_a_channel_ends_with_the_sum_and_goes_on_from_there(loss):
    transport, rule = over(generate("grid", 20, seed=0), Faults(loss=loss)), Tree()
    values = np.random.default_rng(0).normal(size=(20, 3))
    state = rule.begin(values, transport)
    for scale in (1.0, -3.0):
        state = rule.settle(state, scale * values, transport)
        expected = np.tile(scale * values.sum(0), (20, 1))
        np.testing.assert_allclose(rule.sums(state), expected, rtol=1e-9, atol=1e-10)


def test_where_nothing_is_lost_a_channel_changes_no_bit():
    graph = generate("geometric", 30, seed=1)
    values, sums = np.random.default_rng(0).normal(size=(30, 3)), []
    for transport in (SerialTransport(Tree().links(graph)), over(graph, PERFECT)):
        state = Tree().begin(values, transport)
        for turn in range(8):
            state = Tree().round(state, values + turn, transport)
        sums.append(Tree().sums(state))
    np.testing.assert_array_equal(*sums)


@pytest.mark.parametrize("faults", [Faults(churn=0.1), Faults(moving=True), Faults(away=(Absence(1, 2, 3),))], ids=str)
def test_where_agents_or_links_come_and_go_the_tree_is_one_that_grows(faults):
    rule = Tree(tolerance=1e-6, most=7, look_every=3).fit(generate("ring", 5, seed=0), faults)
    assert rule == GrowingTree(tolerance=1e-6, most=7, look_every=3)


@pytest.mark.parametrize("faults", [Faults(byzantine=1), Faults(churn=0.1)], ids=str)
def test_it_promises_no_more_than_it_keeps(faults):
    assert Tree().guarantee(generate("ring", 9, seed=0), faults).kind == "approximate"


@pytest.mark.parametrize("verb", ["round", "settle"])
def test_an_agent_by_itself_sends_nothing(verb):
    transport, rule = SerialTransport(generate("star", 1, seed=0)), Tree()
    values = np.array([[3.0, 4.0]])
    state = getattr(rule, verb)(rule.begin(values, transport), values, transport)
    np.testing.assert_array_equal(rule.sums(state), values)
    assert (transport.meter.messages, state.tree_sum.rounds) == (0, 0)


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize("size", [1, 2, 5, 24])
def test_the_links_of_a_graph_are_a_tree_among_its_own(kind, size):
    graph = generate(kind, size, seed=1)
    links = Tree().links(graph)
    assert links.edge_count == size - 1
    assert np.isfinite(csgraph.shortest_path(links.matrix(), unweighted=True)).all()
    assert (links.matrix() > 0).multiply(graph.matrix() > 0).sum() == 2 * links.edge_count


@pytest.mark.parametrize("kind", ["ring", "complete", "small-world"])
def test_a_graph_with_a_cycle_is_refused(kind):
    with pytest.raises(ValueError, match="a tree sum needs a tree; this graph has a cycle"):
        plan_tree_sum(SerialTransport(generate(kind, 12, seed=1)))


@pytest.mark.parametrize("size", [1, 2, 9])
@pytest.mark.parametrize(
    "name, messages",
    [
        ("none", lambda links: 0),
        ("tree", lambda links: 2 * links.edge_count),
        ("consensus", lambda links: 2 * links.edge_count),
        ("central", lambda links: 2 * links.size),
    ],
)
def test_messages_of_a_round(name, messages, size):
    links = RULES[name]().links(generate("ring", size, seed=0))
    transport, rule = SerialTransport(links), RULES[name]()
    values = units(transport)
    state = rule.begin(values, transport)
    before, sent = transport.meter.messages, transport.meter.bytes
    rule.round(state, values, transport)
    assert transport.meter.messages - before == messages(links)
    assert transport.meter.bytes - sent == messages(links) * size * 8
