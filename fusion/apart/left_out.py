"""Experts that fail and are left out: who they are, alike on all ranks, and whether enough are left.

An agent whose expert is out stays in the graph and passes on what others say: its own terms are left out of sums.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.queries.failure import ExpertFailed
from coolgp.fusion.apart.members import Members, known_to_all
from coolgp.network.transport import Transport

__all__ = ["LeftOut", "TooFewExperts", "asked_each", "left_out", "texts_of"]

WORDS = 500
"""Bytes of a name and reason that travel to all ranks."""


@dataclass(frozen=True)
class LeftOut:
    """An agent (global id) whose expert is out, the expert's name, and why."""

    agent: int
    name: str
    reason: str


class TooFewExperts(ValueError):
    """Fewer experts are left than were asked for; raised on all ranks alike."""


def asked_each(members: Members, ask: Callable[[BlackBox], Array]) -> list[Array | None]:
    """What each expert of this rank answers; None of one that is out, or fails now. Not collective."""

    def one(box: BlackBox) -> Array | None:
        try:
            return ask(box) if box.failure is None else None
        except ExpertFailed:
            return None

    return [one(box) for box in members.boxes]


def left_out(members: Members, transport: Transport) -> tuple[LeftOut, ...]:
    """All agents whose experts are out by now, alike on all ranks.

    Raises TooFewExperts on all ranks where fewer than ``members.at_least`` are left. To be called after experts were
    asked, before their answers travel. Collective.
    """
    failing = np.flatnonzero(known_to_all((~members.present).astype(float).tolist(), transport))
    if not len(failing):
        return ()
    boxes = zip(transport.shard.agents.tolist(), members.boxes, strict=True)
    words = texts_of(failing.tolist(), {agent: f"{box.name}\n{box.failure}" for agent, box in boxes}, transport)
    out = tuple(LeftOut(agent, *text.split("\n", 1)) for agent, text in zip(failing.tolist(), words, strict=True))
    count = transport.shard.size
    needed = count if members.at_least is None else members.at_least
    if count - len(out) < needed:
        named = "\n".join(f"{each.name}: {each.reason}" for each in out)
        going_on = f", or experts.at_least = {count - len(out)} to go on without" if len(out) < count else ""
        raise TooFewExperts(f"{named}\n{count - len(out)} of {count} experts are left; needed {needed}{going_on}")
    return out


def texts_of(agents: list[int], own: Mapping[int, str], transport: Transport) -> list[str]:
    """The texts of some agents, on every rank; own: of those on this rank, by global id. Collective."""
    here = transport.shard.agents.tolist()
    rows = np.zeros((len(here), len(agents), WORDS))
    for place, agent in enumerate(here):
        if agent in agents:
            letters = own[agent].encode()[:WORDS]
            rows[place, agents.index(agent), : len(letters)] = list(letters)
    told = transport.allsum(rows.reshape(len(here), -1)).reshape(len(agents), WORDS)
    return [bytes(row.astype(np.uint8).tolist()).rstrip(b"\0").decode(errors="ignore") for row in told]
