"""Laws of the rules that count agents one by one: the same bits on any number of ranks, and from a stored state.

Run as a program on several ranks, this file saves what every rule ends with into the folder that it is given.
"""

import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from coolgp.fusion.sums.flood import Flood
from coolgp.fusion.sums.growing_tree import GrowingTree
from coolgp.fusion.sums.server import Server
from coolgp.fusion.sums.tree import Tree
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.schedule import scheduled
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import Faults
from coolgp.network.partition import partition
from coolgp.network.row_axes import rows_of, with_rows
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

RULES = {
    "tree": Tree(), "growing tree": GrowingTree(), "flood": Flood(patience=2),
    "server": Server(), "server that asks again": Server(repeat=True),
}  # fmt: skip
FAULTS = {
    "plain": None,
    "lossy": Faults(loss=0.3, burst=2.0),
    "late and slow": Faults(loss=0.1, delay=1.0, delays="geometric", bandwidth=200),
    "coming and going": Faults(loss=0.1, churn=0.2, moving=True, one_way=0.3),
    "lying": Faults(byzantine=2),
}
CASES = [(rule, fault) for rule in RULES for fault in FAULTS]
METHODS = ("contiguous", "metis") if find_spec("pymetis") else ("contiguous",)
AGENTS, ROUNDS = 13, 6
BASE = generate("small-world", AGENTS, seed=2)
ENDS = np.stack([BASE.tail, BASE.indices], axis=1)[BASE.tail < BASE.indices]
GRAPH, SCHEDULE = scheduled([0, 2, 4], [ENDS, ENDS[::2], ENDS[1:]], AGENTS)


def over(inner: Transport, fault: str) -> Transport:
    faults = FAULTS[fault]
    if faults is None:
        return inner
    return FaultyTransport(inner, Dynamics(GRAPH, faults, 5, SCHEDULE if faults.moving else None), faults, 5)


def values(turn: int, transport: Transport) -> np.ndarray:
    """What agents contribute belongs to their ids, whichever rank holds them."""
    return np.random.default_rng(turn // 2).normal(size=(AGENTS, 3))[transport.shard.agents]


def gone_on(state, rule, transport: Transport, turns: range):
    for turn in turns:
        transport.advance(turn)
        for _ in range(2):
            state = rule.round(state, values(turn, transport), transport)
    return state


def ended(inner: Transport, rule_name: str, fault: str) -> dict[str, np.ndarray | None]:
    """All that a rule keeps, by agent and by edge, and the messages, on the root."""
    transport, rule, shard = over(inner, fault), RULES[rule_name], inner.shard
    state = rule.begin(values(0, transport), transport)
    if fault == "plain":
        state = rule.settle(state, values(0, transport), transport)
    state = gone_on(state, rule, transport, range(ROUNDS))
    key, meter = shard.agents[shard.tail] * AGENTS + shard.head_agent, transport.meter
    results = {
        name: transport.gather(rows) if axis == "agent" else transport.gather_rows(rows, key)
        for name, (axis, rows) in rows_of(state).items()
    }
    return results | {"meter": transport.total(np.array([meter.messages, meter.bytes, meter.lost]))}


def main(folder: str) -> None:
    from coolgp.network.mpi import MPITransport, world

    for number, case in enumerate(CASES):
        links = RULES[case[0]].links(GRAPH)
        transport = MPITransport(links, partition(links, world().size, METHODS[number % len(METHODS)]))
        results = ended(transport, *case)
        if transport.root:
            np.savez(Path(folder) / f"{'-'.join(case)}.npz", **results)


@cache
def serial(case: tuple[str, str]) -> dict[str, np.ndarray | None]:
    return ended(SerialTransport(RULES[case[0]].links(GRAPH)), *case)


@pytest.mark.parametrize("ranks", [pytest.param(2, marks=pytest.mark.slow), 3])
def test_any_number_of_ranks_has_the_bits_of_one(on_ranks, tmp_path, ranks):
    done = on_ranks(ranks, Path(__file__), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for case in CASES:
        with np.load(tmp_path / f"{'-'.join(case)}.npz") as results:
            for name, expected in serial(case).items():
                np.testing.assert_array_equal(results[name], expected, err_msg=f"{case}: {name}", strict=True)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_what_is_stored_suffices_to_go_on(case):
    rule, links = RULES[case[0]], RULES[case[0]].links(GRAPH)
    transport = over(SerialTransport(links), case[1])
    half = gone_on(rule.begin(values(0, transport), transport), rule, transport, range(3))
    stored = {name: rows.copy() for name, (_, rows) in rows_of(half).items()}
    other = over(SerialTransport(links), case[1])
    fresh = with_rows(rule.begin(np.zeros((AGENTS, 3)), other), stored)
    if isinstance(transport, FaultyTransport):
        other.restore(transport.state())
    uninterrupted, resumed = (gone_on(s, rule, t, range(3, 6)) for s, t in ((half, transport), (fresh, other)))
    for name, (_, rows) in rows_of(uninterrupted).items():
        np.testing.assert_array_equal(rows_of(resumed)[name][1], rows, err_msg=name)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_a_round_leaves_the_state_before_it_as_it_was(case):
    rule = RULES[case[0]]
    transport = over(SerialTransport(rule.links(GRAPH)), case[1])
    state = rule.begin(values(0, transport), transport)
    for turn in range(4):
        before = {name: rows.copy() for name, (_, rows) in rows_of(state).items()}
        after = gone_on(state, rule, transport, range(turn, turn + 1))
        for name, rows in before.items():
            np.testing.assert_array_equal(rows_of(state)[name][1], rows, err_msg=name)
        state = after


if __name__ == "__main__":
    main(sys.argv[1])
