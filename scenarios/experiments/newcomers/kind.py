"""A warm start from the models of others, beside what else newcomers could do: scenarios with a section [tasks]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from time import perf_counter

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.personalise.beside import METHODS
from coolgp.fusion.personalise.starting import StartingPoint
from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.base.files import write_table
from coolgp.scenarios.config.scenario import TasksScenario
from coolgp.scenarios.experiments.experiment import Experiment, Row, Session
from coolgp.scenarios.experiments.kind import Stage
from coolgp.scenarios.experiments.newcomers.findings import findings
from coolgp.scenarios.experiments.newcomers.source import Newcomer, TaskSource
from coolgp.scenarios.metrics.newcomer_columns import MEASURES, NEWCOMER_COLUMNS
from coolgp.scenarios.plots.newcomers import FIGURES, Line, read_newcomers
from coolgp.scenarios.simulation.assembly import one_thread

__all__ = ["NEWCOMERS"]

SMALLEST = 1e-12
"""Variance of a function: what rounding leaves of one that is known."""
LARGEST_SEED = 2**31
CENTRAL_95 = 1.959963984540054
"""Half the width of the central interval of 95 %, in standard deviations."""


def check(scenario: TasksScenario) -> None:
    """Refuse a source that needs a package which is not installed."""
    extra = scenario.tasks.tasks.extra
    if extra and find_spec(extra[1]) is None:
        raise ConfigError(
            f'tasks.source: "{scenario.tasks.source}" needs {extra[1]}, which is not installed: '
            f'pip install "coolgp[{extra[0]}]"'
        )


def rows(scenario: TasksScenario, session: Session) -> Iterator[Row]:
    """Score all methods on all draws; go on after the last draw that an earlier run finished."""
    source: TaskSource = scenario.tasks.tasks
    path, repeats, done = session.folder / "newcomers.csv", scenario.run.repeats, 0
    lines: list[Line] = read_newcomers(path) if session.resumed and path.is_file() else []
    finished = {(line["relation"], line["draw"]) for line in lines}
    for number, group in enumerate(source.groups):
        for draw in range(repeats):
            done += 1
            if (group, draw) in finished:
                continue
            started = perf_counter()
            lines += _lines(scenario, source, group, draw)
            write_table(path, lines)
            words = f"{group}, draw {draw + 1} of {repeats}"
            seconds = perf_counter() - started
            session.watcher.show(Stage(done, len(source.groups) * repeats, words, seconds=seconds, unit="draw"))
        for place, examples in enumerate(scenario.tasks.examples):
            own = [line for line in lines if (line["relation"], line["examples"]) == (group, examples)]
            turn = number * len(scenario.tasks.examples) + place + 1
            yield {"round": turn, "relation": number + 1, "examples": examples, **_means(own)}


def _lines(scenario: TasksScenario, source: TaskSource, group: str, draw: int) -> list[Line]:
    """All methods on all newcomers of a draw, with each number of rows."""
    seed = int(generator(scenario.run.seed, "draws of tasks", round=draw).integers(LARGEST_SEED))
    with one_thread():
        tasks = source.drawn(group, seed, max(scenario.tasks.examples))
        return [
            {"relation": group, "draw": draw, "newcomer": newcomer.name, "examples": examples, "method": method}
            | _scored(tasks.start, method, newcomer, examples)
            for newcomer in tasks.newcomers
            for examples in scenario.tasks.examples
            for method in METHODS
        ]


def _scored(start: StartingPoint, method: str, newcomer: Newcomer, examples: int) -> dict[str, float]:
    started = perf_counter()
    model = METHODS[method](start, newcomer.x[:examples], newcomer.y[:examples])
    mean, std = model.predict(newcomer.x_test)
    seconds = perf_counter() - started
    noise = 0.0 if newcomer.observed else start.common.parameters.noise_variance
    spread = np.sqrt(np.maximum(np.square(std) - noise, SMALLEST))
    return _scores(mean, spread, newcomer.y_test) | {"seconds": seconds}


def _scores(mean: Array, std: Array, y: Array) -> dict[str, float]:
    error = y - mean
    density = 0.5 * np.square(error / std) + np.log(std) + 0.5 * np.log(2 * np.pi)
    values = (np.sqrt(np.mean(np.square(error))), density.mean(), np.mean(np.abs(error) < CENTRAL_95 * std))
    return {name: float(value) for name, value in zip(MEASURES, values, strict=True)}


def _means(lines: Sequence[Line]) -> Row:
    """Scores of each method, means over draws and newcomers; the seconds of all."""
    means = {
        f"{measure}_{method}": float(np.mean([line[measure] for line in lines if line["method"] == method]))
        for measure in MEASURES
        for method in METHODS
    }
    return means | {"seconds": float(np.sum([line["seconds"] for line in lines]))}


NEWCOMERS = Experiment(
    name="newcomers",
    words="newcomers with few rows start from the models of others, beside what else they could do "
    "([tasks] in place of [agents])",
    scenario=TasksScenario,
    columns=("round", *(column.name for column in NEWCOMER_COLUMNS), "seconds"),
    rows=rows,
    figures=FIGURES,
    findings=findings,
    leaves=("newcomers.csv",),
    check=check,
    one_process="learns from the evidence of all owners in one process, which takes a second",
)
