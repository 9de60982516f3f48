"""Models that are trained apart and then fused over a graph: scenarios with a section [experts]."""

from __future__ import annotations

from coolgp.scenarios.config.scenario import ExpertsScenario
from coolgp.scenarios.experiments.apart.baselines import BASELINES
from coolgp.scenarios.experiments.apart.findings import findings
from coolgp.scenarios.experiments.apart.prepared import prepare
from coolgp.scenarios.experiments.apart.queries import LEFT_OUT
from coolgp.scenarios.experiments.apart.rounds import rows
from coolgp.scenarios.experiments.apart.scoring import ClassScoring, NumberScoring
from coolgp.scenarios.experiments.apart.training import MODELS_FOLDER, STD_ENDING
from coolgp.scenarios.experiments.experiment import Experiment
from coolgp.scenarios.plots.apart.figures import FIGURES
from coolgp.scenarios.records.guarantee import GUARANTEE

__all__ = ["EXPERTS"]

SHARED = (
    *("communication_rounds", "messages", "lost", "bytes", "queries", "density_queries", "parameters", "left_out"),
    *("fused_inducing", "dropped", "imitation_divergence", "imitation_error"),
    *("seconds", "seconds_training"),
)


def header(scenario: ExpertsScenario) -> tuple[str, ...]:
    """The columns, by what is predicted."""
    scoring = ClassScoring if scenario.data.task == "classification" else NumberScoring
    return ("round", *scoring.names, *SHARED)


EXPERTS = Experiment(
    name="experts",
    words="models are trained apart, each on its own rows, and fused over the graph ([experts] in place of [agents])",
    scenario=ExpertsScenario,
    columns=("round", *ClassScoring.names, *NumberScoring.names, *SHARED),
    header=header,
    rows=rows,
    figures=FIGURES,
    findings=findings,
    leaves=(
        *(GUARANTEE, LEFT_OUT, BASELINES, "agents.csv", "shards.csv", "calibration.csv"),
        *(f"{MODELS_FOLDER}/agent-*{ending}" for ending in (".npz", ".skops", STD_ENDING)),
    ),
    check=prepare,
)
