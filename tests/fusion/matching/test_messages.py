"""Laws of matching by messages: the same as in one process, to the last bit, on any number of ranks.

Run as a program on several ranks, this file saves what owners end with into the folder that it is given.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from coolgp.fusion.matching.core.atoms import Atoms, gathered
from coolgp.fusion.matching.core.gains import Criterion
from coolgp.fusion.matching.core.merges import matched_along, walked
from coolgp.fusion.matching.core.over_graph import tree_parents
from coolgp.fusion.matching.core.prior import BetaBernoulli
from coolgp.fusion.matching.core.rooted import rooted_tree
from coolgp.fusion.matching.core.sweeps import Partition, first_pass
from coolgp.fusion.matching.core.vectors import Vectors
from coolgp.fusion.matching.messages.matching import STARTS, MatchedApart, Owners, kept_labels, matched_by_messages
from coolgp.fusion.matching.messages.passes import TreeLinks, Underway, summed
from coolgp.network.graphs.generate import generate
from coolgp.network.partition import partition
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

from tests.fusion.matching.problems import partition_of, random_vectors

SIZES = (3, 2, 4, 0, 1, 5, 2, 3, 1)
GRAPHS = {kind: generate(kind, len(SIZES), seed=1) for kind in ("ring", "star", "random-tree", "small-world")}
CRITERIA = [Criterion(BetaBernoulli(mass), marginal) for mass, marginal in ((1.0, True), (50.0, False), (0.01, True))]
CASES = [(graph, start, sweeps) for graph in GRAPHS for start in STARTS for sweeps in (0, 1, 6)]
ON_RANKS = CASES[2::5]


@cache
def problem(seed: int = 0) -> Vectors:
    return random_vectors(seed, sizes=SIZES)


def only(vectors: Vectors, group: int) -> Vectors:
    return replace(vectors, values=vectors.values[group : group + 1], precision=vectors.precision[group : group + 1])


def links_of(graph: str, transport: Transport) -> TreeLinks:
    return TreeLinks(rooted_tree(tree_parents(GRAPHS[graph])), transport)


def matched(graph: str, start: str, sweeps: int, transport: Transport) -> list[MatchedApart]:
    """All matchings of this problem, in the same messages."""
    own = [only(problem(), agent) for agent in transport.shard.agents.tolist()]
    owners = Owners([own] * len(CRITERIA), CRITERIA, links_of(graph, transport))
    return Underway(matched_by_messages(owners, STARTS[start], sweeps)).settle()


def in_one_process(graph: str, start: str, sweeps: int, criterion: Criterion) -> Partition:
    tree = rooted_tree(tree_parents(GRAPHS[graph]))
    if start == "tree":
        return matched_along(problem(), criterion, tree.parents, sweeps)[0]
    found = first_pass(problem(), criterion, tree.walk)
    for _ in range(sweeps):
        found = walked(found, problem(), criterion, tree.walk)
    return found


def same(found: Atoms, expected: Atoms) -> None:
    for name in ("shift", "precision", "counts"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("graph, start, sweeps", CASES)
def test_messages_end_where_one_process_does_to_the_last_bit(graph: str, start: str, sweeps: int) -> None:
    transport = SerialTransport(GRAPHS[graph])
    order = np.argsort(transport.shard.agents)
    for found, criterion in zip(matched(graph, start, sweeps, transport), CRITERIA, strict=True):
        expected = in_one_process(graph, start, sweeps, criterion)
        same(found.atoms, expected.atoms)
        for place, labels in zip(order, expected.labels, strict=True):
            np.testing.assert_array_equal(found.labels[place], labels)


def test_a_token_changes_something_here_and_stops_once_nothing_is_left_to_change() -> None:
    byte_counts = []
    for sweeps in (0, 6, 60):
        transport = SerialTransport(GRAPHS["ring"])
        byte_counts.append((matched("ring", "tree", sweeps, transport), transport.meter.bytes)[1])
    few, more = (in_one_process("ring", "tree", sweeps, CRITERIA[2]) for sweeps in (0, 6))
    assert partition_of(few.labels) != partition_of(more.labels)
    assert byte_counts[0] < byte_counts[1] <= byte_counts[2] < 2 * byte_counts[1]


def test_merges_send_three_messages_over_each_link_and_a_walk_two() -> None:
    for sweeps, messages in ((0, 3), (1, 5)):
        transport = SerialTransport(GRAPHS["ring"])
        matched("ring", "tree", sweeps, transport)
        assert transport.meter.messages == messages * (len(SIZES) - 1)


@pytest.mark.parametrize("start, sweeps", [("tree", 1), ("token", 2)])
def test_rounds_may_be_run_a_few_at_a_time(start: str, sweeps: int) -> None:
    transport = SerialTransport(GRAPHS["small-world"])
    own = [only(problem(), agent) for agent in transport.shard.agents.tolist()]
    owners = Owners([own], CRITERIA[:1], links_of("small-world", transport))
    underway = Underway(matched_by_messages(owners, STARTS[start], sweeps))
    assert transport.meter.rounds == 0
    while underway.result is None:
        before = transport.meter.rounds
        underway.run(3)
        assert before < transport.meter.rounds <= before + 3
    other = SerialTransport(GRAPHS["small-world"])
    expected = Underway(
        matched_by_messages(Owners([own], CRITERIA[:1], links_of("small-world", other)), STARTS[start], sweeps)
    ).settle()
    same(underway.result[0].atoms, expected[0].atoms)
    assert transport.meter == other.meter


def test_owners_who_kept_their_labels_start_from_them() -> None:
    transport = SerialTransport(GRAPHS["star"])
    expected = in_one_process("star", "tree", 0, CRITERIA[1])
    agents = transport.shard.agents.tolist()
    labels = [[expected.labels[agent] for agent in agents]]
    owners = Owners([[only(problem(), agent) for agent in agents]], CRITERIA[1:2], links_of("star", transport))
    (found,) = Underway(
        matched_by_messages(owners, kept_labels(labels, [len(expected.atoms.counts)]), sweeps=0)
    ).settle()
    again = gathered(problem(), expected.labels)
    np.testing.assert_allclose(found.atoms.shift, again.shift, atol=1e-12)
    np.testing.assert_allclose(found.atoms.precision, again.precision, atol=1e-12)
    np.testing.assert_array_equal(found.atoms.counts, again.counts)
    for own, kept in zip(found.labels, labels[0], strict=True):
        np.testing.assert_array_equal(own, kept)


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_sum_reaches_everybody(graph: str) -> None:
    transport = SerialTransport(GRAPHS[graph])
    rows = np.random.default_rng(0).normal(size=(len(SIZES), 3))
    total = Underway(summed(rows[transport.shard.agents], links_of(graph, transport))).settle()
    np.testing.assert_allclose(total, rows.sum(axis=0), atol=1e-12)


def ended(graph: str, start: str, sweeps: int, transport: Transport) -> dict[str, np.ndarray]:
    """What owners end with and what was sent, by name; labels of agents whom other ranks have are none."""
    results = {"meter": transport.total(np.array([transport.meter.messages, transport.meter.bytes]))}
    for number, one in enumerate(matched(graph, start, sweeps, transport)):
        results |= {f"{number} {name}": getattr(one.atoms, name) for name in ("shift", "precision", "counts")}
        owned = zip(transport.shard.agents.tolist(), one.labels, strict=True)
        results |= {f"{number} labels of {agent}": labels for agent, labels in owned}
    counted = transport.total(np.array([transport.meter.messages, transport.meter.bytes]))
    return results | {"meter": counted, "rounds": np.array(transport.meter.rounds)}


def main(folder: str) -> None:
    from coolgp.network.mpi import MPITransport, world

    for case in ON_RANKS:
        topology = GRAPHS[case[0]]
        transport = MPITransport(topology, partition(topology, world().size))
        np.savez(Path(folder) / f"{'-'.join(map(str, case))}-{world().rank}.npz", **ended(*case, transport))


@pytest.mark.parametrize("ranks", [pytest.param(2, marks=pytest.mark.slow), 3])
def test_any_number_of_ranks_ends_where_one_does(
    ranks: int, tmp_path: Path, on_ranks: Callable[..., CompletedProcess[str]]
) -> None:
    done = on_ranks(ranks, Path(__file__), tmp_path)
    assert done.returncode == 0, done.stderr
    for case in ON_RANKS:
        expected = ended(*case, SerialTransport(GRAPHS[case[0]]))
        seen: set[str] = set()
        for rank in range(ranks):
            with np.load(tmp_path / f"{'-'.join(map(str, case))}-{rank}.npz") as results:
                for name in results:
                    np.testing.assert_array_equal(results[name], expected[name], err_msg=f"{case} {name}")
                seen |= set(results)
        assert seen == set(expected)


if __name__ == "__main__":
    main(sys.argv[1])
