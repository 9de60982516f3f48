"""Agents that learn two classes online, and fuse what they learned: ``[data] task = "classification"``."""

from __future__ import annotations

from functools import partial
from math import isfinite
from pathlib import Path

from coolgp.scenarios.base.formatting import counted, forged_words, number, size_text
from coolgp.scenarios.config.scenario import ClassesScenario
from coolgp.scenarios.experiments.classes.tabled import CALIBRATION, COLUMNS, TabledClasses
from coolgp.scenarios.experiments.report import ExperimentFolder, Findings, ResultTable, draw_experiment
from coolgp.scenarios.experiments.rounds import Rounds, spread_words
from coolgp.scenarios.metrics.words import is_summed, metric_words
from coolgp.scenarios.plots.apart.figures import FIGURES
from coolgp.scenarios.records.guarantee import guarantee_words, read_guarantee
from coolgp.scenarios.records.tables import Columns
from coolgp.scenarios.runs.go import Row
from coolgp.scenarios.runs.removal import remove_run
from coolgp.scenarios.runs.run import Output

__all__ = ["CLASSIFICATION"]

PLACES = 4


def scores(row: Row) -> str:
    """Of a round, in words."""
    return f"accuracy {row['accuracy_pre']:.4g} before, {row['accuracy_post']:.4g} after fusion"


def ended(columns: Columns) -> list[str]:
    """The scores of the last round."""
    losses = [number(columns[f"log_loss_{when}"][-1], PLACES) for when in ("pre", "post")]
    return [
        f"accuracy before fusion  {spread_words(columns, 'accuracy_pre')}  (mean ± std over probe agents)",
        f"accuracy after fusion   {spread_words(columns, 'accuracy_post')}",
        f"log loss {losses[0]} nats before, {losses[1]} after fusion",
    ]


def draw(folder: Path) -> list[Path]:
    """Draw the figures and write the report of a finished run, from its folder alone; their paths."""
    return draw_experiment(folder, DRAWN, findings)


def findings(folder: ExperimentFolder) -> Findings:
    """The scores of the last round, what was sent, and how much of it is exact."""
    metrics, scenario = folder.metrics, folder.config
    last = {name: float(sum(column) if is_summed(name) else column[-1]) for name, column in metrics.items()}
    table = [[metric_words(name), number(value, PLACES)] for name, value in last.items() if isfinite(value)]
    forged = forged_words(metrics["forged"].tolist()) if "forged" in metrics else ""
    notes = (note for name in ("data_notes", "start_notes") for note in folder.env.get(name, ()))
    return Findings(
        f"{last['observations']:,.0f} observations of two classes in {counted(last['round'], 'round')}. Accuracy "
        f"{number(last['accuracy_pre'], PLACES)} of agents alone, {number(last['accuracy_post'], PLACES)} fused; "
        f"log loss {number(last['log_loss_pre'], PLACES)} and {number(last['log_loss_post'], PLACES)} nats. "
        f"{size_text(last['bytes'])} sent in {counted(last['messages'], 'message')}.",
        (ResultTable("At the end of the last round", ["", "value"], table, "Messages, bytes and seconds are sums."),),
        (guarantee_words(read_guarantee(folder.path)), _exactness(scenario), *filter(None, [forged, *notes])),
    )


def _exactness(scenario: ClassesScenario) -> str:
    kept = scenario.agents.kept_rows
    which = (
        "All rows are weighed anew in every round, so that the weights settle at those of one model of all rows"
        if kept == "all"
        else f"An agent weighs its newest {kept:,} rows anew in every round; older ones count as they were weighed last"
    )
    return (
        "The sums of weighted rows are fused as exactly as the guarantee says. The weights follow from what an agent "
        f"believed when it weighed a row. {which}. The posterior is a Gaussian, by a lower bound of the likelihood."
    )


DRAWN = {name: FIGURES[name] for name in ("rounds", "calibration")}
LEFT = (CALIBRATION, *(f"{name}.png" for name in DRAWN))
"""Files that runs of numbers do not leave."""
CLASSIFICATION = Rounds(
    name=TabledClasses.kind,
    words='agents learn two classes online ([data] task = "classification")',
    scenario=ClassesScenario,
    columns=COLUMNS,
    tabled=TabledClasses,
    output=Output(draw, partial(remove_run, more=LEFT)),
    scores=scores,
    ended=ended,
)
