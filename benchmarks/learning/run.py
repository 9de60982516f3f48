"""The command: what is missing is computed, and the table is written from all that is there."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import coolgp
from coolgp.scenarios.base.errors import ConfigError, DataError

from benchmarks.accuracy.cells import Key, Scores, failed, fill, read
from benchmarks.learning.streams import AGENTS, BATCH, ROUNDS, STREAMS
from benchmarks.learning.table import MODES, write_table

__all__ = ["learning_page", "scores"]

INDUCING, PROBES = 50, 5
QUICK_ROUNDS, QUICK_INDUCING = 4, 10


def learning_page(
    data: Sequence[str] | None, seeds: Sequence[int], quick: bool, cells: Path, page: Path, say: Callable[[str], None]
) -> Path:
    """Fill the file of cells and write the page's table, also where the work is interrupted; the page's path.

    data: streams, all by default. Raises SystemExit for an unknown one.
    """
    unknown = sorted({*(data or ())} - {*STREAMS})
    if unknown:
        raise SystemExit(f"--data: needed {' | '.join(STREAMS)}; got {', '.join(unknown)}")
    try:
        fill(_wanted(data or [*STREAMS], seeds, quick), cells, say, scores)
    finally:
        there = [cell for cell in read(cells) if cell.quick == quick]
        if there:
            write_table(there, page)
    return page


def scores(key: Key) -> Scores:
    """Of a mode on a stream."""
    stream, seed, started = STREAMS[key[0]], key[3], process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of searches that end at a limit: what counts are the scores
            dataset = stream.dataset(seed) if stream.dataset else None
            row = coolgp.run(coolgp.load_scenario(_settings(key)), dataset=dataset).metrics.iloc[-1]
    except (ConfigError, DataError) as missing:
        return failed(str(missing))
    named = {"rmse": "rmse_post", "nlpd": "nlpd_post", "coverage95": "coverage95_post"}
    return {name: float(row[column]) for name, column in named.items()} | {"seconds": process_time() - started}


def _settings(key: Key) -> dict[str, dict[str, Any]]:
    data, mode, inducing, seed, quick = key
    rounds = QUICK_ROUNDS if quick else ROUNDS
    sections: dict[str, dict[str, Any]] = {
        "data": {},
        "agents": {"count": AGENTS, "batch_size": BATCH, "inducing": inducing, "hyperparameters": mode},
        "network": {"topology": "small-world"},
        "run": {"rounds": rounds, "evaluate_every": rounds, "probes": PROBES, "seed": seed},
    }
    return {name: {**section, **STREAMS[data].settings.get(name, {})} for name, section in sections.items()}


def _wanted(data: Sequence[str], seeds: Sequence[int], quick: bool) -> Iterator[Key]:
    """Seed by seed, so that what is there is as even as can be."""
    for seed in seeds:
        for name in data:
            for mode in MODES:
                if not (mode == "collective" and STREAMS[name].apart):
                    yield name, mode, QUICK_INDUCING if quick else INDUCING, seed, quick
