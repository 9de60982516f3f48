"""Cells of a comparison: one method on one draw. Each is a line of a file, so that a long run can be continued."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from time import process_time

import numpy as np

from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.metrics.scores import coverage, nlpd, rmse

from benchmarks.accuracy.methods import METHODS
from benchmarks.accuracy.sets import SETS, Rows
from benchmarks.machine import commit, machine

__all__ = ["QUICK", "Cell", "Grid", "Key", "Scores", "failed", "fill", "read", "scores"]

Key = tuple[str, str, int, int, bool]
"""Of a cell: data, method, inducing inputs, seed, whether it is a quick one."""
Scores = dict[str, float | str]
"""The fields of a cell that are measured."""

QUICK = (200, 60)
"""Training and test rows with --quick."""


@dataclass(frozen=True)
class Cell:
    """Scores of a method on one draw; NaN where it failed.

    inducing: 0 for methods without inducing inputs. seconds: of the processor.
    """

    data: str
    method: str
    inducing: int
    seed: int
    rmse: float
    nlpd: float
    coverage95: float
    seconds: float
    quick: bool
    commit: str
    date: str
    cpu: str
    failure: str = ""

    @property
    def key(self) -> Key:
        """What it is of."""
        return self.data, self.method, self.inducing, self.seed, self.quick


@dataclass(frozen=True)
class Grid:
    """Which cells are wanted, by their names."""

    data: Sequence[str]
    methods: Sequence[str]
    inducing: Sequence[int]
    seeds: int
    quick: bool = False

    def __iter__(self) -> Iterator[Key]:
        """All of them: seed by seed within a set, so that what is there is as even as can be."""
        for size in self.inducing:
            for data in self.data:
                for seed in range(self.seeds):
                    for name in self.methods:
                        yield data, name, size if METHODS[name].sparse else 0, seed, self.quick


def read(path: Path) -> list[Cell]:
    """The cells of a file, none where there is no file; the last of each key counts."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = [Cell(**json.loads(line)) for line in lines if line.endswith("}")]  # a run may have been killed in a line
    return list({cell.key: cell for cell in cells}.values())


def fill(wanted: Iterable[Key], path: Path, say: Callable[[str], None], scores: Callable[[Key], Scores]) -> None:
    """Compute the cells that the file lacks, and append each as it comes; those that failed are tried again."""
    done = {cell.key for cell in read(path) if not cell.failure}
    missing = list(dict.fromkeys(key for key in wanted if key not in done))
    path.parent.mkdir(parents=True, exist_ok=True)
    here = {"commit": commit(), "date": date.today().isoformat(), "cpu": str(machine()["cpu"])}
    for count, key in enumerate(missing, start=1):
        data, method, inducing, seed, quick = key
        cell = Cell(data, method, inducing, seed, quick=quick, **here, **scores(key))
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(cell)) + "\n")
        outcome = cell.failure or f"RMSE {cell.rmse:.4g}, NLPD {cell.nlpd:.3f}, {cell.seconds:.1f} s"
        say(f"{count}/{len(missing)} {data}, {method}, M = {inducing}, seed {seed}: {outcome}")


def scores(key: Key) -> Scores:
    """Of a method on a draw."""
    data, method, inducing, seed, quick = key
    try:
        rows = SETS[data].draw(seed)
    except DataError as missing:
        return failed(str(missing))
    rows = rows.fewer(*QUICK) if quick else rows
    try:
        return _scored(rows, method, inducing, seed)
    except (ValueError, np.linalg.LinAlgError) as failure:
        return failed(f"{type(failure).__name__}: {failure}")


def _scored(rows: Rows, method: str, inducing: int, seed: int) -> Scores:
    started = process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of searches that end at a limit: what counts are the scores
        forecast = METHODS[method].forecast(rows, inducing, seed)
    seconds, asked = process_time() - started, np.ones_like(forecast.mean)
    y = rows.y_test
    scored = {"rmse": rmse, "nlpd": nlpd, "coverage95": coverage}
    return {name: float(score(forecast, y, asked)[0]) for name, score in scored.items()} | {"seconds": seconds}


def failed(why: str) -> Scores:
    """Of a cell that cannot be computed."""
    return dict.fromkeys(("rmse", "nlpd", "coverage95", "seconds"), float("nan")) | {"failure": why}
