"""The work of a run of two classes: rounds of learning, with the probes' probabilities scored after each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.network.launcher import launched_size
from coolgp.scenarios.base.files import whole, write_table, write_whole
from coolgp.scenarios.base.formatting import size_text
from coolgp.scenarios.config.scenario import ClassesScenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.experiments.apart.scoring import ClassScoring
from coolgp.scenarios.experiments.apart.tables import Answers, reliability_rows
from coolgp.scenarios.experiments.experiment import Row, Session
from coolgp.scenarios.experiments.kind import Stage
from coolgp.scenarios.metrics.class_scores import brier
from coolgp.scenarios.metrics.scores import Forecast
from coolgp.scenarios.records.guarantee import GUARANTEE
from coolgp.scenarios.runs.guarantee import stated_guarantee
from coolgp.scenarios.runs.model_arrays import model_arrays
from coolgp.scenarios.simulation.assembly import assemble, one_thread
from coolgp.scenarios.simulation.rounds import simulate
from coolgp.scenarios.simulation.state import Probed, Record, Simulation

__all__ = ["COLUMNS", "Prepared", "rows"]

OF_ROUND = ("observations", "test_rows")
SENT = ("communication_rounds", "messages", "lost", "bytes", "present", "counted", "fusion_error")
COLUMNS = (
    *("round", *OF_ROUND, *ClassScoring.names, "brier_pre", "brier_post"),
    *(*SENT, "seconds", "seconds_predicting"),
)


@dataclass(frozen=True)
class Prepared:
    """What was looked at before a run. dataset: its rows."""

    dataset: Dataset


def rows(scenario: ClassesScenario, session: Session) -> Iterator[Row]:
    """Go through the rounds; a line of ``metrics.csv`` for each that is evaluated. Collective."""
    prepared: Prepared = session.prepared

    def watch(done: int, total: int) -> None:
        session.watcher.show(Stage(done, total, "searching hyper-parameters and inducing inputs", unit="iteration"))

    with one_thread():
        simulation = assemble(scenario, prepared.dataset, ranks=launched_size(), watch=watch)
        transport = simulation.transport
        transport.barrier()  # the root has cleared the folder
        if transport.root:
            write_whole(session.folder / GUARANTEE, stated_guarantee(simulation).text().encode())
            _say_start(simulation, session)
        for step in simulate(simulation):
            record = step.record
            row: Row = {}
            if record is not None and record.probed is not None:
                row = _row(simulation.dataset, record, record.probed)
                session.watcher.show(_stage(record, row))
                if record.round == record.rounds:
                    _store(simulation, record.probed, session.folder)
            yield row


def _say_start(simulation: Simulation, session: Session) -> None:
    session.watcher.say(simulation.shared_start.words)
    for note in simulation.shared_start.notes:
        session.watcher.warn(note)


def _row(dataset: Dataset, record: Record, probed: Probed) -> Row:
    """The columns of a round."""
    tested = replace(dataset, x_test=dataset.x_test[probed.tested], y_test=dataset.y_test[probed.tested], truth=None)
    before, after = (_probabilities(forecast) for forecast in (probed.pre, probed.post))
    scoring, scores = ClassScoring(tested), ClassScoring(tested).scores(before, after)
    for when, answers in (("pre", before), ("post", after)):
        scores[f"brier_{when}"] = float(brier(answers, scoring.y).mean())
    sent = record.sent
    return {
        "round": record.round,
        "observations": record.observations,
        "test_rows": len(probed.tested),
        **scores,
        "communication_rounds": sent.rounds,
        "messages": sent.messages,
        "lost": sent.lost,
        "bytes": sent.bytes,
        "present": record.present,
        "counted": float(probed.counted.mean()),
        "fusion_error": record.error,
        "seconds": round(record.seconds, 6),
        "seconds_predicting": round(probed.seconds, 6),
    }


def _stage(record: Record, row: Row) -> Stage:
    words = (
        f"accuracy {row['accuracy_pre']:.4g} before, {row['accuracy_post']:.4g} after fusion, "
        f"{size_text(record.sent.bytes)} in {record.sent.messages:,} messages"
    )
    return Stage(record.round, record.rounds, words, record.spanned, record.seconds, numbers=row)


def _store(simulation: Simulation, probed: Probed, folder: Path) -> None:
    """Write what is left of the last round: probabilities, calibration, the model. On the root."""
    dataset = simulation.dataset
    before, after = _probabilities(probed.pre), _probabilities(probed.post)
    write_table(folder / "calibration.csv", reliability_rows(Answers(before, after, {}), dataset.y_test))
    labels = np.array([dataset.agents[probe] for probe in simulation.probes])
    _arrays(
        folder / "predictions.npz",
        x_test=dataset.x_test,
        y_test=dataset.y_test,
        classes=np.array(dataset.classes),
        agents=labels,
        probability_pre=before[:, :, 1],
        probability_post=after[:, :, 1],
    )
    _arrays(folder / "model.npz", **model_arrays(simulation, probed, labels))


def _arrays(path: Path, **arrays: Any) -> None:
    with whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def _probabilities(forecast: Forecast) -> Array:
    """Of both classes, ``[probes, Q, 2]``."""
    return np.stack([1.0 - forecast.mean, forecast.mean], axis=-1)
