"""A warm start from the models of others, beside what else newcomers could do: scenarios with a section [tasks]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from time import perf_counter

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.personalise.beside import METHODS
from coolgp.fusion.personalise.starting import StartingPoint
from coolgp.network.base.randomness import generator
from coolgp.network.transport import Transport
from coolgp.scenarios.base.errors import ConfigError, FoundByAll
from coolgp.scenarios.base.files import write_whole
from coolgp.scenarios.config.scenario import TasksScenario
from coolgp.scenarios.experiments.draws import Draw, DrawTable, Ranks, lines_of_cells, method_means, ranks_of_this_run
from coolgp.scenarios.experiments.experiment import Experiment, Row, Session
from coolgp.scenarios.experiments.newcomers.findings import findings
from coolgp.scenarios.experiments.newcomers.owners import PlannedOwners, beside_owners, plan_owners
from coolgp.scenarios.experiments.newcomers.source import Newcomer, Tasks, TaskSource
from coolgp.scenarios.metrics.newcomer_columns import MEASURES, NEWCOMER_COLUMNS
from coolgp.scenarios.plots.newcomers import FIGURES, Line, read_newcomers
from coolgp.scenarios.records.guarantee import GUARANTEE
from coolgp.scenarios.simulation.assembly import one_thread

__all__ = ["NEWCOMERS"]

SMALLEST = 1e-12
"""Variance of a function: what rounding leaves of one that is known."""
LARGEST_SEED = 2**31
TABLE = DrawTable(name="newcomers.csv", keys=("relation",), read=read_newcomers, words=lambda cell: f"{cell[0]}")
CENTRAL_95 = 1.959963984540054
"""Half the width of the central interval of 95 %, in standard deviations."""


def check(scenario: TasksScenario) -> PlannedOwners:
    """The graph of the owners. Refuse a source that needs a package which is not installed, and what does not fit."""
    extra = scenario.tasks.tasks.extra
    if extra and find_spec(extra[1]) is None:
        raise ConfigError(
            f'tasks.source: "{scenario.tasks.source}" needs {extra[1]}, which is not installed: '
            f'pip install "coolgp[{extra[0]}]"'
        )
    return plan_owners(scenario)


def rows(scenario: TasksScenario, session: Session) -> Iterator[Row]:
    """Score all methods on all draws.

    Under MPI owners learn on the ranks that the graph deals them to, and a newcomer is where the owner beside it is.
    """
    source: TaskSource = scenario.tasks.tasks
    draws = [Draw((group,), number) for group in source.groups for number in range(scenario.run.repeats)]
    with one_thread():
        ranks = ranks_of_this_run()
        if ranks.root:
            write_whole(session.folder / GUARANTEE, session.prepared.stated.text().encode())
        work = Work(session.prepared, ranks, session.prepared.connected(ranks.size))
        for number, ((_,), lines) in enumerate(lines_of_cells(session, TABLE, draws, work, ranks)):
            for place, examples in enumerate(scenario.tasks.examples):
                own = [line for line in lines if line["examples"] == examples]
                turn = number * len(scenario.tasks.examples) + place + 1
                yield {
                    "round": turn,
                    "relation": number + 1,
                    "examples": examples,
                    **method_means(own, MEASURES, METHODS),
                }


@dataclass(frozen=True)
class Work:
    """Draws, done by all ranks together. transport: over the owners' links."""

    owners: PlannedOwners
    ranks: Ranks
    transport: Transport

    def __call__(self, draws: Sequence[Draw]) -> list[Line]:
        """All methods on all newcomers of some draws, with each number of rows; on the root. Collective."""
        return [line for draw in draws for line in self._lines(draw)]

    def _lines(self, draw: Draw) -> list[Line]:
        scenario, (group,) = self.owners.scenario, draw.cell
        seed = int(generator(scenario.run.seed, "draws of tasks", round=draw.number).integers(LARGEST_SEED))
        owners = self.owners.over(self.transport, seed)
        try:
            tasks = scenario.tasks.tasks.drawn(group, seed, max(scenario.tasks.examples), owners.learn)
        except np.linalg.LinAlgError:
            raise  # of one rank alone, which ends the job
        except ValueError as problem:
            raise FoundByAll(str(problem)) from problem
        beside = beside_owners(len(tasks.newcomers), self.owners.links.order)
        starts = {int(owner): tasks.start.of(place) for place, owner in enumerate(self.transport.shard.agents)}
        mine = [number for number, owner in enumerate(beside.tolist()) if owner in starts]
        lines_of = partial(_lines, draw, tasks, {number: starts[int(beside[number])] for number in mine}, scenario)
        return self.ranks.each(range(len(beside)), lines_of, mine)


def _lines(
    draw: Draw, tasks: Tasks, starts: Mapping[int, StartingPoint], scenario: TasksScenario, number: int
) -> list[Line]:
    """All methods on a newcomer, by its number, with each number of rows."""
    newcomer = tasks.newcomers[number]
    place = {"relation": draw.cell[0], "draw": draw.number, "newcomer": newcomer.name}
    return [
        place | {"examples": examples, "method": method} | _scored(starts[number], method, newcomer, examples)
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


NEWCOMERS = Experiment(
    name="newcomers",
    words="newcomers with few rows start from the models of others, beside what else they could do "
    "([tasks] in place of [agents])",
    scenario=TasksScenario,
    columns=("round", *(column.name for column in NEWCOMER_COLUMNS), "seconds"),
    rows=rows,
    figures=FIGURES,
    findings=findings,
    leaves=(TABLE.name, GUARANTEE),
    check=check,
)
