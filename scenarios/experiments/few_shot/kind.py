"""Tasks that nobody has seen: all methods on the same draws, in scenarios with a section [few_shot]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.prototypes.studies.methods import FEW_SHOT_METHODS
from coolgp.fusion.prototypes.studies.tasks import DrawnTask, Sizes, drawn_task
from coolgp.network.base.lazy_table import imported
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.scenario import FewShotScenario
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.experts import ExpertsDataSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.config.sources import SOURCES
from coolgp.scenarios.experiments.draws import Draw, DrawTable, Line, lines_of_cells, method_means, ranks_of_this_run
from coolgp.scenarios.experiments.experiment import Experiment, Row, Session
from coolgp.scenarios.experiments.few_shot.findings import findings
from coolgp.scenarios.metrics.few_shot_columns import FEW_SHOT_COLUMNS
from coolgp.scenarios.plots.few_shot import FIGURES, read_draws
from coolgp.scenarios.simulation.assembly import one_thread

__all__ = ["FEW_SHOT", "labelled_images"]

TABLE = DrawTable(
    name="draws.csv",
    keys=("situation", "shots"),
    read=read_draws,
    words=lambda cell: f"{cell[0]}, {cell[1]} of each class",
)


def check(scenario: FewShotScenario) -> tuple[Array, Indices]:
    """The images and their labels. Raises ValueError where tasks cannot be drawn from them."""
    settings, (x, labels) = scenario.few_shot, labelled_images(scenario.few_shot.source)
    classes = len(np.unique(labels))
    needed = settings.ways + 2 * settings.experts
    if classes < needed:
        raise ConfigError(
            f"few_shot.experts: {settings.experts} experts with two classes or more each, beside {settings.ways} of a "
            f"task, need {needed} classes; {settings.source} has {classes}"
        )
    left = len(labels) - settings.pool - settings.private
    if left < 2 * max(settings.shots) * classes:
        raise ConfigError(
            f"few_shot.pool, few_shot.private: {settings.source} has {len(labels)} rows, and {left} are left for "
            f"examples and tests; needed {2 * max(settings.shots) * classes}"
        )
    return x, labels


def labelled_images(source: str) -> tuple[Array, Indices]:
    """The images ``[R, D]`` of a source, and their labels ``[R]``."""
    load: Any = imported(SOURCES[source].loader)
    table = load(ExpertsDataSettings(source=source), AgentsSettings(), RunSettings())
    return np.asarray(table.x, dtype=float), np.asarray(table.y, dtype=np.intp)


def header(scenario: FewShotScenario) -> tuple[str, ...]:
    """The columns of the methods that are compared."""
    return ("round", *(f"accuracy_{method}" for method in scenario.few_shot.methods), *SHARED)


def rows(scenario: FewShotScenario, session: Session) -> Iterator[Row]:
    """All methods on the draws of each situation and number of examples; under MPI draws are dealt to the ranks."""
    settings, ranks = scenario.few_shot, ranks_of_this_run()
    cells = [(situation, shots) for situation in settings.situations for shots in settings.shots]
    draws = [Draw(cell, number) for cell in cells for number in range(scenario.run.repeats)]
    lines_of = partial(_lines, scenario, session.prepared)
    with one_thread():
        done = lines_of_cells(session, TABLE, draws, partial(ranks.each, work=lines_of), ranks, at_once=ranks.size)
        for place, (_, lines) in enumerate(done, start=1):
            yield {"round": place, **_means(scenario, lines)}


def _lines(scenario: FewShotScenario, images: tuple[Array, Indices], draw: Draw) -> list[Line]:
    settings, (situation, shots) = scenario.few_shot, draw.cell
    sizes = Sizes(settings.experts, settings.ways, settings.pool, settings.private)
    x, labels = images
    task = drawn_task(x, labels, situation, shots, sizes, scenario.run.seed, draw.number)
    facts = {"situation": situation, "shots": shots, "draw": draw.number, **_facts(task)}
    return [facts | _scored(task, method) for method in settings.methods]


def _facts(task: DrawnTask) -> dict[str, float]:
    by_experts = np.isin(task.classes, np.concatenate([expert.classes_ for expert in task.experts]))
    return {"known_classes": float(by_experts.mean()), "pool_share": task.pool_share}


def _scored(task: DrawnTask, method: str) -> Line:
    started = perf_counter()
    right = FEW_SHOT_METHODS[method](task) == task.test_y
    return {"method": method, "accuracy": float(right.mean()), "seconds": perf_counter() - started}


def _means(scenario: FewShotScenario, lines: Sequence[Line]) -> Row:
    """The line of ``metrics.csv`` of one situation and number of examples; seconds are those of all methods."""
    facts = {name: float(np.mean([line[name] for line in lines])) for name in ("shots", "known_classes", "pool_share")}
    return facts | method_means(lines, ("accuracy",), scenario.few_shot.methods)


SHARED = ("shots", "known_classes", "pool_share", "seconds")

FEW_SHOT = Experiment(
    name="few-shot",
    words="tasks that nobody has seen, from a few examples and experts that only answer queries ([few_shot] in place "
    "of [agents])",
    scenario=FewShotScenario,
    columns=("round", *(column.name for column in FEW_SHOT_COLUMNS), "seconds"),
    header=header,
    rows=rows,
    figures=FIGURES,
    findings=findings,
    leaves=(TABLE.name,),
    check=check,
)
