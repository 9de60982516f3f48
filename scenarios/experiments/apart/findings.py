"""What the report of a run of models trained apart says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from coolgp.agents.experts.models.base import kinds_of
from coolgp.agents.experts.models.registry import name_of
from coolgp.fusion.apart.registry import apart_rule_named
from coolgp.fusion.apart.rule import KnownAfterwards
from coolgp.scenarios.base.formatting import counted, number, size_text
from coolgp.scenarios.config.scenario import ExpertsScenario
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.experiments.apart.baselines import BASELINES
from coolgp.scenarios.experiments.apart.queries import LEFT_OUT
from coolgp.scenarios.experiments.apart.scoring import ClassScoring, NumberScoring
from coolgp.scenarios.experiments.report import ExperimentFolder, Findings, ResultTable
from coolgp.scenarios.metrics.words import is_summed, metric_words
from coolgp.scenarios.plots.apart.folder import read_rows
from coolgp.scenarios.records.guarantee import guarantee_words, read_guarantee

__all__ = ["findings"]

PLACES = 4


def findings(folder: ExperimentFolder) -> Findings:
    """The scores of the last round, what was sent, a table of all columns and one of all agents."""
    scenario, metrics = folder.config, folder.metrics
    scoring = ClassScoring if scenario.data.task == "classification" else NumberScoring
    name, _ = scoring.main
    local, worst, fused = (float(metrics[f"{name}_{end}"][-1]) for end in ("pre", "worst_pre", "post"))
    agents = read_rows(folder.path / "agents.csv")
    what = metric_words(f"{name}_post").removesuffix(" after fusion")
    return Findings(
        f"{counted(len(agents), 'agent')} with {_models(scenario)}: {what} {number(local, PLACES)} of local models in "
        f"the mean and {number(worst, PLACES)} of the worst, {number(fused, PLACES)} fused by {scenario.fusion.rule}; "
        f"{size_text(sum(metrics['bytes']))} sent in {counted(sum(metrics['messages']), 'message')}.",
        (_columns(folder), *_baselines(folder), _agents(agents)),
        (guarantee_words(read_guarantee(folder.path)), *_absent(folder.path), *_remarks(scenario)),
    )


def _models(scenario: ExpertsScenario) -> str:
    if scenario.experts.files:
        return "models from files"
    names = [name_of(kind) for kind in kinds_of(scenario.experts.kind)]
    return f'models of the kind "{names[0]}"' if len(names) == 1 else f"models of kinds in turn ({', '.join(names)})"


def _columns(folder: ExperimentFolder) -> ResultTable:
    """What each column was at the end, or in all."""
    unit = source_named(folder.config.data.source).unit
    values = {name: sum(column) if is_summed(name) else column[-1] for name, column in folder.metrics.items()}
    return ResultTable(
        title="At the end of the last round",
        header=["", "value"],
        rows=[[metric_words(name, unit), number(float(value), PLACES)] for name, value in values.items()],
        note="Messages, bytes, queries and seconds are sums over all rounds. Models before fusion are the local ones, "
        "trained by each agent on its own rows; every agent is tested on all test rows, or on those that are its own.",
    )


def _baselines(folder: ExperimentFolder) -> Iterator[ResultTable]:
    """What simple combinations of the same answers score, where the run has that table, and the rule itself."""
    path = folder.path / BASELINES
    if not path.is_file():
        return
    rows = read_rows(path)
    names = list(rows[0])[1:]
    own = [float(folder.metrics.get(f"{name}_post", [np.nan])[-1]) for name in names]
    table = [[row["baseline"], *(_cell(row[name]) for name in names)] for row in rows]
    yield ResultTable(
        title="Beside simple combinations of the same models",
        header=["", *(metric_words(f"{name}_post").replace(" after fusion", "") for name in names)],
        rows=[[f"{folder.config.fusion.rule}, mean over agents", *(_cell(value) for value in own)], *table],
        note="Of the answers of all local models in one place. The average has the spread of a mixture; the product "
        "takes models for independent, the generalised product has powers that sum to one, and the same mean.",
    )


def _cell(value: object) -> str:
    """A number, or the text that stands there."""
    try:
        return number(float(str(value)), PLACES)
    except ValueError:
        return str(value)


def _agents(agents: list[dict[str, str]]) -> ResultTable:
    header = list(agents[0])
    rows = [[row["agent"], row["rows"], *(_cell(row[name]) for name in header[2:])] for row in agents]
    words = ["agent", "training rows", *(metric_words(name) for name in header[2:])]
    return ResultTable(title="Agents", header=words, rows=rows)


def _absent(folder: Path) -> Iterator[str]:
    """Who was left out, and why."""
    if (folder / LEFT_OUT).is_file():
        for row in read_rows(folder / LEFT_OUT):
            yield (
                f"The model {row['model']} of agent {row['agent']} is left out of fusion and of scores before it: "
                f"{row['reason']}."
            )


def _remarks(scenario: ExpertsScenario) -> Iterator[str]:
    if isinstance(apart_rule_named(scenario.fusion.rule, scenario.fusion.options), KnownAfterwards):
        yield "The best model is the one with the best score on the test rows: it is known afterwards alone."
    if scenario.data.standardize and not scenario.experts.files:
        yield "Inputs were scaled by the moments of all training rows, a sum over the agents that is not counted."
    kept = [bool(kind.ending) for kind in kinds_of(scenario.experts.kind)]
    if not scenario.experts.files and any(kept):
        which = "The local models" if all(kept) else "Local models, but for those of kinds that no format holds,"
        yield f"{which} are kept in experts/, a file each, for coolgp resume and for other programs."
