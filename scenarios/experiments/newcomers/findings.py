"""What the report of a run with newcomers says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coolgp.scenarios.base.formatting import counted, number
from coolgp.scenarios.experiments.newcomers.owners import sums_words
from coolgp.scenarios.experiments.report import ExperimentFolder, Findings, ResultTable
from coolgp.scenarios.metrics.newcomer_columns import START_WORDS
from coolgp.scenarios.plots.newcomers import Line, of_units, read_newcomers
from coolgp.scenarios.records.guarantee import guarantee_path, read_guarantee
from coolgp.scenarios.studies.paired import with_interval

__all__ = ["findings"]

OWN, PLAIN = "mixture", "scratch"
"""What is proposed, and what it is compared with."""


def findings(folder: ExperimentFolder) -> Findings:
    """The error of the warm start as a share of scratch's, a table for each relation, and paired differences."""
    scenario = folder.config
    source, examples = scenario.tasks.tasks, scenario.tasks.examples
    lines = read_newcomers(folder.path / "newcomers.csv")
    shares = [f"{group} {', '.join(_share(lines, group, count) for count in examples)}" for group in source.groups]
    return Findings(
        f"{counted(source.owners, 'owner')}, {counted(scenario.run.repeats, 'draw')}: the error of the warm start as a "
        f"share of scratch's, with {', '.join(map(str, examples))} rows: {'; '.join(shares)}.",
        tuple(_table(lines, source, group, examples) for group in source.groups),
        (*source.remarks, *_sums(folder)),
    )


def _sums(folder: ExperimentFolder) -> list[str]:
    """How exact the owners' sums were; runs of older versions summed in one place."""
    if not guarantee_path(folder.path).is_file():
        return []
    return [sums_words(read_guarantee(folder.path), folder.config.fusion.rounds_per_step)]


def _of(lines: Sequence[Line], group: str, count: int) -> list[Line]:
    return [line for line in lines if (line["relation"], line["examples"]) == (group, count)]


def _share(lines: Sequence[Line], group: str, count: int) -> str:
    own, plain = (_mean(_of(lines, group, count), method, "error") for method in (OWN, PLAIN))
    return f"{own / plain:.2f}"


def _mean(lines: Sequence[Line], method: str, measure: str) -> float:
    return float(np.mean([line[measure] for line in lines if line["method"] == method]))


def _table(lines: Sequence[Line], source: Any, group: str, examples: Sequence[int]) -> ResultTable:
    """Error, coverage and the difference from scratch of every method, with each number of rows."""
    header = [""]
    header += [f"{what}, {count} rows" for count in examples for what in ("error", "less scratch", "NLPD", "coverage")]
    rows = [
        [words, *(cell for count in examples for cell in _cells(_of(lines, group, count), method, source.paired_by))]
        for method, words in START_WORDS.items()
    ]
    note = (
        f"Error: {source.error_words}, mean over newcomers and draws. Less scratch: mean difference on the same "
        "rows, with its 95 % interval by Student's t. NLPD in nats; coverage of the central 95 % interval."
    )
    return ResultTable(f"Tasks: {group}", header, rows, note)


def _cells(lines: Sequence[Line], method: str, unit: str) -> list[str]:
    gap = of_units(lines, method, "error", unit) - of_units(lines, PLAIN, "error", unit)
    means = [_mean(lines, method, measure) for measure in ("error", "nlpd", "coverage95")]
    return [number(means[0]), "" if method == PLAIN else with_interval(gap), number(means[1]), f"{means[2]:.2f}"]
