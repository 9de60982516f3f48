"""Files of graphs as people and networkx write them: read as they are meant, or refused in one sentence."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from coolgp.network.graphs.files import SUFFIXES, names_rounds, read_topology
from coolgp.network.graphs.interchange import from_networkx
from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.config.sections.network import TOPOLOGY_SUFFIXES

TOWNS = ("Lille, FR", "Graz #2", "node#7", "plain", "two words")


def links(graph: Topology) -> set[tuple[str, ...]]:
    names = np.array(graph.names)
    return {tuple(sorted(pair)) for pair in zip(names[graph.tail], names[graph.indices], strict=True)}


def ring(weight: float | None = None) -> nx.Graph:
    graph = nx.Graph(nx.cycle_graph(["p", "q", "r", "s"]).edges)
    if weight is not None:
        nx.set_edge_attributes(graph, weight, "weight")
    return graph


def test_the_scenario_and_the_reader_know_the_same_suffixes():
    assert set(SUFFIXES) == set(TOPOLOGY_SUFFIXES)


@pytest.mark.parametrize("weight", [None, 2.5])
@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("g.edgelist", nx.write_edgelist),
        ("g.txt", nx.write_edgelist),
        ("g.csv", lambda graph, path: nx.write_edgelist(graph, path, delimiter=",")),
        ("g.gml", nx.write_gml),
        ("g.graphml", nx.write_graphml),
    ],
)
def test_what_networkx_writes_is_read(tmp_path, name, write, weight):
    write(ring(weight), tmp_path / name)
    found = read_topology(tmp_path / name)
    assert links(found) == links(from_networkx(ring(weight)))
    assert (found.weight is None) == (weight is None)
    assert found.weight is None or set(found.weight) == {weight}


def test_numbered_gml_nodes_without_labels_are_read(tmp_path):
    (tmp_path / "g.gml").write_text("graph [ node [ id 3 ] node [ id 5 ] edge [ source 3 target 5 ] ]")
    assert read_topology(tmp_path / "g.gml").names == ("3", "5")


def test_labels_may_hold_commas_spaces_and_number_signs(tmp_path):
    pairs = list(pairwise(TOWNS))
    for suffix, between in ((".csv", ","), (".csv", ", "), (".txt", " "), (".txt", "\t")):
        lines = [f'"{a}"{between}"{b}"' for a, b in pairs]
        (tmp_path / f"g{suffix}").write_text("\n".join(["# towns", *lines, '"plain"' + between + '"node#7" # again']))
        found = read_topology(tmp_path / f"g{suffix}")
        assert found.names == TOWNS
        assert len(links(found)) == 4
    (tmp_path / "bare.csv").write_text("u#1,u#2\nu#2,#3\n")
    assert read_topology(tmp_path / "bare.csv").names == ("u#1", "u#2", "#3")


@pytest.mark.parametrize("first", ["u,v,2.O", "u,v,-", "u,v,l", "u,v,1_0", "u,v,0x2", "u,v,1;5"])
def test_a_slip_in_the_first_line_is_no_header(tmp_path, first):
    (tmp_path / "g.csv").write_text(f"{first}\nv,w,1\nw,u,1\n")
    with pytest.raises(ValueError, match="line 1: a weight must be"):
        read_topology(tmp_path / "g.csv")


@pytest.mark.parametrize("first", ["city,other city,km", "tail,head,weight", "node1,node2,w", "begin,end,length2"])
def test_a_header_is_no_link(tmp_path, first):
    (tmp_path / "g.csv").write_text(f"{first}\nu,v,1\nv,w,1\n")
    assert read_topology(tmp_path / "g.csv").names == ("u", "v", "w")


KEYS = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="w" for="edge" attr.name="weight" attr.type="double"><default>1.5</default></key>
<key id="x" for="node" attr.name="x" attr.type="double"><default>0</default></key>
<key id="y" for="node" attr.name="y" attr.type="double"/>
<graph edgedefault="undirected"><node id="u"><data key="y">{}</data></node>
<node id="v"><data key="x">4</data><data key="y">3</data></node><node id="t"><data key="y">1</data></node>
<edge source="u" target="v"><data key="w">7</data></edge><edge source="v" target="t"/></graph></graphml>"""


def test_defaults_of_graphml_are_values(tmp_path):
    (tmp_path / "g.graphml").write_text(KEYS.format(2))
    found = read_topology(tmp_path / "g.graphml")
    assert sorted(found.weight) == [1.5, 1.5, 7, 7]
    assert found.position.tolist() == [[0, 2], [4, 3], [0, 1]]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_positions_that_are_not_finite_are_refused(tmp_path, value):
    (tmp_path / "g.graphml").write_text(KEYS.format(value.replace("inity", "").replace("I", "i")))
    with pytest.raises(ValueError, match="Positions must be finite; those of 1 of 3"):
        read_topology(tmp_path / "g.graphml")


@pytest.mark.parametrize("place", [5, "here", (1, 2, 3), (1,)])
def test_positions_of_another_form_are_refused(place):
    graph = nx.Graph([("u", "v")])
    nx.set_node_attributes(graph, place, "pos")
    with pytest.raises(ValueError, match="position"):
        from_networkx(graph)


def test_an_unknown_encoding_is_refused(tmp_path):
    (tmp_path / "g.graphml").write_text('<?xml version="1.0" encoding="no-such-8"?><graphml/>')
    with pytest.raises(ValueError, match="not valid GraphML"):
        read_topology(tmp_path / "g.graphml")


SEEDS = {
    ".csv": 'tail,head,weight\na,b,1.5\n"c, d",b,2 # far\na,"c, d",1\n',
    ".txt": "a b {'weight': 2}\nb c {'weight': 1}\n",
    ".edges": "round,tail,head\n1,b,a\n4,b,c\n",
    ".graphml": KEYS.format(2),
    ".gml": 'graph [\nnode [ id 0 label "a" ] node [ id 1 label "b" x 1.0 y 2]\nedge [ source 0 target 1 weight 2 ]\n]',
}
PIECES = (
    '"',
    ",",
    "{",
    "}",
    "[",
    "]",
    "\0",
    "#",
    "\n",
    "9" * 30,
    "-1",
    "nan",
    "<",
    ">",
    "&",
    "'",
    " ",
    "é",
    "[" * 400,
    "1e999",
)


@pytest.mark.parametrize("suffix", SEEDS)
@pytest.mark.parametrize("tries", [60, pytest.param(1_200, marks=pytest.mark.slow)])
def test_no_damaged_graph_gives_a_traceback(tmp_path, suffix, tries):
    rng, path, seed = np.random.default_rng(tries), tmp_path / f"g{suffix}", SEEDS[suffix]
    for _ in range(tries):
        text = seed
        for at in rng.integers(len(seed), size=rng.integers(1, 5)).tolist():
            text = text[:at] + PIECES[rng.integers(len(PIECES))] + text[at + int(rng.integers(6)) :]
        path.write_text(text)
        try:
            names_rounds(path)
            assert read_topology(path).size > 0
        except ValueError as problem:
            assert len(str(problem)) < 1000  # noqa: PT017
