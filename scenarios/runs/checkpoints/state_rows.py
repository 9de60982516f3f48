"""The state of a run between two rounds, as plain arrays and numbers, and put together again from these.

Arrays have a row for each agent, for each edge, or any number of rows for an edge (messages that are under way).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from operator import index
from typing import Any

import numpy as np

from coolgp.agents.batches import StandIn
from coolgp.agents.statistics import Statistics
from coolgp.network.base.arrays import Array
from coolgp.network.links.channel import ChannelState, FaultyTransport
from coolgp.network.row_axes import rows_of, with_rows
from coolgp.network.shard import Shard
from coolgp.network.transport import Transport
from coolgp.scenarios.runs.checkpoints.row_file import rows_by_block
from coolgp.scenarios.simulation.state import RunState, sent_so_far

__all__ = ["LEARNED", "POPULATION", "Stored", "Unstorable", "check_waiting", "put_back", "take_down"]

POPULATION = ("theta", "anchor", "moments", "announced")
"""The arrays of a population that change, beside its statistics."""
LEARNED = ("told", "candidate", "trial")
"""The same, of which checkpoints of older versions have none."""


class Unstorable(ValueError):
    """A state that does not say which axis its rows belong to."""


@dataclass(frozen=True)
class Stored:
    """Arrays [K, ...] by name, in the order of this rank's blocks; counts: of each its rows in each block [blocks]."""

    arrays: dict[str, Array]
    counts: dict[str, Array]
    numbers: dict[str, int]


def take_down(run_state: RunState, transport: Transport) -> Stored:
    """The state of a run, as arrays and numbers. Collective.

    Raises Unstorable for a rule's state without marked fields.
    """
    shard, population = transport.shard, run_state.population
    axes = {"agent": rows_by_block(shard, np.arange(len(shard.agents))), "edge": rows_by_block(shard, shard.tail)}
    statistics = {f"statistics/{f.name}": getattr(population.statistics, f.name) for f in fields(Statistics)}
    arrays = statistics | {f"population/{name}": getattr(population, name) for name in (*POPULATION, *LEARNED)}
    if run_state.stand_in:
        arrays |= {f"waiting/{f.name}": getattr(run_state.stand_in, f.name) for f in fields(StandIn)}
    sent = {f"meter/{name}": total for name, total in asdict(sent_so_far(transport)).items()}
    stored = Stored(arrays, dict.fromkeys(arrays, axes["agent"]), sent)
    stored.numbers.update(turn=run_state.turn, seen=run_state.seen, steps=population.steps, waiting=run_state.waiting)
    for name, (axis, rows) in _marked(run_state.state).items():
        stored.arrays[name], stored.counts[name] = rows, axes[axis]
    if isinstance(transport, FaultyTransport):
        _take_down_channel(transport.state(), shard, axes, stored)
    return stored


def put_back(fresh: RunState, rows: Mapping[str, Array], numbers: Mapping[str, int], transport: Transport) -> RunState:
    """The state that `take_down` stored, from its arrays and numbers on this rank and a fresh start.

    Meter and channel are put back as well: in the end, for what was built anew may have sent messages.
    """
    statistics = Statistics(**{f.name: rows[f"statistics/{f.name}"] for f in fields(Statistics)})
    arrays: dict[str, Any] = {name: rows[f"population/{name}"] for name in POPULATION}
    arrays |= {name: rows.get(f"population/{name}", older) for name, older in _untried(arrays["theta"]).items()}
    arrays["trial"] = _widened(arrays["trial"], fresh.population.trial.shape[1])
    _check_fit(fresh, statistics, arrays)
    population = replace(fresh.population, statistics=statistics, steps=numbers["steps"], **arrays)
    for name in asdict(transport.meter):
        everywhere = transport.root or name == "rounds"
        setattr(transport.meter, name, numbers[f"meter/{name}"] if everywhere else 0)
    if isinstance(transport, FaultyTransport):
        transport.restore(_channel(rows, numbers, transport.shard))
    return RunState(
        turn=numbers["turn"],
        seen=numbers["seen"],
        population=population,
        state=with_rows(fresh.state, rows),
        waiting=numbers["waiting"],
        stand_in=StandIn(**_below("waiting/", rows)) if _below("waiting/", rows) else None,
    )


def check_waiting(run_state: RunState, rounds: int, batch_size: int) -> None:
    """Raise ValueError where a state is not one between rounds of a run of so many, with batches of so many rows."""
    turn, waiting, population, stand_in = run_state.turn, run_state.waiting, run_state.population, run_state.stand_in
    if not 0 <= index(waiting) <= index(turn) < rounds:
        raise ValueError(f"batches of {waiting} rounds cannot wait after {turn} of {rounds}")
    if not (waiting and population.model.likelihood.reweighs):
        return
    needed = ((population.size, waiting * batch_size), population.dtype)
    if stand_in is None or {(of.shape, of.dtype) for of in (stand_in.target, stand_in.root)} != {needed}:
        raise ValueError(f"rows that wait need {needed[1]} {list(needed[0])} to stand for them, which are not there")


def _untried(theta: Array) -> dict[str, Array]:
    """What older versions did: evidence told under present hyper-parameters ``[A, K]``, and nothing on trial."""
    return {"told": theta[:, -2:].copy(), "candidate": theta.copy(), "trial": np.zeros((len(theta), 0))}


def _widened(trial: Array, width: int) -> Array:
    """With the columns that older versions did not have: nothing is known there."""
    return np.pad(trial, ((0, 0), (0, max(width - trial.shape[1], 0))))


def _check_fit(fresh: RunState, statistics: Statistics, arrays: Mapping[str, Array]) -> None:
    """Raise ValueError where stored arrays have another shape or type than this run's."""
    own = {
        f.name: (getattr(fresh.population.statistics, f.name), getattr(statistics, f.name)) for f in fields(Statistics)
    }
    own |= {name: (getattr(fresh.population, name), rows) for name, rows in arrays.items()}
    for name, (here, stored) in own.items():
        if (here.shape, here.dtype) != (stored.shape, stored.dtype):
            raise ValueError(f"{name} needs {here.dtype} {list(here.shape)}, got {stored.dtype} {list(stored.shape)}")


def _marked(state: Any) -> dict[str, tuple[Any, Array]]:
    marked = rows_of(state)
    if marked or state is None or (is_dataclass(state) and all(getattr(state, f.name) is None for f in fields(state))):
        return dict(marked)
    raise Unstorable(
        "the fusion rule's state does not say which of its arrays have a row for each agent or edge "
        "(PerAgent and PerEdge of coolgp.network.row_axes)"
    )


def _take_down_channel(channel: ChannelState, shard: Shard, axes: Mapping[str, Array], stored: Stored) -> None:
    """Edges on which rows are under way go by their global numbers: local ones are another rank's tomorrow."""
    for axis, group in (("edge", channel.edges), ("agent", channel.agents)):
        for name, rows in group.items():
            stored.arrays[f"channel/{axis}/{name}"], stored.counts[f"channel/{axis}/{name}"] = rows, axes[axis]
    for queue, (edges, columns) in channel.queues.items():
        count = rows_by_block(shard, shard.tail[edges])
        for name, rows in {"slot": shard.slot[edges], **columns}.items():
            stored.arrays[f"channel/queue/{name}/{queue}"], stored.counts[f"channel/queue/{name}/{queue}"] = rows, count
    stored.numbers.update({f"channel/{name}": number for name, number in channel.numbers.items()})


def _channel(rows: Mapping[str, Array], numbers: Mapping[str, int], shard: Shard) -> ChannelState:
    channel = ChannelState(numbers=_below("channel/", numbers))
    channel.edges.update(_below("channel/edge/", rows))
    channel.agents.update(_below("channel/agent/", rows))
    by_slot = np.argsort(shard.slot)
    for queue, slot in _below("channel/queue/slot/", rows).items():
        edges = by_slot[np.searchsorted(shard.slot[by_slot], slot)]
        queued = (name.split("/", 3)[2:] for name in rows if name.startswith("channel/queue/"))
        names = [name for name, other in queued if other == queue and name != "slot"]
        channel.queues[queue] = (edges, {name: rows[f"channel/queue/{name}/{queue}"] for name in names})
    return channel


def _below(prefix: str, named: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in named.items() if name.startswith(prefix)}
