"""What learning costs an agent of COOL-GP, and a centre that has all rows: scenarios of the kind "timing"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from coolgp.fusion.rule import EvidenceRule
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.base.files import write_table
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.experiments.experiment import Experiment, Row, Session
from coolgp.scenarios.experiments.timing import CENTRAL, TimingCurve, central, collective, fastest
from coolgp.scenarios.experiments.timing_report import AGENTS, METHODS, findings, timing_figure
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.simulation.network import chosen_rule

__all__ = ["TIMING"]

REPEATS = 3
"""Seeds, the run's and the next ones, over which numbers of agents are compared; times that seconds are measured."""


def check(scenario: Scenario) -> None:
    """Refuse what a centre cannot learn on the same terms, and rules without evidence to form a posterior from."""
    data, agents, run = scenario.data, scenario.agents, scenario.run
    rule = chosen_rule(scenario.fusion, run.seed)
    complaints = {
        "fusion.rule: needed a rule that adds up evidence": not isinstance(rule, EvidenceRule),
        'agents.shared: needed "function", for a centre has one function': agents.shared != "function",
        'agents.basis: needed "inducing", which a centre learns with too': agents.basis != "inducing",
        "data.agent: the number of agents is varied, so they cannot be named by the data": data.agent is not None,
        "run.evaluate_every: needed 1, for each round is measured": run.evaluate_every not in (1, "auto"),
    }
    if any(complaints.values()):
        raise ConfigError(*(complaint for complaint, wrong in complaints.items() if wrong))


def rows(scenario: Scenario, session: Session) -> Iterator[Row]:
    """Measure all methods on the same rows, then agents for a quarter, a half and all of their number."""
    curves = _methods(scenario, load(scenario), session)
    write_table(session.folder / "times.csv", _times(curves))
    yield from _rows(curves)
    counts = sorted({max(2, scenario.agents.count // divisor) for divisor in (4, 2, 1)})
    by_count = dict[int, list[TimingCurve]]()
    for count in counts:
        seeds = [_changed(scenario, count=count, seed=scenario.run.seed + repeat) for repeat in range(REPEATS)]
        by_count[count] = [collective(changed, load(changed)) for changed in seeds]
        session.watcher.say(f"{count} agents: RMSE {by_count[count][0].error[-1]:.4g} after fusion")
    write_table(session.folder / "agents.csv", _agents(by_count))


def _methods(scenario: Scenario, dataset: Dataset, session: Session) -> Mapping[str, TimingCurve]:
    """The timing curve of each method on the same rows, by its name in `METHODS`."""
    measures = {method: partial(central, scenario, dataset, method) for method in CENTRAL} | {
        mode: partial(collective, _changed(scenario, mode=mode), dataset) for mode in AGENTS
    }
    curves = {method: fastest(measure, REPEATS) for method, measure in measures.items()}
    for method, curve in curves.items():
        seconds, points, error = curve.seconds[-1], curve.points[-1], curve.error[-1]
        session.watcher.say(f"{METHODS[method]}: {seconds:.3g} s for {points:,.0f} rows, RMSE {error:.4g}")
    return curves


def _changed(scenario: Scenario, *, count: int = 0, seed: int | None = None, mode: str = "fixed") -> Scenario:
    """The scenario with another number of agents, seed, or way with hyper-parameters."""
    agents = scenario.agents.model_copy(update={"count": count or scenario.agents.count, "hyperparameters": mode})
    run = scenario.run if seed is None else scenario.run.model_copy(update={"seed": seed})
    return scenario.model_copy(update={"agents": agents, "run": run})


def _rows(curves: Mapping[str, TimingCurve]) -> Iterator[Row]:
    """The lines of ``metrics.csv``, one a round: seconds of the round, errors after it."""
    agent = curves["fixed"]
    shared = {"observations": agent.points, "rmse_pre": agent.alone, "rmse_post": agent.error, "seconds": agent.spent}
    others = {method: curve for method, curve in curves.items() if method != "fixed"}
    columns = shared | {f"rmse_{method}": curve.error for method, curve in others.items()}
    columns |= {f"seconds_{method}": curve.spent for method, curve in others.items()}
    for turn in range(len(agent.points)):
        yield {"round": turn + 1} | {name: float(column[turn]) for name, column in columns.items()}


def _times(curves: Mapping[str, TimingCurve]) -> list[dict[str, object]]:
    """The same, a line for each method and round, with seconds since the start."""
    return [
        {"method": METHODS[method], "points": points, "seconds": seconds, "rmse": error}
        for method, curve in curves.items()
        for points, seconds, error in zip(curve.points, curve.seconds, curve.error, strict=True)
    ]


def _agents(by_count: Mapping[int, Sequence[TimingCurve]]) -> list[dict[str, object]]:
    """A line for each number of agents and seed: how learning ended."""
    return [
        {
            "agents": count,
            "repeat": repeat,
            "points": curve.points[-1],
            "seconds": curve.seconds[-1],
            "rmse_pre": curve.alone[-1],
            "rmse_post": curve.error[-1],
        }
        for count, curves in by_count.items()
        for repeat, curve in enumerate(curves)
    ]


OTHERS = tuple(method for method in METHODS if method != "fixed")

TIMING = Experiment(
    name="timing",
    words="seconds of an agent, and of a centre that has all rows, on the same rows",
    scenario=Scenario,
    columns=(
        *("round", "observations", "rmse_pre", "rmse_post", "seconds"),
        *(f"rmse_{method}" for method in OTHERS),
        *(f"seconds_{method}" for method in OTHERS),
    ),
    rows=rows,
    figures={
        "timing": Drawing(
            timing_figure,
            "Left: seconds since the start against rows, of each method on the same rows. Middle and right: errors and "
            "seconds of an agent after the last batch against the number of agents.",
        )
    },
    findings=findings,
    leaves=("times.csv", "agents.csv"),
    check=check,
    one_process="compares seconds of one process",
)
