"""Owners with models of different kinds, dealt to them in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from coolgp.agents.experts.models.base import LocalRows, Seeds, TrainedModel, first_of
from coolgp.agents.experts.models.registry import MODEL_REFERENCES, model_class
from coolgp.agents.experts.task import Task

__all__ = ["Mixed"]

LONGER: dict[str, dict[str, Any]] = {"mlp": {"hidden": (20,), "epochs": 200, "penalty": 1.0}}
"""Where settings are not those of the kind alone: networks are trained longer, for owners of few rows."""


@dataclass(frozen=True)
class Mixed:
    """Models of different kinds: owner 0 trains the first of `models`, owner 1 the second, and in turn.

    models: names of kinds, each with its own default settings, but for networks: 20 hidden units, 200 passes, a larger
    penalty, and a standard deviation by cross-validation. A model of all rows ("pooled") is of the first kind that
    learns the task.
    """

    tasks: ClassVar[tuple[str, ...]] = ("regression", "classification")
    ending: ClassVar[str] = ""  # kinds have their own

    models: tuple[str, ...] = ("gp", "forest", "ridge", "svr", "mlp")

    def __post_init__(self) -> None:
        known = [name for name in MODEL_REFERENCES if model_class(name) is not Mixed]
        unknown = [name for name in self.models if name not in known]
        if unknown or not self.models:
            got = ", ".join(map(repr, unknown)) or "none"
            raise ValueError(f"models needs one or more of {', '.join(known)}; got {got}")

    @property
    def members(self) -> tuple[TrainedModel, ...]:
        """The kinds in their order."""
        return tuple(model_class(name)(**LONGER.get(name, {})) for name in self.models)

    def trained(self, rows: LocalRows, task: Task, seeds: Seeds) -> Any:
        """A model of the first kind that learns the task."""
        return first_of(self, task).trained(rows, task, seeds)
