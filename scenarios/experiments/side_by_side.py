"""A run and a study beside one another in one figure: scenarios of the kind "side-by-side"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.catalogue import catalogue
from coolgp.scenarios.config.constraints import nearest
from coolgp.scenarios.config.scenario import SECTIONS, Scenario, SideBySideScenario
from coolgp.scenarios.experiments.experiment import Experiment, Row, Session
from coolgp.scenarios.experiments.report import ExperimentFolder, Findings
from coolgp.scenarios.metrics.column import METRICS
from coolgp.scenarios.metrics.rows import header
from coolgp.scenarios.plots.agents import draw_agents
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.records.run_folder import read_metrics, read_run
from coolgp.scenarios.runs.run import resume, run
from coolgp.scenarios.studies.figures import draw_ends
from coolgp.scenarios.studies.folder import read_table
from coolgp.scenarios.studies.in_process import run_study
from coolgp.scenarios.studies.study import Study, cell_words, plan_named

__all__ = ["SIDE_BY_SIDE"]

SIZE = (17.5, 5.4)
COLUMNS = (*header(METRICS), "rmse_beside")
"""Those of the run, and the error of the study: mean over all its runs."""


def check(scenario: SideBySideScenario) -> None:
    """Refuse a study that has no figure of errors against one setting, and settings of it that do not fit."""
    beside = scenario.beside
    drawn = [name for name, packaged in catalogue().items() if packaged.figure and _is_drawn(packaged.figure)]
    if beside.scenario not in drawn:
        near = nearest(beside.scenario, drawn)
        raise ConfigError(f'beside.scenario: needed {" | ".join(drawn)}; got "{beside.scenario}"{near}')
    if beside.run == beside.scenario:
        raise ConfigError(f'beside.run: "{beside.run}" is the study\'s own folder: take another name')
    _study(scenario)


def rows(scenario: SideBySideScenario, session: Session) -> Iterator[Row]:
    """Run the scenario, then the study, in folders of their own."""
    own, beside = session.folder / scenario.beside.run, session.folder / scenario.beside.scenario
    if session.resumed and (own / "config.toml").is_file():
        resume(own, figures=session.figures)
    else:
        run(_own(scenario), own, overwrite=True, figures=session.figures)
    metrics = read_metrics(own)
    pre, post = metrics["rmse_pre"][-1], metrics["rmse_post"][-1]
    session.watcher.say(f"{own.name}: RMSE {pre:.4g} before, {post:.4g} after fusion")
    study = _study(scenario)

    def seen(*cell: Any) -> None:
        session.watcher.say(cell_words(study, *cell))

    table = run_study(study, beside, overwrite=not session.resumed, seen=seen)
    error = float(np.mean([row["rmse_post"] for row in table]))
    for turn in range(len(metrics["round"])):
        yield {name: metrics[name][turn] for name in COLUMNS if name in metrics} | {"rmse_beside": error}


def side_by_side_figure(folder: ExperimentFolder) -> Figure:
    """Draw the error of each agent of the run, and how the runs of the study ended."""
    beside = folder.config.beside
    figure = Figure(figsize=SIZE, layout="constrained")
    parts: Any = figure.subfigures(1, 2, width_ratios=[1.5, 1])
    left, right = parts
    draw_agents(left, read_run(folder.path / beside.run))
    draw_ends(right, read_table(folder.path / beside.scenario), **_figure_of(beside.scenario))
    return figure


def findings(folder: ExperimentFolder) -> Findings:
    """How both sides ended, and where their own reports are."""
    metrics, beside = folder.metrics, folder.config.beside
    return Findings(
        f"{beside.run}: RMSE {metrics['rmse_pre'][-1]:.4g} before and {metrics['rmse_post'][-1]:.4g} after fusion. "
        f"{beside.scenario}: RMSE {metrics['rmse_beside'][-1]:.4g} after fusion, mean over all its runs.",
        remarks=(f"The run is kept in {beside.run}/, the study in {beside.scenario}/ (study.csv has a row a run).",),
    )


def _own(scenario: SideBySideScenario) -> Scenario:
    """The run on the left, as a scenario of the loop of rounds."""
    sections: Mapping[str, Any] = {section: getattr(scenario, section) for section in SECTIONS}
    return Scenario(name=scenario.beside.run, **sections)


def _study(scenario: SideBySideScenario) -> Study:
    """The study on the right, with the seed of the scenario unless that is the default."""
    seed = scenario.run.seed
    overrides = [*([f"run.seed={seed}"] if seed else []), *scenario.beside.set]
    try:
        return plan_named(scenario.beside.scenario, overrides)
    except ConfigError as error:
        raise ConfigError(*(problem.replace("--set ", "beside.set: ", 1) for problem in error.problems)) from None


def _is_drawn(figure: Mapping[str, Any]) -> bool:
    """Whether the figure of a study is one of errors against one setting."""
    return bool(figure.get("kind", "ends") == "ends")


def _figure_of(study: str) -> dict[str, Any]:
    figure = catalogue()[study].figure or {}
    return {key: value for key, value in figure.items() if key != "kind"}


SIDE_BY_SIDE = Experiment(
    name="side-by-side",
    words="a run, and a study that comes with the package, in one figure",
    scenario=SideBySideScenario,
    columns=COLUMNS,
    rows=rows,
    figures={
        "side-by-side": Drawing(
            side_by_side_figure,
            "Left: the error of each agent of the run, before and after fusion. Right: the study, the error after the "
            "last round of each of its settings.",
        )
    },
    findings=findings,
    check=check,
    one_process="starts one run after another in this process",
)
