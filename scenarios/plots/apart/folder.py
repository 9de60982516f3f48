"""What figures of models trained apart read from a run folder."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.metrics.words import metric_words

__all__ = ["Folder", "read_lines", "read_rows", "score_of", "score_words"]


class Folder(Protocol):
    """The run folder of such a run, read."""

    @property
    def path(self) -> Path:
        """Of the folder."""

    @property
    def config(self) -> Any:
        """Its scenario."""

    @property
    def metrics(self) -> Mapping[str, Floats]:
        """Columns of ``metrics.csv``."""


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table. Raises ValueError where there is none, or it is empty."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError) as problem:
        raise ValueError(f"{path} cannot be read: {problem}") from problem
    if not rows:
        raise ValueError(f"{path} has no rows")
    return rows


def read_lines(path: Path, texts: Collection[str], whole: Collection[str]) -> list[dict[str, Any]]:
    """The rows of a table of draws, all numbers but in columns of texts, and whole ones in some. Raises ValueError."""
    try:
        return [
            {name: cell if name in texts else int(cell) if name in whole else float(cell) for name, cell in row.items()}
            for row in read_rows(path)
        ]
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{path} cannot be read: {problem}") from problem


def score_of(folder: Folder) -> str:
    """The main score of a run."""
    return "accuracy" if "accuracy_post" in folder.metrics else "rmse"


def score_words(folder: Folder, score: str) -> str:
    """A score in words, with its unit."""
    words = metric_words(f"{score}_post", source_named(folder.config.data.source).unit)
    return words.replace(" after fusion", "")
