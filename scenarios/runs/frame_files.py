"""Predictions of single rounds as files of a run folder: each is written whole, and a resumed run writes on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.scenarios.base.files import forget_half, whole
from coolgp.scenarios.records.frames import frame_path, frame_paths
from coolgp.scenarios.simulation.state import Kept

__all__ = ["FrameFiles", "remove_frames"]


class FrameFiles:
    """Writes a file a round. after: the rounds that count; those of later ones will be written again, and go."""

    def __init__(self, folder: Path, after: int) -> None:
        self.folder = folder
        remove_frames(folder, after)

    def write(self, number: int, kept: Kept, agents: Sequence[str]) -> None:
        """Write what was kept of a round, in single precision: it is drawn, and nothing else."""
        self.folder.mkdir(exist_ok=True)
        forecasts = {"pre": kept.pre, "post": kept.post}
        arrays: dict[str, Any] = {"agents": np.array(agents), "x": kept.x}
        for when, forecast in forecasts.items():
            arrays |= {f"mean_{when}": forecast.mean.astype(np.float32)}
            arrays |= {f"variance_{when}": forecast.variance.astype(np.float32)}
        with whole(frame_path(self.folder, number)) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)


def remove_frames(folder: Path, after: int = 0) -> None:
    """Remove the files of rounds after that one, and the folder where nothing is left in it."""
    for number, path in frame_paths(folder).items():
        if number > after:
            path.unlink(missing_ok=True)
    for half in folder.glob(".round-*.npz.*"):
        forget_half(folder / f"{half.name[1:].partition('.npz')[0]}.npz")
    with suppress(OSError):  # other files are in it, or it is not there
        folder.rmdir()
