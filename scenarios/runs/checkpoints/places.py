"""Where the checkpoints of a run lie: ``RUN/checkpoints/round-000012``, and under another name until it is complete."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

__all__ = ["checkpoints", "clear", "is_complete", "place_of", "remove_older", "sync", "temporary_of", "turn_of"]

COMPLETE_ONES = 2
"""So many complete checkpoints stay: there is one also while the next is written."""
PREFIX = "round-"


def place_of(folder: Path, turn: int) -> Path:
    """The place of the checkpoint after so many rounds, in a run's folder."""
    return folder / "checkpoints" / f"{PREFIX}{turn:06d}"


def temporary_of(place: Path) -> Path:
    """The place of a checkpoint while it is written."""
    return place.with_name(f".{place.name}")


def is_complete(place: Path) -> bool:
    """Whether a checkpoint was written to its end."""
    return not place.name.startswith(".")


def turn_of(place: Path) -> int:
    """The rounds of a checkpoint."""
    return int(place.name.rpartition("-")[2])


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, complete or not, in the order of their rounds."""
    places = folder.glob(f"checkpoints/*{PREFIX}*")
    named = (path for path in places if path.name.lstrip(".").removeprefix(PREFIX).isdecimal() and path.is_dir())
    return sorted(named, key=turn_of)


def clear(folder: Path) -> None:
    """Remove all checkpoints of a run, and nothing else. Of the root alone."""
    for path in checkpoints(folder):
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):  # there is none, or it holds files of the user's
        (folder / "checkpoints").rmdir()


def remove_older(folder: Path) -> None:
    """Remove all complete checkpoints but the last ones."""
    complete = [path for path in checkpoints(folder) if is_complete(path)]
    for path in complete[:-COMPLETE_ONES]:
        shutil.rmtree(path, ignore_errors=True)


def sync(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can do that."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
