"""Agents that learn two classes online, and fuse what they learned: ``[data] task = "classification"``."""

from __future__ import annotations

from coolgp.network.launcher import launched_size
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.base.formatting import counted, number, size_text
from coolgp.scenarios.config.scenario import ClassesScenario
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.experiments.classes.rounds import COLUMNS, Prepared, rows
from coolgp.scenarios.experiments.experiment import Experiment
from coolgp.scenarios.experiments.report import ExperimentFolder, Findings, ResultTable
from coolgp.scenarios.metrics.words import is_summed, metric_words
from coolgp.scenarios.planning.limits import admit
from coolgp.scenarios.plots.apart.figures import FIGURES
from coolgp.scenarios.records.guarantee import GUARANTEE, guarantee_words, read_guarantee

__all__ = ["CLASSIFICATION"]

PLACES = 4


def check(scenario: ClassesScenario) -> Prepared:
    """Read the rows. Raises ValueError where they are not of two classes, or the run would not fit into memory."""
    dataset = load(scenario)
    if len(dataset.classes) != 2:
        names = ", ".join(dataset.classes[:10])
        raise DataError(
            f'{scenario.data.source}: needed two classes in "{dataset.target}", got {len(dataset.classes)} ({names}): '
            "keep the rows of two, or learn models apart ([experts])"
        )
    admit(scenario, launched_size(), dataset, None, anyway=False)
    return Prepared(dataset)


def findings(folder: ExperimentFolder) -> Findings:
    """The scores of the last round, what was sent, and how much of it is exact."""
    metrics, scenario = folder.metrics, folder.config
    last = {name: float(sum(column) if is_summed(name) else column[-1]) for name, column in metrics.items()}
    table = [[metric_words(name), number(value, PLACES)] for name, value in last.items()]
    return Findings(
        f"{last['observations']:,.0f} observations of two classes in {counted(last['round'], 'round')}. Accuracy "
        f"{number(last['accuracy_pre'], PLACES)} of agents alone, {number(last['accuracy_post'], PLACES)} fused; "
        f"log loss {number(last['log_loss_pre'], PLACES)} and {number(last['log_loss_post'], PLACES)} nats. "
        f"{size_text(last['bytes'])} sent in {counted(last['messages'], 'message')}.",
        (ResultTable("At the end of the last round", ["", "value"], table, "Messages, bytes and seconds are sums."),),
        (guarantee_words(read_guarantee(folder.path)), _exactness(scenario)),
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


CLASSIFICATION = Experiment(
    name="two-classes",
    words='agents learn two classes online ([data] task = "classification")',
    scenario=ClassesScenario,
    columns=COLUMNS,
    rows=rows,
    figures={name: FIGURES[name] for name in ("rounds", "calibration")},
    findings=findings,
    leaves=(GUARANTEE, "calibration.csv", "predictions.npz", "model.npz"),
    check=check,
)
