"""Sets of vectors, matched by SPAHM and by baselines: scenarios with a section [vectors]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.fusion.matching.studies.outcome import SetsStudy, StudyDraw
from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.base.files import naming, whole
from coolgp.scenarios.config.scenario import VectorsScenario
from coolgp.scenarios.experiments.draws import Draw, DrawTable, Line, lines_of_cells, ranks_of_this_run
from coolgp.scenarios.experiments.experiment import Experiment, Row, Session
from coolgp.scenarios.experiments.sets.findings import findings
from coolgp.scenarios.metrics.matched_columns import MATCHED_COLUMNS
from coolgp.scenarios.metrics.words import is_summed
from coolgp.scenarios.plots.vectors import FIGURES, read_draws
from coolgp.scenarios.simulation.assembly import one_thread

__all__ = ["VECTORS"]

SHARED = ("noise", "used", "seconds")
LARGEST_SEED = 2**31

TABLE = DrawTable(name="draws.csv", keys=("noise",), read=read_draws, words=lambda cell: f"noise {cell[0]:g}")


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
    """Score all methods on the draws at every noise; under MPI draws are dealt to the ranks."""
    ranks = ranks_of_this_run()
    draws = [Draw((noise,), repeat) for noise in scenario.vectors.noise for repeat in range(scenario.run.repeats)]
    lines_of = partial(_lines, scenario, session.folder)
    done = lines_of_cells(session, TABLE, draws, partial(ranks.each, work=lines_of), ranks, at_once=ranks.size)
    for level, (_, lines) in enumerate(done, start=1):
        yield {"round": level, **_means(scenario, lines)}


def _lines(scenario: VectorsScenario, folder: Path, draw: Draw) -> list[Line]:
    """Of a draw; what was matched in the first one at a noise is kept."""
    (noise,) = draw.cell
    drawn = _drawn(scenario, noise, draw.number)
    if draw.number == 0:
        _keep(folder / f"matched-{scenario.vectors.noise.index(noise) + 1}.npz", drawn)
    place: Line = {"noise": noise, "draw": draw.number}
    return [
        {
            **place,
            "method": method,
            **outcome.measures,
            "seconds": outcome.seconds,
            "used": float(drawn.used),
            **drawn.facts,
        }
        for method, outcome in drawn.outcomes.items()
    ]


def _drawn(scenario: VectorsScenario, noise: float, repeat: int) -> StudyDraw:
    seed = int(generator(scenario.run.seed, "draws of vectors", round=repeat).integers(LARGEST_SEED))
    with one_thread():
        draw: StudyDraw = scenario.vectors.study.drawn(noise, seed, SPAHM(seed=seed, **scenario.matching.model_dump()))
    return draw


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
    leaves=(TABLE.name, "matched-*.npz"),
    check=check,
)
