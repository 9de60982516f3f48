"""Sets of vectors, matched by SPAHM and by baselines: scenarios with a section [vectors]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.fusion.matching.studies.outcome import SetsStudy, StudyDraw
from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.base.files import naming, whole, write_table
from coolgp.scenarios.config.scenario import VectorsScenario
from coolgp.scenarios.experiments.experiment import Experiment, Row, Session
from coolgp.scenarios.experiments.kind import Stage
from coolgp.scenarios.experiments.sets.findings import findings
from coolgp.scenarios.metrics.matched_columns import MATCHED_COLUMNS
from coolgp.scenarios.metrics.words import is_summed
from coolgp.scenarios.plots.vectors import FIGURES, read_draws
from coolgp.scenarios.simulation.assembly import one_thread

__all__ = ["VECTORS"]

SHARED = ("noise", "used", "seconds")
LARGEST_SEED = 2**31

Line = dict[str, Any]
"""A line of ``draws.csv``: one method on one draw."""


def check(scenario: VectorsScenario) -> None:
    """Refuse a source that needs a package which is not installed."""
    extra = scenario.vectors.study.extra
    if extra and find_spec(extra[1]) is None:
        raise ConfigError(
            f'vectors.source: "{scenario.vectors.source}" needs {extra[1]}, which is not installed: '
            f'pip install "coolgp[{extra[0]}]"'
        )


def header(scenario: VectorsScenario) -> tuple[str, ...]:
    """The columns of a source of vectors."""
    study: SetsStudy = scenario.vectors.study
    scores = (f"{measure}_{method}" for measure in study.measures for method in study.methods)
    return ("round", *scores, *study.facts, *SHARED)


def rows(scenario: VectorsScenario, session: Session) -> Iterator[Row]:
    """Score all methods on the draws at every noise; go on after the last draw that an earlier run finished."""
    lines: list[Line] = _earlier(session)
    finished = {(line["noise"], line["draw"]) for line in lines}
    noises, repeats = scenario.vectors.noise, scenario.run.repeats
    for level, noise in enumerate(noises):
        for repeat in range(repeats):
            if (noise, repeat) in finished:
                continue
            started = perf_counter()
            draw = _drawn(scenario, noise, repeat)
            seconds = perf_counter() - started
            if repeat == 0:
                _keep(session.folder / f"matched-{level + 1}.npz", draw)
            lines += _lines(draw, noise, repeat)
            write_table(session.folder / "draws.csv", lines)
            words = f"noise {noise:g}, draw {repeat + 1} of {repeats}"
            done = level * repeats + repeat + 1
            session.watcher.show(Stage(done, len(noises) * repeats, words, seconds=seconds, unit="draw"))
        yield {"round": level + 1, **_means(scenario, [line for line in lines if line["noise"] == noise])}


def _drawn(scenario: VectorsScenario, noise: float, repeat: int) -> StudyDraw:
    seed = int(generator(scenario.run.seed, "draws of vectors", round=repeat).integers(LARGEST_SEED))
    with one_thread():
        draw: StudyDraw = scenario.vectors.study.drawn(noise, seed, SPAHM(seed=seed, **scenario.matching.model_dump()))
    return draw


def _lines(draw: StudyDraw, noise: float, repeat: int) -> list[Line]:
    place: Line = {"noise": noise, "draw": repeat}
    return [
        {
            **place,
            "method": method,
            **outcome.measures,
            "seconds": outcome.seconds,
            "used": float(draw.used),
            **draw.facts,
        }
        for method, outcome in draw.outcomes.items()
    ]


def _means(scenario: VectorsScenario, lines: Sequence[Line]) -> Row:
    """The line of ``metrics.csv`` of one noise; seconds are those of all methods on all draws."""
    study = scenario.vectors.study
    means = {
        f"{measure}_{method}": np.mean([line[measure] for line in lines if line["method"] == method])
        for measure in study.measures
        for method in study.methods
    }
    draws = [line for line in lines if line["method"] == study.methods[0]]
    for name in (*study.facts, "noise", "used"):
        values = [line[name] for line in draws]
        means[name] = np.sum(values) if is_summed(name) else np.mean(values)
    means["seconds"] = np.sum([line["seconds"] for line in lines])
    return {name: float(value) for name, value in means.items()}


def _earlier(session: Session) -> list[Line]:
    path = session.folder / "draws.csv"
    return read_draws(path) if session.resumed and path.is_file() else []


def _keep(path: Path, draw: StudyDraw) -> None:
    with naming(path), whole(path) as unfinished, unfinished.open("wb") as file:
        np.savez(file, allow_pickle=False, **draw.matched)


VECTORS = Experiment(
    name="vectors",
    words="sets of vectors that groups bring are matched by SPAHM, beside baselines ([vectors] in place of [agents])",
    scenario=VectorsScenario,
    columns=("round", *(column.name for column in MATCHED_COLUMNS), "seconds", "seconds_training"),
    header=header,
    rows=rows,
    figures=FIGURES,
    findings=findings,
    leaves=("draws.csv", "matched-*.npz"),
    check=check,
    one_process="matches the vectors of all groups in one process, which takes milliseconds",
)
