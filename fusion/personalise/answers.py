"""Models that are only asked: as boxes that count, who fails, and how many rows each may be asked for.

Axes: ``n`` rows of the newcomer, ``Q`` rows without targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Classifier
from coolgp.agents.experts.formats.files import read_model_file
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.queries.failure import ExpertFailed, QueriesUsedUp
from coolgp.fusion.personalise.outcome import Request
from coolgp.fusion.personalise.owners import Owners, box_fault, owners_left

__all__ = ["asked_boxes", "boxes_of", "query_words"]

TWICE = 5
"""Rows that a model is asked for again: one that answers otherwise than before answers at random."""
APART = 1e-2
"""How far answers to the same row may be apart, as a share of the largest difference between rows."""
LEAST = 5
"""Rows without targets that are needed."""


def boxes_of(request: Request, kind: Any, words: str) -> tuple[BlackBox, ...]:
    """The models, to be asked within the caps of the request. Raises ValueError for one that is not of a kind."""
    boxes = tuple(_box(model, name, request) for model, name in zip(request.models, request.names, strict=True))
    for box in boxes:
        if not isinstance(box.model, kind):
            raise ValueError(f"{box.name} is not {words}")
    return boxes


def asked_boxes(request: Request, boxes: Sequence[BlackBox]) -> tuple[Owners[BlackBox], Array]:
    """Who answers at the newcomer's rows and at rows without targets, and the latter ``[Q, D]``, as many as caps allow.

    Answers are remembered by the boxes. Raises ValueError where no model is left, and for caps below what is needed.
    """
    assert request.unlabelled is not None
    pool = request.unlabelled
    if pool.shape[1] != request.x.shape[1]:
        raise ValueError(f"unlabelled rows have {pool.shape[1]} inputs; X has {request.x.shape[1]}")
    if len(pool) < LEAST:
        raise ValueError(f"models that only answer need {LEAST} rows without targets or more; got {len(pool)}")
    pool = pool[: _affordable(boxes, len(request.x))]
    faults = [_fault(box, request.x, pool) for box in boxes]
    return owners_left(request, boxes, faults), pool


def query_words(boxes: Sequence[BlackBox], request: Request) -> str:
    """How many rows were asked for, and how many may be."""
    cap = "no cap" if request.queries is None else f"{request.queries:,} allowed"
    used = [box.used for box in boxes]
    return f"{sum(used):,} rows in all, at most {max(used):,} of a model ({cap})"


def _box(model: Any, name: str, request: Request) -> BlackBox:
    if isinstance(model, BlackBox):
        return model
    read = read_model_file(model) if isinstance(model, str | Path) else model
    expert = expert_of(read, name)
    return BlackBox(expert, queries=request.queries, time_limit=request.time_limit, densities=False)


def _affordable(boxes: Sequence[BlackBox], rows: int) -> int | None:
    """Rows without targets that every model may be asked for, beside the newcomer's; None for any number."""
    left = [box.queries - box.used - rows - TWICE for box in boxes if box.queries is not None]
    if left and min(left) < LEAST:
        needed = LEAST + rows + TWICE
        raise QueriesUsedUp(
            f"the cap on queries leaves too few: needed {needed} rows of each model, {rows} of the newcomer's, {LEAST} "
            f"without targets, {TWICE} twice; got {min(left) + rows + TWICE} (queries)"
        )
    return min(left) if left else None


def _fault(box: BlackBox, x: Array, pool: Array) -> str:
    fault = box_fault(box, lambda: _answers(box, np.concatenate([pool, x])), x.shape[1])
    return fault or _random(box, pool)


def _random(box: BlackBox, pool: Array) -> str:
    """Whether a model answers the same rows differently."""
    before = _answers(box, pool)
    try:
        again = box.asked_again(pool[:TWICE])[:, : before.shape[1]]
    except ExpertFailed as problem:
        return problem.reason
    apart = float(np.abs(again - before[:TWICE]).max())
    spread = float(np.ptp(before, axis=0).max())
    return f"answers the same rows differently: {apart:.3g} apart" if apart > APART * spread else ""


def _answers(box: BlackBox, x: Array) -> Array:
    """Probabilities ``[Q, K]``, or means ``[Q, 1]``."""
    return box.predict_proba(x) if isinstance(box.model, Classifier) else box.predict(x)[0][:, None]
