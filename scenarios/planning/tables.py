"""The output of `coolgp plan`, as words or JSON: memory of each rank by parts, bytes of a communication round, time."""

from __future__ import annotations

import json

from coolgp.scenarios.base.formatting import size_text
from coolgp.scenarios.planning.duration import Duration
from coolgp.scenarios.planning.limits import memory_table, shortfall
from coolgp.scenarios.planning.machine import available_bytes
from coolgp.scenarios.planning.memory import Estimate

__all__ = ["as_json", "contents", "message_rows", "seconds_text", "tables", "time_rows"]


def tables(needs: Estimate, duration: Duration) -> dict[str, list[tuple[str, str]]]:
    """Tables by title, as rows of a name and what is to be said of it."""
    missing = shortfall(needs, needs.ranks)
    verdict = "would not fit" if missing > 0 else "fits"
    room = [
        (f"{needs.ranks} rank{'s' * (needs.ranks > 1)} on this machine", size_text(needs.ranks * needs.peak.bytes)),
        ("this machine has left", f"{size_text(available_bytes())}: {verdict}"),
    ]
    return {
        "Memory": [*memory_table(needs), *room],
        "Messages": message_rows(needs),
        "Time, on this machine as it is now": time_rows(duration),
    }


def as_json(needs: Estimate, duration: Duration) -> str:
    """The same for a program: bytes and seconds."""
    here = {"fits": shortfall(needs, needs.ranks) <= 0, "available_bytes": available_bytes()}
    return json.dumps(here | contents(needs, duration), indent=2)


def contents(needs: Estimate, duration: Duration) -> dict[str, object]:
    """Bytes and seconds by name, wherever the ranks are."""
    return {
        "agents": needs.shape.agents,
        "ranks": needs.ranks,
        "rank_bytes": round(needs.peak.bytes),
        "peak": needs.peak.name,
        "phases": {phase.name: {k: round(v) for k, v in phase.parts.items()} for phase in needs.phases},
        "communication_round_bytes": round(needs.exchange_bytes),
        "communication_round_messages": round(needs.shape.messages),
        "seconds": duration.seconds if duration.known else None,
        "seconds_by_part": duration.parts,
        "seconds_each_communication_round": duration.each,
    }


def seconds_text(seconds: float) -> str:
    """A time in a fitting unit.

    >>> seconds_text(0.004), seconds_text(12.34), seconds_text(600), seconds_text(9000)
    ('0.0 s', '12.3 s', '10.0 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def message_rows(needs: Estimate) -> list[tuple[str, str]]:
    """One message, and those of a communication round."""
    row = needs.row * needs.itemsize
    return [
        ("one message", f"{needs.row:,} numbers, {size_text(row)}"),
        ("a communication round", f"{needs.shape.messages:,.0f} messages, {size_text(needs.exchange_bytes)}"),
    ]


def time_rows(duration: Duration) -> list[tuple[str, str]]:
    """The time of each part, and of all."""
    return [*((name, seconds_text(seconds)) for name, seconds in duration.parts.items()), *_in_all(duration)]


def _in_all(duration: Duration) -> list[tuple[str, str]]:
    if duration.known:
        return [("in all", f"about {seconds_text(duration.seconds)}")]
    each = duration.each or 0.0
    return [
        ("without fusion, in all", f"about {seconds_text(duration.seconds)}"),
        ("and each communication round", f"{each:.3g} s; the number until the fixed point on this graph is not known"),
    ]
