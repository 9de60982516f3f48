"""Rounds as metrics of an MLflow run, at the place that MLFLOW_TRACKING_URI names, or MLflow's own default."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from coolgp.scenarios.runs.tracking.tracker import TrackerKind

__all__ = ["MLFLOW"]


class MlflowRun:
    """A run of MLflow, by its client: no run that the user has open is touched."""

    def __init__(self, client: Any, number: str) -> None:
        self.client, self.number = client, number

    def row(self, number: int, values: Mapping[str, float]) -> None:
        """Log each column as a metric."""
        for name, value in values.items():
            self.client.log_metric(self.number, name, value, step=number)

    def end(self) -> None:
        """End the run."""
        self.client.set_terminated(self.number)


def start(name: str, settings: Mapping[str, Any], folder: Path) -> MlflowRun:
    """Begin a run in the experiment of the scenario's name."""
    client = import_module("mlflow").MlflowClient()
    found = client.get_experiment_by_name(name)
    experiment = found.experiment_id if found else client.create_experiment(name)
    number = client.create_run(experiment, run_name=folder.name).info.run_id
    for key, value in settings.items():
        client.log_param(number, key, value)
    client.set_tag(number, "run_folder", str(folder.absolute()))
    return MlflowRun(client, number)


MLFLOW = TrackerKind(start, module="mlflow", extra="mlflow")
