"""Laws of the fast paths of exchange: each equals the plain one to the bit, on any number of ranks, meter and all.

Run as a program on several ranks, this file saves what the fast paths give into the folder that it is given.
"""

import sys
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from coolgp.network.generate import generate
from coolgp.network.partition import cut, partition
from coolgp.network.route import Route
from coolgp.network.sweep import Sweep, plan_sweep
from coolgp.network.topology import Topology, from_edges, spanning_tree
from coolgp.network.transport import SerialTransport, Transport

KINDS = [("ring", 13), ("star", 12), ("small-world", 40), ("geometric", 1300), ("ring", 2), ("ring", 1)]


def tree_of(kind: str, size: int) -> Topology:
    return spanning_tree(generate(kind, size, seed=4))


# Sweeps


def turns_of(transport: Transport, sweep: Sweep) -> np.ndarray:
    """[E] the round in which each edge speaks."""
    turn = np.zeros(len(transport.shard.tail), dtype=int)
    for number, step in enumerate(sweep.steps, start=1):
        turn[step.route.edges] = number
    return turn


def same_routes(one: Route, other: Route) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(Route))


def check_steps(transport: Transport) -> None:
    """Every step is what the transport itself would plan for the edges that speak then; answers come last."""
    sweep = plan_sweep(transport)
    turn = turns_of(transport, sweep)
    coming = transport.swap(turn)
    for number, step in enumerate(sweep.steps, start=1):
        assert same_routes(step.route, transport.route(turn == number))
        final = coming[step.route.arrivals] > turn[step.route.arrivals]
        assert np.flatnonzero(final).tolist() == step.final.tolist()
        assert np.flatnonzero(~final).tolist() == step.partial.tolist()


@pytest.mark.parametrize("kind, size", KINDS)
def test_steps_of_a_sweep_are_what_the_transport_plans_for_their_edges(kind, size):
    check_steps(SerialTransport(tree_of(kind, size)))


@pytest.mark.parametrize("kind, size", KINDS)
def test_planning_a_sweep_sends_nothing(kind, size):
    transport = SerialTransport(tree_of(kind, size))
    plan_sweep(transport)
    assert transport.meter.messages == transport.meter.bytes == 0


def test_a_cycle_with_branches_is_refused():
    cycle = from_edges([0, 1, 2, 0, 3], [1, 2, 0, 3, 4], 5)
    with pytest.raises(ValueError, match="a sweep needs a tree; this graph has a cycle"):
        plan_sweep(SerialTransport(cycle))


# The locality order


def test_the_parts_of_a_tree_hang_on_each_other_by_few_links():
    tree = tree_of("small-world", 5000)
    assert cut(tree, partition(tree, 8)) < 0.02


def test_pieces_with_as_many_links_as_a_tree_are_ordered_all():
    pieces = from_edges([0, 1, 2, 3], [1, 2, 0, 4], 5)
    assert sorted(pieces.order) == list(range(5))


# On ranks


def found(transport: Transport) -> dict[str, np.ndarray]:
    """What the fast paths give, on the root."""
    shard = transport.shard
    key = shard.agents[shard.tail] * shard.size + shard.head_agent
    turn = turns_of(transport, plan_sweep(transport))
    return {"turn": transport.gather_rows(turn, key)}


def main(folder: str) -> None:
    from coolgp.network.mpi import MPITransport, world

    for kind, size in KINDS:
        if size >= world().size:
            tree = tree_of(kind, size)
            transport = MPITransport(tree, partition(tree, world().size))
            check_steps(transport)
            arrays = found(transport)
            if transport.root:
                np.savez(Path(folder) / f"{kind}-{size}.npz", **arrays)


@cache
def serial(kind: str, size: int) -> dict[str, np.ndarray]:
    return found(SerialTransport(tree_of(kind, size)))


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
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
