"""What the report of a run with newcomers' networks says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coolgp.fusion.personalise.studies.drawn import SITUATIONS
from coolgp.scenarios.base.formatting import counted, number
from coolgp.scenarios.experiments.report import ExperimentFolder, Findings, ResultTable
from coolgp.scenarios.metrics.head_columns import HEAD_WORDS
from coolgp.scenarios.plots.apart.heads import Line, head_scores, read_heads
from coolgp.scenarios.studies.paired import with_interval

__all__ = ["findings"]

OWN = "refit"
"""What is proposed."""
NOTE = (
    "Right: share of test images with the right class, mean over draws. Less refitted: mean difference from the first "
    "method on the same draws, with its 95 % interval by Student's t. NLPD in nats; a probability below 0.001 counts "
    "as that."
)


def findings(folder: ExperimentFolder) -> Findings:
    """A table for each situation, and who is best in it with each number of images."""
    settings, lines = folder.config.heads, read_heads(folder.path / "heads.csv")
    shares = [
        f"{situation} {', '.join(number(_mean(lines, OWN, situation, count, 'right')) for count in settings.examples)}"
        for situation in settings.situations
    ]
    return Findings(
        f"{counted(settings.owners, 'owner')} of {counted(settings.rows, 'image')} each, "
        f"{counted(folder.config.run.repeats, 'draw')}: share right of the fused network with a refitted head, with "
        f"{', '.join(map(str, settings.examples))} images: {'; '.join(shares)}.",
        tuple(_table(lines, situation, settings.examples) for situation in settings.situations),
        tuple(_best(lines, situation, settings.examples) for situation in settings.situations),
    )


def _mean(lines: Sequence[Line], method: str, situation: str, examples: int, measure: str) -> float:
    return float(np.mean(head_scores(lines, method, situation, examples, measure)))


def _table(lines: Sequence[Line], situation: str, examples: Sequence[int]) -> ResultTable:
    header = [""]
    header += [f"{what}, {count} images" for count in examples for what in ("right", "less refitted", "NLPD")]
    rows = [
        [words, *(cell for count in examples for cell in _cells(lines, method, situation, count))]
        for method, words in HEAD_WORDS.items()
    ]
    return ResultTable(f"{situation}: {SITUATIONS[situation].words}", header, rows, NOTE)


def _cells(lines: Sequence[Line], method: str, situation: str, count: int) -> list[str]:
    right = head_scores(lines, method, situation, count, "right")
    gap = "" if method == OWN else with_interval(right - head_scores(lines, OWN, situation, count, "right"))
    return [number(float(right.mean())), gap, number(_mean(lines, method, situation, count, "nlp"))]


def _best(lines: Sequence[Line], situation: str, examples: Sequence[int]) -> str:
    best = []
    for count in examples:
        means = {method: _mean(lines, method, situation, count, "right") for method in HEAD_WORDS}
        first = max(means, key=lambda method: means[method])
        best.append(f"{HEAD_WORDS[first]} with {count} ({number(means[first])})")
    return f"{situation}, most right: {'; '.join(best)}."
