"""Laws of partitions and shards."""

import sys

import numpy as np
import pytest

from coolgp.network.graphs.generate import GENERATORS, generate
from coolgp.network.mixing import local_metropolis, metropolis
from coolgp.network.partition import METHODS, blocks_of, cut, partition
from coolgp.network.sharding import build_shard

CASES = [("ring", 1, 1), ("star", 30, 3), ("small-world", 40, 4), ("geometric", 2500, 3), ("random-tree", 1500, 2)]
pytest.importorskip("pymetis", reason='METIS needs pip install "coolgp[partition]"')


@pytest.fixture(params=[(*case, method) for case in CASES for method in METHODS], ids=str)
def divided(request):
    kind, size, ranks, method = request.param
    topology = generate(kind, size, seed=2)
    owner = partition(topology, ranks, method)
    return topology, owner, [build_shard(topology, owner, rank) for rank in range(ranks)]


@pytest.mark.parametrize("size", [1, 2, 5, 30])
@pytest.mark.parametrize("kind", GENERATORS)
def test_the_locality_order_is_a_permutation(kind, size):
    assert sorted(generate(kind, size, seed=0).order) == list(range(size))


def test_the_locality_order_is_a_permutation_of_one_agent():
    assert generate("ring", 1, seed=0).order.tolist() == [0]


def test_every_rank_owns_whole_blocks_and_at_least_one(divided):
    topology, owner, shards = divided
    assert set(owner) == set(range(len(shards)))
    block = blocks_of(topology)
    assert len(np.unique(np.stack([block, owner]), axis=1).T) == block.max() + 1


def test_shards_cover_all_agents_and_edges_once(divided):
    topology, _, shards = divided
    assert sorted(np.concatenate([s.agents for s in shards])) == list(range(topology.size))
    edges = {(i, j) for s in shards for i, j in zip(s.agents[s.tail], s.head_agent, strict=True)}
    assert len(edges) == sum(len(s.tail) for s in shards)
    assert edges == set(zip(topology.tail, topology.indices, strict=True))


def test_edges_stand_by_tail_then_by_the_id_of_the_head(divided):
    for s in divided[2]:
        assert (np.lexsort((s.head_agent, s.tail)) == np.arange(len(s.tail))).all()


def test_heads_owners_and_degrees_are_those_of_the_graph(divided):
    topology, owner, shards = divided
    for s in shards:
        known = np.concatenate([s.agents, s.halo])
        assert (known[s.head] == s.head_agent).all()
        assert (s.owner == owner[s.head_agent]).all()
        assert (s.degree == topology.degree[known]).all()


def test_the_reverse_of_a_local_edge_goes_back(divided):
    for s in divided[2]:
        near = s.reverse >= 0
        assert (near == (s.head < len(s.agents))).all()
        assert (s.tail[s.reverse[near]] == s.head[near]).all()
        assert (s.head[s.reverse[near]] == s.tail[near]).all()


def test_blocks_are_the_same_for_any_number_of_ranks(divided):
    topology, _, shards = divided
    whole = build_shard(topology, np.zeros(topology.size, dtype=int), 0)
    expected = {number: whole.agents[start:stop].tolist() for number, start, stop in whole.blocks}
    owners = {number: s.agents[start:stop].tolist() for s in shards for number, start, stop in s.blocks}
    assert owners == expected
    assert all(s.block_count == len(expected) for s in shards)


def test_local_metropolis_rows_are_those_of_the_whole(divided):
    topology, _, shards = divided
    value = np.random.default_rng(0).normal(size=topology.size)
    expected = metropolis(topology) @ value
    for s in shards:
        mixed = local_metropolis(s) @ value[np.concatenate([s.agents, s.halo])]
        assert (mixed == expected[s.agents]).all()  # in bits: rows add in the order of the graph


def test_metis_cuts_less_than_chance():
    graph = generate("geometric", 3000, seed=0)
    assert cut(graph, partition(graph, 4, "metis")) <= cut(graph, partition(graph, 4)) < 0.2
    assert cut(graph, np.zeros(3000)) == 0


def test_more_ranks_than_agents_are_refused():
    with pytest.raises(ValueError, match="3 agents in 3 blocks need between 1 and 3 ranks; got 4"):
        partition(generate("ring", 3, seed=0), 4)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="one of contiguous, metis; got 'magic'"):
        partition(generate("ring", 3, seed=0), 2, "magic")


def test_without_pymetis_the_fix_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymetis", None)
    with pytest.raises(ValueError, match=r'pip install "coolgp\[partition\]"'):
        partition(generate("ring", 9, seed=0), 2, "metis")


def test_a_divided_block_is_refused():
    graph = generate("ring", 2000, seed=0)
    with pytest.raises(ValueError, match="whole blocks of 8 agents"):
        build_shard(graph, np.arange(2000) % 2, 0)
