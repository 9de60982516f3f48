"""All rules by averaging: stored and taken up again, and on several ranks.

Run as a program on several ranks, this file saves what agents end with there into the folder that it is given.
"""

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from coolgp.fusion.sums.consensus import Consensus
from coolgp.fusion.sums.gossip import Gossip
from coolgp.fusion.sums.push_sum import PushSum
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.partition import partition
from coolgp.network.row_axes import rows_of, with_rows
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

from tests.fusion.sums.averaging import SUMMING, contributions, faulty

AVERAGING = {**SUMMING, "trimmed": Consensus(trim=1), "push-sum": PushSum(), "gossip": Gossip(seed=5)}
FAULTS = {
    "nothing": PERFECT,
    "failing links": Faults(loss=0.2, delay=1, delays="geometric", churn=0.1, absence=2, one_way=0.3),
    "lies": Faults(byzantine=1),
}
ROUND = 5  # communication rounds in a round of learning


def states_of(transport: Transport, rule, topology, rounds: int = 15):
    """A stream's states, one a round; each agent's contributions belong to its id, whichever rank holds it."""
    values = contributions(topology.size)[transport.shard.agents]
    state = rule.begin(values, transport)
    for turn in range(rounds):
        if turn % ROUND == 0:
            transport.advance(turn // ROUND)
            values = values + contributions(topology.size, turn + 1)[transport.shard.agents]
        state = rule.round(state, values, transport)
        yield values, state


@pytest.mark.parametrize("name", AVERAGING)
@pytest.mark.parametrize("faults", ["nothing", "lies"])
def test_a_stored_state_goes_on_as_if_nothing_had_happened(name, faults):
    topology = shared()
    rule = AVERAGING[name].fit(topology, FAULTS[faults])
    transport = faulty(SerialTransport(topology), topology, FAULTS[faults])
    values, state = list(states_of(transport, rule, topology, 8))[-1]
    again = with_rows(rule.begin(values, transport), {key: rows.copy() for key, (_, rows) in rows_of(state).items()})
    ended = []
    for start in (state, again):
        fresh = faulty(SerialTransport(topology), topology, FAULTS[faults])
        ended.append(rule.sums(rule.round(rule.round(start, values, fresh), values, fresh)))
    assert (ended[0] == ended[1]).all()


def shared():
    return generate("small-world", 23, seed=2)


def ended(inner: Transport, name: str, faults: str) -> dict[str, np.ndarray | None]:
    transport = faulty(inner, shared(), FAULTS[faults])
    rule = AVERAGING[name].fit(shared(), FAULTS[faults])
    _, state = list(states_of(transport, rule, shared()))[-1]
    meter = np.array([inner.meter.messages, inner.meter.bytes])
    return {"sums": transport.gather(rule.sums(state)), "meter": transport.total(meter)}


CASES = [(name, faults) for name in AVERAGING for faults in FAULTS]


def main(folder: str) -> None:
    from coolgp.network.mpi import MPITransport, world

    owner = partition(shared(), world().size)
    for name, faults in CASES:
        transport = MPITransport(shared(), owner)
        told = ended(transport, name, faults)
        if transport.root:
            np.savez(Path(folder) / f"{name}-{faults}.npz", **told)


@cache
def serial(name: str, faults: str) -> dict[str, np.ndarray | None]:
    return ended(SerialTransport(shared()), name, faults)


@pytest.mark.parametrize("ranks", [pytest.param(2, marks=pytest.mark.slow), 3])
def test_any_number_of_ranks_ends_with_the_same_bits(on_ranks, tmp_path, ranks):
    done = on_ranks(ranks, Path(__file__), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, faults in CASES:
        with np.load(tmp_path / f"{name}-{faults}.npz") as told:
            for part, expected in serial(name, faults).items():
                np.testing.assert_array_equal(told[part], expected, err_msg=f"{name} {faults} {part}", strict=True)


if __name__ == "__main__":
    main(sys.argv[1])
