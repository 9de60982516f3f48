"""The paper's figure of speed: learning time of a COOL-GP agent, and of a central GP with all rows, on the roads.

Left: seconds against rows, for one agent of COOL-GP and for central DTC and PITC that are trained again on all rows so
far after each round, as in the paper. For a fair comparison there is also a central DTC that only updates its sums,
and so learns online as COOL-GP does. Middle and right: error and seconds of an agent, for a quarter, a half and all of
the agents, with 30 batches each.

What differs from the paper: the roads are drawn (see `road`). One core does the work of all agents, and the seconds of
an agent are those of the whole run divided by the number of agents. Hyper-parameters are fixed, for the central GP too,
so that the time is that of learning from rows alone. One more line is for agents that learn their own hyper-parameters,
as the paper's agents do.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.experiments.timing import CENTRAL, TimingCurve, central, collective, fastest
from coolgp.scenarios.experiments.timing_report import AGENTS, FILES, write_race

__all__ = ["FILES", "KIND", "SETTINGS", "run"]

KIND = "timing"

SETTINGS = {
    "data": {"source": "road", "test_count": 2_000},
    "agents": {"count": 100, "inducing": 100, "batch_size": 2, "hyperparameters": "fixed"},
    "network": {"topology": "small-world"},
    "run": {"rounds": 30, "probes": 10},
}

REPEATS = 3
"""Seeds, the run's and the next ones, over which numbers of agents are compared; times that seconds are measured."""


def run(scenario: Scenario, folder: Path, say: Callable[[str], None]) -> None:
    """Measure, and write `FILES` into the folder. Raises ValueError for settings that do not fit."""
    courses, crowds = _methods(scenario, load(scenario), say), dict[int, list[TimingCurve]]()
    for count in sorted({max(2, scenario.agents.count // part) for part in (4, 2, 1)}):
        several = [_changed(scenario, count=count, seed=scenario.run.seed + repeat) for repeat in range(REPEATS)]
        crowds[count] = [collective(one, load(one)) for one in several]
        say(f"{count} agents: RMSE {crowds[count][0].error[-1]:.4g} after fusion")
    say(write_race(folder, courses, crowds))


def _methods(scenario: Scenario, dataset: Dataset, say: Callable[[str], None]) -> Mapping[str, TimingCurve]:
    """How each method went on the same rows, by its name in the figure."""
    courses = dict[str, TimingCurve]()
    for method, words in CENTRAL.items():
        courses[words] = fastest(partial(central, scenario, dataset, method), REPEATS)
    for mode, words in AGENTS.items():
        courses[words] = fastest(partial(collective, _changed(scenario, mode=mode), dataset), REPEATS)
    for words, course in courses.items():
        say(f"{words}: {course.seconds[-1]:.3g} s for {course.points[-1]:,.0f} rows, RMSE {course.error[-1]:.4g}")
    return courses


def _changed(scenario: Scenario, *, count: int = 0, seed: int | None = None, mode: str = "fixed") -> Scenario:
    """The scenario with another number of agents, seed, or way with hyper-parameters."""
    agents = scenario.agents.model_copy(update={"count": count or scenario.agents.count, "hyperparameters": mode})
    run = scenario.run if seed is None else scenario.run.model_copy(update={"seed": seed})
    return scenario.model_copy(update={"agents": agents, "run": run})


if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("paper-fig3")
