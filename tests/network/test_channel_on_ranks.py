"""The channel on several ranks: no bit of what it delivers changes, and one takes over the state of another.

Run as a program on several ranks, this file saves what the channel delivers there into the folder that it is given.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from coolgp.network.links.channel import ChannelState, FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.partition import partition
from coolgp.network.transport import Transport

from tests.network.channels import (
    HALFWAY,
    TROUBLES,
    check_same,
    in_trouble,
    rounds,
    serial,
    surroundings,
    unmetered,
)

CASES = [
    ("bursts", "contiguous"),
    ("late", "metis"),
    ("narrow", "contiguous"),
    ("coming and going", "metis"),
    ("byzantine", "contiguous"),
    ("moving", "metis"),
    ("all", "contiguous"),
    ("all", "metis"),
]


def gathered(transport: FaultyTransport) -> dict[str, np.ndarray | None]:
    """The channel's state by global edge and agent."""
    state, slot = transport.state(), transport.shard.slot
    delivered = {f"edges/{name}": transport.gather_rows(rows, slot) for name, rows in state.edges.items()}
    delivered |= {f"agents/{name}": transport.gather(rows) for name, rows in state.agents.items()}
    for lane, (edges, columns) in state.queues.items():
        delivered[f"queue/{lane}/slot"] = transport.gather_rows(slot[edges], slot[edges])
        delivered |= {f"queue/{lane}/{k}": transport.gather_rows(rows, slot[edges]) for k, rows in columns.items()}
    return delivered | {f"number/{name}": np.array(number) for name, number in state.numbers.items()}


def dealt(stored: dict[str, np.ndarray], transport: FaultyTransport) -> ChannelState:
    """This rank's part of a state by global edge and agent."""
    shard, state = transport.shard, ChannelState()
    local = np.full(int(shard.slot.max(initial=-1)) + 1, -1)
    local[shard.slot] = np.arange(len(shard.slot))
    for key, rows in stored.items():
        kind, _, name = key.partition("/")
        if kind == "edges":
            state.edges[name] = rows[shard.slot]
        elif kind == "agents":
            state.agents[name] = rows[shard.agents]
        elif kind == "number":
            state.numbers[name] = int(rows)
        elif name.endswith("/slot"):
            lane = name.removesuffix("/slot")
            mine = np.flatnonzero(np.isin(rows, shard.slot))
            mine = mine[np.argsort(local[rows[mine]], kind="stable")]
            columns = {part: stored[f"queue/{lane}/{part}"][mine] for part in ("due", "sent", "rows")}
            state.queues[lane] = local[rows[mine]], columns
    return state


class Counted:
    """A neighbourhood communicator that counts the bytes handed to it while messages are swapped."""

    def __init__(self, inner: object, transport: Transport) -> None:
        self.inner, self.size, self.open = inner, 0, False
        for verb in ("swap", "halo"):
            setattr(transport, verb, self.opened(getattr(transport, verb)))

    def opened(self, verb):
        def call(*args):
            self.open = True
            try:
                return verb(*args)
            finally:
                self.open = False

        return call

    def Ineighbor_alltoallv(self, send, receive):
        if self.open:
            self.size += int(np.sum(send[1][0])) * send[2].Get_size()
        return self.inner.Ineighbor_alltoallv(send, receive)


def on_mpi(name: str, method: str) -> tuple[FaultyTransport, Counted]:
    from coolgp.network.mpi import MPITransport, world

    topology, schedule = surroundings(name)
    inner = MPITransport(topology, partition(topology, world().size, method))
    inner._neighbours = counted = Counted(inner._neighbours, inner)
    return FaultyTransport(inner, Dynamics(topology, TROUBLES[name], 3, schedule), TROUBLES[name], 3), counted


def main(folder: str) -> None:
    for name, method in CASES:
        transport, counted = on_mpi(name, method)
        delivered = rounds(transport, 0, HALFWAY)
        middle = gathered(transport)
        delivered |= rounds(transport, HALFWAY)
        assert counted.size == transport.meter.far_bytes
        assert (counted.size > 0) == (transport.ranks > 1)
        resumed, _ = on_mpi(name, method)
        with np.load(Path(folder) / f"serial {name}.npz") as stored:
            resumed.restore(dealt(dict(stored), resumed))
        after = rounds(resumed, HALFWAY)
        if transport.root:
            np.savez(Path(folder) / f"{name} {method}.npz", **delivered)
            np.savez(Path(folder) / f"{name} {method} middle.npz", **middle)
            np.savez(Path(folder) / f"{name} {method} after.npz", **after)


@pytest.mark.parametrize("ranks", [pytest.param(2, marks=pytest.mark.slow), 3])
def test_any_number_of_ranks_delivers_the_same_bits_and_takes_over_the_state_of_another(on_ranks, tmp_path, ranks):
    pytest.importorskip("pymetis", reason='METIS needs pip install "coolgp[partition]"')
    middles = {}
    for name in dict(CASES):
        transport = in_trouble(name)
        rounds(transport, 0, HALFWAY)
        middles[name] = gathered(transport)
        np.savez(tmp_path / f"serial {name}.npz", **middles[name])
    done = on_ranks(ranks, Path(__file__), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, method in CASES:
        delivered, middle, after = (
            dict(np.load(tmp_path / f"{name} {method}{part}.npz")) for part in ("", " middle", " after")
        )
        check_same(delivered, serial(name))
        check_same(middle, middles[name])
        later = {key: value for key, value in serial(name).items() if int(key.split()[0]) >= HALFWAY}
        check_same(unmetered(after), unmetered(later))


if __name__ == "__main__":
    main(sys.argv[1])
