"""Small tables that tests of data write, and what is alike in two data sets."""

from __future__ import annotations

from dataclasses import fields as record_fields
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.loading import load

__all__ = ["ROWS", "assert_equal", "dataset", "points", "write"]

ROWS = 60


def write(folder: Path, content: str | bytes, name: str = "points.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def points(folder: Path, rows: int = ROWS, stations: int = 4) -> Path:
    lines = [f"{i},{i % 7},{i * i % 11},s{i % stations}" for i in range(rows)]
    return write(folder, "\n".join(["y,x0,x1,station", *lines]))


def dataset(folder: Path, *overrides: str, **data: Any) -> Dataset:
    keys = {"source": str(points(folder)), "target": "y", **data}
    return load(resolve({"data": keys, "agents": {"count": 5}}, "points", overrides))


def assert_equal(one: Dataset, other: Dataset) -> None:
    for mine, others in zip(one.training.identity(), other.training.identity(), strict=True):
        assert np.array_equal(mine, others)
    for entry in record_fields(Dataset)[1:]:
        assert np.array_equal(getattr(one, entry.name), getattr(other, entry.name)), entry.name
