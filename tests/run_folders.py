"""What a run leaves, as tests compare it."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

TABLES = ("metrics.csv", "probes.csv", "hyperparameters.csv")
ARRAYS = ("model.npz", "predictions.npz", "network.npz")


def table(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV file, each by its columns."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def timeless(path: Path) -> list[dict[str, str]]:
    """The same without columns of seconds, in which no two runs agree."""
    return [{name: cell for name, cell in line.items() if "seconds" not in name} for line in table(path)]


def contents(folder: Path, tables: Sequence[str] = TABLES) -> dict[str, object]:
    """All that a loop of rounds leaves, to the bit, but for times and for what went between ranks."""
    stored: dict[str, object] = {name: timeless(folder / name) for name in tables}
    for name in ARRAYS:
        with np.load(folder / name) as arrays:
            stored |= {f"{name} {key}": (arrays[key].shape, arrays[key].tobytes()) for key in arrays.files}
    return stored
