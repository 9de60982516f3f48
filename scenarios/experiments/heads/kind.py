"""Newcomers refit the output layer of a fused network, beside what else they could do: scenarios with [heads]."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from time import perf_counter

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.queries.density import floored_log
from coolgp.fusion.personalise.studies.drawn import SITUATIONS, NewcomersTask, OwnersNetworks, drawn_owners
from coolgp.fusion.personalise.studies.methods import HEAD_METHODS
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.scenario import HeadsScenario
from coolgp.scenarios.experiments.draws import Draw, DrawTable, Line, lines_of_cells, method_means, ranks_of_this_run
from coolgp.scenarios.experiments.experiment import Experiment, Row, Session
from coolgp.scenarios.experiments.few_shot.kind import labelled_images
from coolgp.scenarios.experiments.heads.findings import findings
from coolgp.scenarios.metrics.head_columns import HEAD_COLUMNS, HEAD_MEASURES
from coolgp.scenarios.plots.apart.heads import FIGURES, read_heads
from coolgp.scenarios.simulation.assembly import one_thread

__all__ = ["HEADS"]

TABLE = DrawTable(
    name="heads.csv",
    keys=("situation", "examples"),
    read=read_heads,
    words=lambda cell: f"{cell[0]}, {cell[1]} images",
)
FLOOR = 1e-3
"""Least probability of a class: of one that is not among the rows, say."""
LEAST_TESTS = 100
Owners = tuple[OwnersNetworks, NewcomersTask]


def check(scenario: HeadsScenario) -> tuple[Array, Indices]:
    """The images and their labels. Raises ValueError where owners and newcomers need more than there are."""
    settings, (x, labels) = scenario.heads, labelled_images(scenario.heads.source)
    left = len(x) - settings.owners * settings.rows - max(settings.examples)
    if left < LEAST_TESTS:
        raise ConfigError(
            f"heads.owners, heads.rows: {settings.source} has {len(x)} images, and {max(left, 0)} are left to test at; "
            f"needed {LEAST_TESTS}"
        )
    return x, labels


def rows(scenario: HeadsScenario, session: Session) -> Iterator[Row]:
    """All methods on the draws of each situation and number of images; under MPI draws are dealt to the ranks."""
    settings, ranks = scenario.heads, ranks_of_this_run()
    cells = [(situation, examples) for situation in settings.situations for examples in settings.examples]
    draws = [Draw(cell, number) for cell in cells for number in range(scenario.run.repeats)]
    x, labels = session.prepared

    @lru_cache(maxsize=2 * scenario.run.repeats)
    def drawn(skewed: bool, number: int) -> Owners:
        sizes = settings.owners, settings.rows, max(settings.examples)
        return drawn_owners(x, labels, skewed, *sizes, (scenario.run.seed, number))

    def lines_of(draw: Draw) -> list[Line]:
        situation, examples = draw.cell
        owners, task = drawn(SITUATIONS[situation].skewed, draw.number)
        own = SITUATIONS[situation].task(task).with_rows(examples)
        facts = {"situation": situation, "examples": examples, "draw": draw.number}
        return [facts | {"method": method} | _scored(method, owners, own) for method in HEAD_METHODS]

    with one_thread():
        done = lines_of_cells(session, TABLE, draws, partial(ranks.each, work=lines_of), ranks, at_once=ranks.size)
        for place, ((situation, examples), lines) in enumerate(done, start=1):
            number = settings.situations.index(situation) + 1
            yield {
                "round": place,
                "situation": number,
                "examples": examples,
                **method_means(lines, HEAD_MEASURES, HEAD_METHODS),
            }


def _scored(method: str, owners: OwnersNetworks, task: NewcomersTask) -> dict[str, float]:
    started = perf_counter()
    shares = HEAD_METHODS[method](owners, task)
    seconds = perf_counter() - started
    own = shares[np.arange(len(shares)), task.test_y]
    right, nlp = np.mean(shares.argmax(axis=1) == task.test_y), -floored_log(own, FLOOR).mean()
    return {"right": float(right), "nlp": float(nlp), "seconds": seconds}


HEADS = Experiment(
    name="heads",
    words="newcomers with few rows refit the output layer of networks that were fused, beside what else they could do "
    "([heads] in place of [agents])",
    scenario=HeadsScenario,
    columns=("round", "situation", "examples", *(column.name for column in HEAD_COLUMNS[1:]), "seconds"),
    rows=rows,
    figures=FIGURES,
    findings=findings,
    leaves=(TABLE.name,),
    check=check,
)
