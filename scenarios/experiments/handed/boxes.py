"""Models in files that are only asked: what they need for it, and who is left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Regressor
from coolgp.agents.experts.queries.black_box import BlackBox, DensityExpert
from coolgp.agents.experts.queries.failure import ExpertFailed
from coolgp.scenarios.experiments.handed.models import labelled, outputs_without_labels

__all__ = ["left_out_words", "require_enough", "require_std", "with_std"]


def with_std(box: BlackBox, std: float | None) -> BlackBox:
    """The same box, which goes on counting, with a standard deviation and numbers for classes where it has none."""
    if not isinstance(box.model, DensityExpert):
        box.model = labelled(box.model, range(outputs_without_labels(box.model)))
    box.std = std if box.std is None else box.std
    return box


def require_std(boxes: Sequence[BlackBox], inputs: Array) -> None:
    """Refuse regression models without a standard deviation; what they answer is remembered."""
    for box in boxes:
        if isinstance(box.model, Regressor) and box.std is None:
            try:
                _, std = box.predict(inputs)
            except ExpertFailed:
                continue
            if np.isnan(std).any():
                raise ValueError(
                    f"{box.name}: states no standard deviation, by which models are weighed: give one for all models "
                    "that state none, in units of the target (--set fusion.std=...)"
                )


def require_enough(boxes: Sequence[BlackBox], at_least: int | None) -> None:
    """Raise ValueError, by name and with the reason, where fewer models are left; default all."""
    out = [f"{box.name}: {box.failure}" for box in boxes if box.failure is not None]
    needed = len(boxes) if at_least is None else at_least
    left = len(boxes) - len(out)
    if left < needed:
        going_on = f", or experts.at_least = {left} to go on without" if left else ""
        raise ValueError("\n".join([*out, f"{left} of {len(boxes)} models are left; needed {needed}{going_on}"]))


def left_out_words(boxes: Sequence[BlackBox]) -> list[str]:
    """A remark on each model that is out."""
    return [f"left out: {box.name}: {box.failure}" for box in boxes if box.failure is not None]
