"""Records of rounds in which two classes are learned, as what the run folder holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, cast

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.scenarios.experiments.apart.scoring import ClassScoring
from coolgp.scenarios.experiments.apart.tables import Answers, reliability_rows
from coolgp.scenarios.metrics.class_scores import brier
from coolgp.scenarios.metrics.column import METRICS, Cell
from coolgp.scenarios.metrics.scores import Forecast
from coolgp.scenarios.runs.tabled import TableRows, probe_labels
from coolgp.scenarios.simulation.state import Probed, Record, Simulation

__all__ = ["CALIBRATION", "COLUMNS", "TabledClasses"]

CALIBRATION = "calibration.csv"
COLUMNS = (
    *("round", "observations", "test_rows", *ClassScoring.names, "brier_pre", "brier_post"),
    *("communication_rounds", "messages", "lost", "bytes", "present", "counted", "fusion_error", "forged"),
    *("seconds", "seconds_predicting"),
)


class TabledClasses:
    """Methods as of :class:`coolgp.scenarios.runs.tabled.Tabled`. labels ``[probes]``: names of those evaluated."""

    kind: ClassVar[str] = "two-classes"
    headers: Mapping[str, Sequence[str]] = {METRICS: COLUMNS}

    def __init__(self, simulation: Simulation) -> None:
        self.simulation, self.labels = simulation, probe_labels(simulation)

    def rows(self, record: Record) -> TableRows:
        """The scores of a round, and what was sent in it."""
        probed, sent = record.probed, record.sent
        assert probed is not None
        row: dict[str, Cell] = {
            "round": record.round,
            "observations": record.observations,
            "test_rows": len(probed.tested),
            **self._scores(probed),
            "communication_rounds": sent.rounds,
            "messages": sent.messages,
            "lost": sent.lost,
            "bytes": sent.bytes,
            "present": record.present,
            "counted": float(probed.counted.mean()),
            "fusion_error": record.error,
            "forged": float(probed.forged.mean()),
            "seconds": round(record.seconds, 6),
            "seconds_predicting": round(probed.seconds, 6),
        }
        return {METRICS: [row]}

    def predictions(self, probed: Probed) -> dict[str, Array]:
        """The probabilities of the second class at the test rows."""
        dataset = self.simulation.dataset
        return {
            "x_test": dataset.x_test,
            "y_test": dataset.y_test,
            "classes": np.array(dataset.classes),
            "agents": self.labels,
            "probability_pre": probed.pre.mean,
            "probability_post": probed.post.mean,
        }

    def at_end(self, probed: Probed) -> TableRows:
        """Accuracy by confidence."""
        answers = Answers(_probabilities(probed.pre), _probabilities(probed.post), {})
        return {CALIBRATION: cast("list[dict[str, Cell]]", reliability_rows(answers, self.simulation.dataset.y_test))}

    def _scores(self, probed: Probed) -> dict[str, float]:
        dataset, some = self.simulation.dataset, probed.tested
        tested = replace(dataset, x_test=dataset.x_test[some], y_test=dataset.y_test[some], truth=None)
        scoring = ClassScoring(tested)
        before, after = _probabilities(probed.pre), _probabilities(probed.post)
        briers = {"brier_pre": before, "brier_post": after}
        return scoring.scores(before, after) | {
            name: float(brier(answers, scoring.y).mean()) for name, answers in briers.items()
        }


def _probabilities(forecast: Forecast) -> Array:
    """Of both classes, ``[probes, Q, 2]``."""
    return np.stack([1.0 - forecast.mean, forecast.mean], axis=-1)
