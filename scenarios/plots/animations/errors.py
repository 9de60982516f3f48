"""Errors of single agents and of all, growing round by round, and what was sent until then."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from coolgp.scenarios.plots.animations.animation import Animation, Moving
from coolgp.scenarios.plots.animations.curves import growing_errors, growing_line, limits_of, together
from coolgp.scenarios.plots.style import NEUTRAL
from coolgp.scenarios.records.frames import Frames
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["ERRORS"]


def moving_errors(folder: RunFolder, frames: Frames | None) -> Moving:
    """Draw errors above, and below megabytes since the start."""
    figure = Figure(figsize=(7.6, 5.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2.2, 1])
    errors = growing_errors(above, folder, single=True)
    above.set_xlabel("")
    above.set_title("Error on the test set: thin lines are single agents, thick ones their mean")
    megabytes = np.cumsum(np.nan_to_num(folder.metrics["bytes"])) / 1e6
    sent = growing_line(below, folder.metrics["round"], megabytes, color=NEUTRAL, marker="o", markersize=3)
    below.set(title="Sent by all agents since the start", ylabel="megabytes", xlabel="round of learning")
    below.set_ylim(*limits_of(megabytes))
    return Moving(figure, folder.probes.rounds, together([errors, sent]))


ERRORS = Animation(
    moving_errors,
    "Error of the probe agents before and after fusion as rounds go by, and megabytes that all agents sent until then. "
    "Errors are over the same test rows in each round, a fixed part of all unless run.evaluate_rows says otherwise.",
)
