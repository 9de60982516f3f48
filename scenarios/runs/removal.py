"""Removing a run from its folder, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from coolgp.scenarios.base.files import forget_half
from coolgp.scenarios.plots.animations.registry import ANIMATIONS
from coolgp.scenarios.plots.run_figures import FIGURES
from coolgp.scenarios.records.frames import FRAMES
from coolgp.scenarios.records.guarantee import GUARANTEE_BEFORE
from coolgp.scenarios.records.run_folder import FILES
from coolgp.scenarios.runs.checkpoints.places import clear
from coolgp.scenarios.runs.frame_files import remove_frames
from coolgp.scenarios.runs.tracking.tensorboard_events import EVENTS

__all__ = ["remove_run"]

RUN_FILES = (*FILES, GUARANTEE_BEFORE, "model.npz", "report.html")
"""All that a run leaves beside its figures: nothing else in its folder is touched."""


def remove_run(folder: Path, more: Iterable[str] = ()) -> None:
    """Remove a run, and nothing else, from its folder. more: names of files that its kind has beside these."""
    clear(folder)
    remove_frames(folder / FRAMES)
    pictures = (*(f"{figure}.png" for figure in FIGURES), *(f"{name}.gif" for name in ANIMATIONS))
    for name in (*RUN_FILES, *more, *pictures):
        (folder / name).unlink(missing_ok=True)
        forget_half(folder / name)
    events = folder / EVENTS
    for path in events.glob("events.out.tfevents.*"):
        path.unlink()
    with suppress(OSError):  # there is none, or it holds files of the user's
        events.rmdir()
