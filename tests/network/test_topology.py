"""Laws of topologies: generated, read, arranged; their trees and mixing weights."""

import networkx as nx
import numpy as np
import pytest

from coolgp.network.graphs.connectivity import components, diameter, diameter_at_most, require_connected, spanning_tree
from coolgp.network.graphs.files import names_rounds, read_schedule, read_topology
from coolgp.network.graphs.generate import GENERATORS, generate
from coolgp.network.graphs.interchange import from_networkx, to_networkx
from coolgp.network.graphs.topology import Topology, from_edges
from coolgp.network.mixing import metropolis
from coolgp.network.spectrum import rounds_to, second_eigenvalue

SIZES = (1, 2, 3, 4, 5, 30)
every_graph = pytest.mark.parametrize("graph", [(k, n) for k in GENERATORS for n in SIZES], ids=str, indirect=True)


@pytest.fixture
def graph(request: pytest.FixtureRequest) -> Topology:
    kind, size = request.param
    return generate(kind, size, seed=3)


def weighted(topology: Topology) -> Topology:
    """The same graph with lengths that differ, and some that tie."""
    length = 1.0 + (topology.tail * topology.indices) % 5
    return from_edges(topology.tail, topology.indices, topology.size, length)


def same(one: Topology, other: Topology) -> bool:
    fields = ("indptr", "indices", "weight", "position")
    pairs = [(getattr(one, f), getattr(other, f)) for f in fields]
    return one.names == other.names and all((a is None) == (b is None) and np.array_equal(a, b) for a, b in pairs)


@every_graph
def test_a_generated_graph_is_connected(graph):
    require_connected(graph)
    assert components(graph) == 1


@every_graph
def test_a_generated_graph_is_simple_and_symmetric(graph):
    dense = graph.matrix().toarray()
    assert (dense == dense.T).all()
    assert dense.max(initial=0) <= 1
    assert (np.diagonal(dense) == 0).all()


@every_graph
def test_rows_are_sorted_and_count_the_neighbours(graph):
    assert all((np.diff(graph.indices[a:b]) > 0).all() for a, b in zip(graph.indptr, graph.indptr[1:], strict=False))
    assert graph.degree.sum() == 2 * graph.edge_count == len(graph.indices)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", GENERATORS)
def test_the_seed_fixes_the_graph_and_the_size_is_kept(kind, size):
    graph = generate(kind, size, seed=8)
    assert graph.size == size
    assert same(graph, generate(kind, size, seed=8))


@pytest.mark.parametrize("kind", ["small-world", "random-regular", "erdos-renyi", "geometric", "scale-free"])
def test_another_seed_gives_another_graph(kind):
    assert not same(generate(kind, 30, seed=1), generate(kind, 30, seed=2))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["erdos-renyi", "geometric"])
def test_sparse_random_graphs_are_bridged(kind, seed):
    require_connected(generate(kind, 50, seed, mean_degree=1.0))


@pytest.mark.parametrize(
    "size, degree", [(30, 5), (12, 10), (12, 9), (11, 6), (8, 4), (6, 3), (9, 6), (5000, 4), (300, 40), (300, 259)]
)
def test_a_random_regular_graph_is_regular(size, degree):
    graph = generate("random-regular", size, seed=0, degree=degree)
    assert (graph.degree == degree).all()
    require_connected(graph)


def test_random_regular_graphs_have_as_many_triangles_as_chance_gives_them():
    graphs = [generate("random-regular", 300, seed, degree=4).matrix() for seed in range(60)]
    mean = np.mean([(graph @ graph @ graph).trace() / 6 for graph in graphs])
    assert mean == pytest.approx((4 - 1) ** 3 / 6, abs=4 * (4.5 / 60) ** 0.5)  # Poisson (Bollobás 1980)


@pytest.mark.parametrize("links", [1, 2, 5])
def test_agents_of_a_scale_free_graph_join_different_earlier_ones(links):
    graph = generate("scale-free", 500, seed=1, links=links)
    earlier = np.bincount(graph.tail[graph.indices < graph.tail], minlength=500)
    assert (earlier[links + 1 :] == links).all()
    assert graph.edge_count == links * (500 - links)


@pytest.mark.parametrize("links", [1, 2, 5])
def test_degrees_of_a_scale_free_graph_follow_their_power_law(links):
    degree = generate("scale-free", 100_000, seed=1, links=links).degree
    for least in (links + 1, 10, 50):  # Dorogovtsev, Mendes & Samukhin, PRL 85 (2000)
        expected = links * (links + 1) / (least * (least + 1))
        assert np.mean(degree >= least) == pytest.approx(expected, rel=0.01 + 5 * (100_000 * expected) ** -0.5)


def test_a_small_world_keeps_the_edges_of_its_lattice_in_number():
    assert generate("small-world", 60, seed=0, neighbours=6, rewiring=0.5).edge_count == 180


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("rign", 5, 0), "did you mean 'ring'"),
        (("ring", 0, 0), "at least 1 agent; got size 0"),
        (("random-regular", 7, 0, {"degree": 3}), "size \\* degree even; got 7 agents of degree 3"),
        (("random-regular", 7, 0, {"degre": 3}), "takes degree; got 'degre'"),
        (("small-world", 7, 0, {"rewiring": 2}), "rewiring in \\[0, 1\\]; got 2"),
    ],
)
def test_generate_says_what_was_wrong(arguments, message):
    options = arguments[3] if len(arguments) > 3 else {}
    with pytest.raises(ValueError, match=message):
        generate(*arguments[:3], **options)


@every_graph
@pytest.mark.parametrize("change", [weighted, lambda graph: graph], ids=["weighted", "unweighted"])
def test_a_spanning_tree_has_one_edge_less_than_agents(graph, change):
    tree = spanning_tree(change(graph))
    require_connected(tree)
    assert tree.edge_count == graph.size - 1
    assert (graph.matrix() - tree.matrix()).toarray().min() >= 0


@pytest.mark.parametrize("kind", GENERATORS)
def test_a_weighted_spanning_tree_has_the_least_length(kind):
    graph = weighted(generate(kind, 30, seed=1))
    least = nx.minimum_spanning_tree(to_networkx(graph)).size(weight="weight")
    assert spanning_tree(graph).weight.sum() / 2 == least


@every_graph
def test_the_diameter_is_that_of_networkx_and_within_its_bound(graph):
    expected = nx.diameter(to_networkx(graph))
    assert diameter(graph) == expected <= diameter_at_most(graph)
    tree = spanning_tree(graph)
    assert diameter(tree) == nx.diameter(to_networkx(tree))


def test_the_tree_of_a_path_grows_from_its_middle():
    path = from_edges(np.arange(100_000), np.arange(1, 100_001), 100_001)
    assert diameter(path) == diameter(spanning_tree(path)) == 100_000


def test_the_tree_of_a_grid_is_shallow():
    grid = generate("grid", 400, seed=0)
    assert diameter(spanning_tree(grid)) <= diameter(grid) + 2


def test_an_unconnected_graph_is_refused_with_the_sizes_of_its_pieces():
    pieces = from_edges([*range(9), 10, 11, 12], [*range(1, 10), 11, 12, 13], 15)
    with pytest.raises(ValueError, match=r"connected graph; this one has 3 components \(sizes 10, 4, 1\)"):
        require_connected(pieces)


def test_directed_double_edges_and_loops_reduce_to_links():
    graph = nx.MultiDiGraph([("a", "b"), ("b", "a"), ("a", "b"), ("c", "c"), ("b", "c")])
    topology = from_networkx(graph)
    assert topology.names == ("a", "b", "c")
    assert topology.indices.tolist() == [1, 0, 2, 1]


@pytest.mark.parametrize("kind", GENERATORS)
def test_a_graph_returns_from_networkx_as_it_was(kind):
    graph = weighted(generate(kind, 12, seed=1))
    labelled = from_edges(graph.tail, graph.indices, 12, graph.weight, np.eye(12)[:, :2], [f"s{i}" for i in range(12)])
    assert same(from_networkx(to_networkx(labelled)), labelled)


def test_half_weighted_graphs_are_refused():
    graph = nx.path_graph(3)
    graph.edges[0, 1]["weight"] = 2.0
    with pytest.raises(ValueError, match="All edges need a weight, or none: 1 of 2 have none"):
        from_networkx(graph)


def test_contradicting_weights_are_refused():
    with pytest.raises(ValueError, match="same weight each time"):
        from_edges([0, 1], [1, 0], 2, weight=[1.0, 2.0])


def test_agents_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"agents in \[0, 2\); got agents from 0 to 2"):
        from_edges([0], [2], 2)


def test_arranging_permutes_all_that_belongs_to_an_agent():
    graph = from_edges([0, 1], [1, 2], 3, [1.0, 2.0], [[0, 0], [1, 1], [2, 2]], ["a", "b", "c"])
    turned = graph.arranged(["c", "a", "b"])
    assert turned.position[:, 0].tolist() == [2, 0, 1]
    assert nx.utils.graphs_equal(to_networkx(turned), to_networkx(graph))
    assert same(turned.arranged(graph.names), graph)


def test_arranging_names_the_agents_that_differ():
    graph = generate("ring", 4, seed=0)
    with pytest.raises(ValueError, match=r"3 agent ids came .* 4 nodes; not in the graph: 'x'; only in .*: '2', '3'"):
        graph.arranged(["0", "1", "x"])
    with pytest.raises(ValueError, match=r"5 agent ids came \(4 different\)"):
        graph.arranged(["0", "1", "2", "3", "3"])


def test_graphml_round_trip(tmp_path):
    graph = from_edges([0, 1], [1, 2], 3, [1.5, 2.0], [[0, 0], [1, 1], [2, 2.5]], ["a", "b", "c"])
    nx.write_graphml(to_networkx(graph), tmp_path / "graph.graphml")
    assert same(read_topology(tmp_path / "graph.graphml"), graph)


@pytest.mark.parametrize("text", ["a,b,1.5\nb,c,2\n", "# lengths\ntail, head, weight\na, b, 1.5\n\nb, c, 2 # far\n"])
def test_edge_list_round_trip(tmp_path, text):
    (tmp_path / "graph.csv").write_text(text)
    assert same(read_topology(tmp_path / "graph.csv"), from_edges([0, 1], [1, 2], 3, [1.5, 2.0], labels="abc"))


@pytest.mark.parametrize("text", ["10 9\n9 2\n", "source target\n10 9\n9 2\n"])
def test_numbered_agents_come_in_numerical_order(tmp_path, text):
    (tmp_path / "graph.txt").write_text(text)
    assert same(read_topology(tmp_path / "graph.txt"), from_edges([2, 1], [1, 0], 3, labels=["2", "9", "10"]))


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("none.csv", None, "There is no topology file"),
        ("graph.gexf", b"", "must end in .graphml, .csv, .txt"),
        ("graph.csv", b"\xff\xfe\x00", "cannot be read as text"),
        ("graph.csv", b"# nothing\n", "has no edges"),
        ("graph.csv", b"a,b\nb,c,d\n", "line 2: an edge needs 2 columns"),
        ("graph.csv", b"a,b,1,2\n", "line 1: an edge needs 2 or 3 columns"),
        ("graph.csv", b"a,b\n\nb,\n", "line 3: an edge needs 2 columns"),
        ("graph.txt", b"a b 1\nb c 0\n", "line 2: a weight must be a positive finite number; got '0'"),
        ("graph.txt", b"a b 1\nb c nan\n", "line 2: a weight must be .* got 'nan'"),
        ("graph.txt", b"a b 1\nb c far\n", "line 2: a weight must be .* got 'far'"),
        ("graph.graphml", b"<graphml", "is not valid GraphML"),
        ("graph.graphml", b"<html></html>", "is not valid GraphML"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_topology(tmp_path / name)


@every_graph
def test_metropolis_weights_are_symmetric_and_doubly_stochastic(graph):
    dense = metropolis(graph).toarray()
    assert (dense == dense.T).all()
    assert dense.min() >= -1e-15  # own weights are one minus a sum, hence rounded
    np.testing.assert_allclose(dense.sum(axis=0), 1, rtol=1e-14)


@every_graph
def test_consensus_contracts(graph):
    eigenvalue = second_eigenvalue(metropolis(graph))
    assert 0 <= eigenvalue < 1
    disagreement = np.linalg.matrix_power(metropolis(graph).toarray(), rounds_to(1e-6, eigenvalue)) - 1 / graph.size
    assert np.linalg.norm(disagreement, 2) <= 1e-6 * (1 + 1e-9) + 1e-15


@pytest.mark.parametrize("kind", ["complete", "star", "small-world", "grid"])
def test_the_sparse_eigenvalue_is_the_dense_one(kind):
    matrix = metropolis(generate(kind, 210, seed=0))
    dense = np.sort(np.abs(np.linalg.eigvalsh(matrix.toarray())))[-2]
    assert second_eigenvalue(matrix) == pytest.approx(dense, abs=1e-8)


TIMED = "round,tail,head\n1,b,a\n# later\n4, b, c\n1,c,d\n4,d,a\n"


def test_a_timed_edge_list_says_which_links_are_up_from_when(tmp_path):
    (tmp_path / "graph.csv").write_text(TIMED)
    topology, when = read_schedule(tmp_path / "graph.csv")
    name = np.array(topology.names)
    found = [{"".join(sorted(pair)) for pair in zip(name[topology.tail[up]], name[topology.indices[up]], strict=True)}
             for up in map(when.exists, range(5))]  # fmt: skip
    assert topology.names == ("b", "a", "c", "d")
    assert found == [{"ab", "cd"}] * 3 + [{"bc", "ad"}] * 2
    assert names_rounds(tmp_path / "graph.csv")
    assert same(read_topology(tmp_path / "graph.csv"), topology)


@pytest.mark.parametrize("text", ["a,b\n", "tail,head,weight\na,b,1\n", "# round,tail,head\na,b\n"])
def test_an_edge_list_without_rounds_is_no_schedule(tmp_path, text):
    (tmp_path / "graph.csv").write_text(text)
    assert not names_rounds(tmp_path / "graph.csv")
    with pytest.raises(ValueError, match="names no rounds; its first line must be: round,tail,head"):
        read_schedule(tmp_path / "graph.csv")


@pytest.mark.parametrize(
    "text, message",
    [
        ("round,tail,head\n", "has no edges; it needs lines such as: 1,tail,head"),
        ("round,tail,head\n1,a,b\n2,a\n", "line 3: an edge needs 3 columns \\(round, tail and head\\).* got '2,a'"),
        ("round,tail,head\n\n0,a,b\n", "line 3: a round must be a whole number from 1 on; got '0'"),
        ("round tail head\n1.5 a b\n", "line 2: a round must be .* got '1.5'"),
    ],
)
def test_a_bad_timed_edge_list_is_refused_with_its_line(tmp_path, text, message):
    (tmp_path / "graph.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_schedule(tmp_path / "graph.csv")
