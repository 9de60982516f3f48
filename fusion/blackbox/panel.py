"""The experts of a rank's agents behind their answers, and what they say before anything is fused.

Axes: ``A`` agents on this rank, ``Q`` queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.queries.failure import ExpertFailed
from coolgp.fusion.blackbox.starts import Own

__all__ = ["Panel", "first_answers"]


@dataclass(frozen=True)
class Panel:
    """The experts of a rank's agents, and what they are asked about.

    boxes: A of them. queries ``[Q, D]``: known to everybody.
    """

    boxes: Sequence[BlackBox]
    queries: Array


def first_answers(panel: Panel) -> tuple[Own, dict[int, str]]:
    """What the experts say by themselves, and which failed, by place, with the reason.

    Raises ValueError for an expert without a standard deviation, which scales the differences that it is asked for.
    """
    shape = (len(panel.boxes), len(panel.queries))
    mean, std = np.full(shape, np.nan), np.full(shape, np.nan)
    out: dict[int, str] = {}
    for agent, box in enumerate(panel.boxes):
        try:
            mean[agent], std[agent] = box.predict(panel.queries)
        except ExpertFailed as failed:
            out[agent] = failed.reason
            continue
        if not np.isfinite(std[agent]).all():
            raise ValueError(
                f"{box.name}: states no standard deviation, by which experts are weighed: give one (std), calibrate it "
                "on rows that it was not trained on, or average predictions alone (an ensemble)"
            )
    return Own(mean, std, np.array([agent not in out for agent in range(len(mean))], dtype=bool)), out
