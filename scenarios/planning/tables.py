"""What `coolgp plan` says: memory of each rank by parts, bytes of a communication round, and time; as words or JSON."""

from __future__ import annotations

import json

from coolgp.scenarios.base.formatting import size_text
from coolgp.scenarios.planning.duration import Duration
from coolgp.scenarios.planning.limits import available_bytes, memory_table, shortfall
from coolgp.scenarios.planning.memory import Estimate

__all__ = ["as_json", "tables"]


def tables(found: Estimate, duration: Duration) -> dict[str, list[tuple[str, str]]]:
    """Tables by title, as rows of a name and what is to be said of it."""
    missing = shortfall(found, found.ranks)
    here = "would not fit" if missing > 0 else "fits"
    room = [
        (f"{found.ranks} rank{'s' * (found.ranks > 1)} on this machine", size_text(found.ranks * found.peak.bytes)),
        ("this machine has left", f"{size_text(available_bytes())}: {here}"),
    ]
    time = [(name, seconds_text(seconds)) for name, seconds in duration.parts.items()]
    return {
        "Memory": [*memory_table(found), *room],
        "Messages": _messages(found),
        "Time, on this machine as it is now": [*time, *_in_all(duration)],
    }


def as_json(found: Estimate, duration: Duration) -> str:
    """The same for a program: bytes and seconds."""
    missing = shortfall(found, found.ranks)
    told = {
        "agents": found.shape.agents,
        "ranks": found.ranks,
        "fits": missing <= 0,
        "available_bytes": available_bytes(),
        "rank_bytes": round(found.peak.bytes),
        "peak": found.peak.name,
        "phases": {phase.name: {k: round(v) for k, v in phase.parts.items()} for phase in found.phases},
        "communication_round_bytes": round(found.exchange_bytes),
        "communication_round_messages": round(found.shape.messages),
        "seconds": duration.seconds if duration.known else None,
        "seconds_by_part": duration.parts,
        "seconds_each_communication_round": duration.each,
    }
    return json.dumps(told, indent=2)


def seconds_text(seconds: float) -> str:
    """A time in a fitting unit.

    >>> seconds_text(0.004), seconds_text(12.34), seconds_text(600), seconds_text(9000)
    ('0.0 s', '12.3 s', '10.0 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _messages(found: Estimate) -> list[tuple[str, str]]:
    row = found.row * found.itemsize
    return [
        ("one message", f"{found.row:,} numbers, {size_text(row)}"),
        ("a communication round", f"{found.shape.messages:,.0f} messages, {size_text(found.exchange_bytes)}"),
    ]


def _in_all(duration: Duration) -> list[tuple[str, str]]:
    if duration.known:
        return [("in all", f"about {seconds_text(duration.seconds)}")]
    each = duration.each or 0.0
    return [
        ("without fusion, in all", f"about {seconds_text(duration.seconds)}"),
        ("and each communication round", f"{each:.3g} s; nobody knows how many lead to the fixed point on this graph"),
    ]
