"""An animation of a run as an entry of a table: what it shows, what it needs, how a round is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coolgp.scenarios.base.arrays import Ints
from coolgp.scenarios.records.frames import Frames
from coolgp.scenarios.records.run_folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Animation", "Moving", "typical_agent"]


@dataclass(frozen=True)
class Moving:
    """A figure that shows one round after the other.

    rounds ``[R]``: those that it has. show: draws the round at a place of ``rounds`` into the figure.
    """

    figure: Figure
    rounds: Ints
    show: Callable[[int], None]


@dataclass(frozen=True)
class Animation:
    """An animation, drawn from the run folder alone.

    begin: in the style in force; None where it would say nothing of this run; the frames are those that the run kept.
    caption: below it. when: which runs have it. kept: whether it is drawn from predictions of single rounds.
    """

    begin: Callable[[RunFolder, Frames | None], Moving | None]
    caption: str
    when: str = "always"
    kept: bool = False


def typical_agent(folder: RunFolder, frames: Frames) -> int:
    """The place in the frames of the agent with the median improvement in the last round, of those that were kept."""
    columns = [folder.probes.agents.index(name) for name in frames.agents]
    improvement = (folder.probes.rmse_pre[-1] - folder.probes.rmse_post[-1])[columns]
    finite = int(np.isfinite(improvement).sum())  # NaN sorts last
    return int(np.argsort(improvement, kind="stable")[max(finite - 1, 0) // 2])
