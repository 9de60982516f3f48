"""Rounds as a run of Weights & Biases: offline, in the run folder, unless WANDB_MODE says otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from coolgp.scenarios.runs.tracking.tracker import TrackerKind

__all__ = ["WANDB"]


class WandbRun:
    """A run of Weights & Biases; ``wandb sync`` sends one that was kept offline."""

    def __init__(self, run: Any) -> None:
        self.run = run

    def row(self, number: int, values: Mapping[str, float]) -> None:
        """Log the columns of a round."""
        self.run.log(dict(values), step=number)

    def end(self) -> None:
        """Finish the run."""
        self.run.finish()


def start(name: str, settings: Mapping[str, Any], folder: Path) -> WandbRun:
    """Begin a run in the project of the scenario's name."""
    mode = os.environ.get("WANDB_MODE", "offline")
    wandb = import_module("wandb")
    return WandbRun(wandb.init(project=name, name=folder.name, config=dict(settings), dir=str(folder), mode=mode))


WANDB = TrackerKind(start, module="wandb", extra="wandb")
