"""Laws of the fast paths of exchange: each equals the plain one to the bit, on any number of ranks, meter and all.

Run as a program on several ranks, this file saves what the fast paths give into the folder that it is given.
"""

import sys
from copy import deepcopy
from dataclasses import astuple, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from coolgp.fusion.sums import averaging
from coolgp.fusion.sums.averaging import column_blocks, mix
from coolgp.fusion.sums.base import SumRule
from coolgp.fusion.sums.chebyshev import Chebyshev
from coolgp.fusion.sums.consensus import Consensus
from coolgp.fusion.sums.push_sum import PushSum
from coolgp.network.graphs.connectivity import spanning_tree
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import Topology, from_edges
from coolgp.network.links.faults import PERFECT
from coolgp.network.mixing import local_mixing
from coolgp.network.partition import cut, partition
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport
from coolgp.network.tree_sum import TreeSum, plan_tree_sum

KINDS = [("ring", 13), ("star", 12), ("small-world", 40), ("geometric", 1100), ("ring", 2), ("ring", 1)]


def tree_of(kind: str, size: int) -> Topology:
    return spanning_tree(generate(kind, size, seed=4))


# Several rounds in a pass

RULES = {
    "consensus": Consensus(),
    "one weight": Consensus(weights="max-degree"),
    "chebyshev": Chebyshev(),
    "push-sum": PushSum(),
}
KEPT = {"chebyshev": ("estimate", "values", "before", "ratio"), "push-sum": ("mass", "values")}
COLUMNS = 128 + 5  # two blocks of columns, the last one narrow
PASSES = (1, 3, 2)  # rounds in a pass


def contributions(transport: Transport, dtype: str, seed: int = 0) -> np.ndarray:
    """Numbers that belong to the agents, whichever rank holds them; zeros of both signs among them."""
    values = np.random.default_rng(seed).normal(size=(transport.shard.size, COLUMNS))
    values[:, :3] = [0.0, -0.0, 1e-310]
    return values[transport.shard.agents].astype(dtype)


def passes(rule: SumRule, transport: Transport, dtype: str, verb) -> list:
    """Copies of states, and meters, after passes with contributions that change before each but the last."""
    values = contributions(transport, dtype)
    state, results = rule.begin(values, transport), []
    for number, count in enumerate(PASSES):
        if number != len(PASSES) - 1:
            values = values + contributions(transport, dtype, number + 1)
        before = astuple(transport.meter)
        state = verb(rule)(state, values, transport, count)
        results += [(deepcopy(state), np.subtract(astuple(transport.meter), before))]
    return results


def one_by_one(rule: SumRule):
    return lambda *arguments: SumRule.rounds(rule, *arguments)


def check_passes(transport: Transport, links: Topology, name: str, dtype: str) -> np.ndarray:
    """Passes equal rounds one by one, meter and all, and what is float32 stays so."""
    rule = RULES[name].fit(links, PERFECT)
    fast = passes(rule, transport, dtype, lambda rule: rule.rounds)
    plain = passes(rule, transport, dtype, one_by_one)
    for (one, counted), (other, expected) in zip(fast, plain, strict=True):
        for part in KEPT.get(name, ("estimate", "values")):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part), strict=True)
        assert rule.sums(one).dtype == dtype
        assert counted.tolist() == expected.tolist()
    return rule.sums(fast[-1][0])


@pytest.mark.parametrize("name, dtype", [(name, dtype) for name in RULES for dtype in ("float64", "float32")])
@pytest.mark.parametrize("kind, size", KINDS)
def test_rounds_in_one_pass_are_rounds_one_by_one(kind, size, name, dtype):
    graph = generate(kind, size, seed=4)
    check_passes(SerialTransport(graph), graph, name, dtype)


@pytest.mark.parametrize("name", RULES)
def test_a_pass_of_no_rounds_changes_nothing(name):
    graph = generate("ring", 9, seed=0)
    transport, rule = SerialTransport(graph), RULES[name].fit(graph, PERFECT)
    values = contributions(transport, "float64")
    state = rule.begin(values, transport)
    assert rule.rounds(state, values + 1, transport, 0) is state
    assert transport.meter.rounds == transport.meter.messages == 0


@pytest.mark.parametrize("shape", [(1, 1), (3, 1000), (10_000, 1000), (400_000, 70)])
def test_blocks_hold_every_column_once(shape):
    columns = np.concatenate([np.arange(shape[1])[block] for block in column_blocks(*shape, itemsize=4)])
    assert columns.tolist() == list(range(shape[1]))


def test_ranks_with_different_numbers_of_agents_exchange_the_same_blocks(monkeypatch):
    """Else they would wait for each other for ever; blocks that are as small as these show it with few agents."""
    monkeypatch.setattr(averaging, "BLOCK_BYTES", 80 * 104)
    monkeypatch.setattr(averaging, "LEAST_BYTES", 0)
    blocks = [blocks_exchanged(share) for share in (20, 10)]
    assert blocks[0] == blocks[1]
    assert len(blocks[0]) > 1


def blocks_exchanged(share: int) -> list[slice]:
    """What a rank of two that holds so many of 30 agents exchanges in one average."""
    transport, blocks = SerialTransport(generate("ring", 30, seed=0)), []
    transport.ranks = 2
    mixing, values = local_mixing(transport.shard), np.zeros((share, 300))
    averaging.average_blocks(lambda columns, _: blocks.append(columns), values, mixing, transport, 1)
    return blocks


def check_overlap(transport: Transport) -> None:
    """Averaging while rows are on their way is the product with all rows; the way is used once."""
    values, mixing = contributions(transport, "float64"), local_mixing(transport.shard)
    calls: list[int] = []
    known = transport.halo(values, meanwhile=lambda: calls.append(1))
    assert len(calls) == 1
    np.testing.assert_array_equal(mix(values, mixing, transport), mixing.matrix @ known, strict=True)
    room = np.empty_like(known)
    np.testing.assert_array_equal(mix(values, mixing, transport, room), mixing.matrix @ known, strict=True)
    np.testing.assert_array_equal(room, known)


@pytest.mark.parametrize("kind, size", KINDS)
def test_averaging_on_the_way_is_averaging_afterwards(kind, size):
    check_overlap(SerialTransport(generate(kind, size, seed=4)))


# Sweeps


def check_tree_sum(transport: Transport) -> TreeSum:
    """Every agent's row is added once; all ranks end with the sum, and count a message for each directed edge."""
    tree_sum, shard = plan_tree_sum(transport), transport.shard
    values = np.random.default_rng(3).integers(-9, 9, (shard.size, 2))[shard.agents].astype(float)
    before = replace(transport.meter)
    whole = tree_sum.run(values.copy(), transport)
    np.testing.assert_array_equal(whole, transport.allsum(values))
    sent = transport.meter - before
    assert (sent.messages, sent.bytes) == (len(shard.tail), len(shard.tail) * 16)
    assert sent.near_bytes == np.count_nonzero(shard.reverse >= 0) * 16
    assert sent.near_bytes + sent.far_bytes == sent.bytes
    return tree_sum


@pytest.mark.parametrize("kind, size", KINDS)
def test_a_sweep_adds_every_agent_once_with_one_message_a_directed_edge(kind, size):
    check_tree_sum(SerialTransport(tree_of(kind, size)))


@pytest.mark.parametrize("kind, size", KINDS)
def test_a_sweep_adds_with_the_bits_of_round_by_round(kind, size):
    """In each round the rows that come are added to their receivers' in the order of their slots."""
    transport = SerialTransport(tree_of(kind, size))
    shard, tree_sum = transport.shard, plan_tree_sum(transport)
    values = contributions(transport, "float64")
    sums, coming = values.copy(), transport.swap(tree_sum.sends)
    for number in range(1, tree_sum.rounds + 1):
        told = sums.copy()
        for slot in np.flatnonzero((coming == number) & (coming <= tree_sum.sends)):
            sums[shard.tail[slot]] += told[shard.head[slot]]
    np.testing.assert_array_equal(tree_sum.run(values.copy(), transport), sums[tree_sum.middle])


@pytest.mark.parametrize("kind, size", KINDS)
def test_planning_a_sweep_sends_nothing(kind, size):
    transport = SerialTransport(tree_of(kind, size))
    plan_tree_sum(transport)
    assert transport.meter.messages == transport.meter.bytes == 0


def test_a_cycle_with_branches_is_refused():
    cycle = from_edges([0, 1, 2, 0, 3], [1, 2, 0, 3, 4], 5)
    with pytest.raises(ValueError, match="a tree sum needs a tree; this graph has a cycle"):
        plan_tree_sum(SerialTransport(cycle))


# The locality order


def test_the_parts_of_a_tree_hang_on_each_other_by_few_links():
    tree = tree_of("small-world", 5000)
    assert cut(tree, partition(tree, 8)) < 0.02


def test_pieces_with_as_many_links_as_a_tree_are_ordered_all():
    pieces = from_edges([0, 1, 2, 3], [1, 2, 0, 4], 5)
    assert sorted(pieces.order) == list(range(5))


# On ranks


def results(make, kind: str, size: int) -> dict[str, np.ndarray]:
    """What the fast paths give, on the root; where they differ from the plain ones, it fails."""
    graph, tree = generate(kind, size, seed=4), tree_of(kind, size)
    transport, small = make(graph), make(tree)
    check_overlap(transport)
    tree_sum = check_tree_sum(small)
    key = small.shard.agents[small.shard.tail] * size + small.shard.head_agent
    arrays = {"turn": small.gather_rows(tree_sum.sends, key)}
    for name, dtype in (("consensus", "float32"), ("chebyshev", "float64"), ("push-sum", "float64")):
        arrays[name] = transport.gather(check_passes(transport, graph, name, dtype))
    meter = transport.meter
    arrays["meter"] = transport.total(np.array([meter.messages, meter.bytes, meter.near_bytes + meter.far_bytes]))
    return arrays


def main(folder: str) -> None:
    from coolgp.network.mpi import MPITransport, world

    for kind, size in KINDS:
        if size >= world().size:
            arrays = results(lambda links: MPITransport(links, partition(links, world().size)), kind, size)
            if world().rank == 0:
                np.savez(Path(folder) / f"{kind}-{size}.npz", **arrays)


@cache
def serial(kind: str, size: int) -> dict[str, np.ndarray]:
    return results(SerialTransport, kind, size)


@pytest.mark.parametrize("ranks", [pytest.param(2, marks=pytest.mark.slow), 3])
def test_fast_paths_give_the_same_bits_on_any_number_of_ranks(on_ranks, tmp_path, ranks):
    done = on_ranks(ranks, Path(__file__), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for kind, size in KINDS:
        if size >= ranks:
            with np.load(tmp_path / f"{kind}-{size}.npz") as arrays:
                for name, expected in serial(kind, size).items():
                    np.testing.assert_array_equal(arrays[name], expected, err_msg=f"{kind}: {name}", strict=True)


if __name__ == "__main__":
    main(sys.argv[1])
