"""Models that answer outside of this process, as experts: programs and servers, which answer named columns.

Axes: ``Q`` queries, ``D`` inputs, ``K`` classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Classifier, Expert, Regressor

__all__ = ["MOST_BYTES", "TIME_LIMIT", "RemoteModel", "remote_expert"]

TIME_LIMIT = 60.0
"""Seconds for a call, where nothing else is said."""
MOST_BYTES = 64 * 2**20
"""The largest answer that is read."""


@dataclass(frozen=True, kw_only=True)
class RemoteModel(ABC):
    """A model outside of this process.

    time_limit: seconds for a call, None for 60. classes: labels, of a classifier. inputs: how many it takes, None where
    nobody says. std: of an observation, where the model's answers have none.
    """

    time_limit: float | None = None
    classes: tuple[str, ...] = ()
    inputs: int | None = None
    std: float | None = None

    @abstractmethod
    def columns(self, x: Array) -> Mapping[str, Array]:
        """The answer to x ``[Q, D]``: columns ``mean`` and perhaps ``std``, or one of each class, ``[Q]`` each.

        Raises TimeoutError, or ValueError with the reason, for whatever goes wrong.
        """

    @property
    def limit(self) -> float:
        """Seconds after which a call fails."""
        return TIME_LIMIT if self.time_limit is None else self.time_limit


def remote_expert(model: RemoteModel, name: str, classes: Iterable[object] | None = None) -> Expert:
    """The model as an expert. classes: labels, where the model itself names none; None of a regressor."""
    labels = tuple(str(label) for label in model.classes or (() if classes is None else classes))
    if labels:
        named = np.array(labels)
        return Classifier(name, lambda x: _shares(model.columns(x), labels), named, model.inputs, limit=model.limit)
    return Regressor(name, lambda x: _moments(model.columns(x), model.std), model.inputs, limit=model.limit)


def _moments(columns: Mapping[str, Array], std: float | None) -> tuple[Array, Array]:
    if "mean" not in columns or set(columns) - {"mean", "std"}:
        raise ValueError(f"needed an answer of mean, or of mean and std; got {_named(columns)}")
    mean = columns["mean"]
    return mean, columns.get("std", np.full(len(mean), np.nan if std is None else std))


def _shares(columns: Mapping[str, Array], labels: Sequence[str]) -> Array:
    """Probabilities ``[Q, K]`` in the order of the labels; 0 of a class that is not answered."""
    foreign = [name for name in columns if name not in labels]
    if foreign or not columns:
        raise ValueError(f"needed an answer of probabilities of the classes {_named(labels)}; got {_named(columns)}")
    nobody = np.zeros(len(next(iter(columns.values()))))
    return np.stack([columns.get(label, nobody) for label in labels], axis=1)


def _named(names: Mapping[str, Array] | Sequence[str]) -> str:
    words = ", ".join(names) or "nothing"
    return words if len(words) <= 200 else f"{words[:200]}..."
