"""Models in files or at addresses, as black boxes with the caps that a user sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Expert
from coolgp.agents.experts.queries.black_box import BATCH, QUERIES, BlackBox
from coolgp.agents.experts.queries.remote import RemoteModel, remote_expert
from coolgp.agents.experts.queries.server import is_address, shown_address
from coolgp.scenarios.config.sections.experts import AskingSettings

__all__ = ["boxed", "named_expert", "shown_path"]


def boxed(settings: AskingSettings, expert: Expert, *, by_queries: bool) -> BlackBox:
    """The expert as one that is only asked, with the caps that were set.

    by_queries: whether more of it than answers is not used. Where it is, or where models answer elsewhere, there is a
    cap; others have none but the one that is given.
    """
    elsewhere = expert.limit is not None
    cap = settings.queries or (QUERIES if by_queries or elsewhere else None)
    batch = BATCH if elsewhere else QUERIES
    densities = by_queries or elsewhere
    return BlackBox(expert, queries=cap, batch=batch, time_limit=settings.time_limit, densities=densities)


def named_expert(model: Any, name: str, settings: AskingSettings, labels: Sequence[object] = ()) -> Expert:
    """A model that was read as an expert.

    labels: of the classes, for a program or server that names none itself. Raises ValueError as `expert_of` does.
    """
    if not isinstance(model, RemoteModel):
        return replace(expert_of(model, name), name=name)
    timed = replace(model, time_limit=settings.time_limit if model.time_limit is None else model.time_limit)
    return remote_expert(timed, name, labels or None)


def shown_path(path: str) -> str:
    """A path as it is, an address without password."""
    return shown_address(path) if is_address(path) else path
