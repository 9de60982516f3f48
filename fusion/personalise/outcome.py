"""What a newcomer asks for, the model that it gets, and the report on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, overload

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array
from coolgp.network.graphs.given import Graph

__all__ = ["PersonalClassifier", "PersonalRegressor", "PersonalReport", "Request"]


@dataclass(frozen=True)
class Request:
    """Owners' models, rows x ``[n, D]``, y ``[n]`` of the newcomer, rows without targets ``[Q, D]``, owners' graph.

    names: of the models, for messages and the report. queries, time_limit: of a model that is only asked, None for any
    number of rows and any time.
    """

    models: Sequence[Any]
    x: Array
    y: npt.NDArray[Any]
    unlabelled: Array | None
    graph: Graph | None
    names: Sequence[str]
    queries: int | None
    time_limit: float | None


@dataclass(frozen=True)
class PersonalReport:
    """How a newcomer's model came about; printed, a line for each thing.

    chosen, why: the way, and what decided. rows: of the newcomer. weights: of the parts of the model, which sum to one;
    empty where there is one part. left_out: mean log density in nats of rows that were left out, under each
    alternative, larger is better; empty where it cannot be told. details: of the way. models_left_out: by name, with
    the reason.
    """

    chosen: str
    why: str
    rows: int
    weights: Mapping[str, float] = field(default_factory=dict)
    left_out: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    models_left_out: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = {"chosen": f"{self.chosen}: {self.why}", "rows of the newcomer": f"{self.rows}", **self.details}
        lines |= {f"left out: {name}": reason for name, reason in self.models_left_out.items()}
        if self.weights:
            lines["weights"] = ", ".join(f"{name} {weight:.3g}" for name, weight in self.weights.items())
        if self.left_out:
            scores = ", ".join(f"{name} {score:.3f}" for name, score in self.left_out.items())
            lines["log density of rows left out (nats, mean)"] = scores
        return "\n".join(f"{name}: {words}" for name, words in lines.items())


class _Moments(Protocol):
    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation ``[Q]``."""
        ...


class _Probabilities(Protocol):
    def predict_proba(self, x: Array) -> Array:
        """Shares ``[Q, K]``."""
        ...


@dataclass(frozen=True)
class PersonalRegressor:
    """A newcomer's model of a number. model: what is behind it; stored: what a file of it holds."""

    model: _Moments
    report: PersonalReport
    stored: Any

    @overload
    def predict(self, X: npt.ArrayLike, return_std: Literal[False] = False) -> Array: ...
    @overload
    def predict(self, X: npt.ArrayLike, return_std: Literal[True]) -> tuple[Array, Array]: ...
    def predict(self, X: npt.ArrayLike, return_std: bool = False) -> Array | tuple[Array, Array]:
        """Mean ``[Q]`` at X ``[Q, D]``; with return_std also the standard deviation ``[Q]`` of an observation there."""
        mean, std = self.model.predict(np.asarray(X, dtype=float))
        return (mean, std) if return_std else mean


@dataclass(frozen=True)
class PersonalClassifier:
    """A newcomer's classifier of classes_ ``[K]``. model: what is behind it; stored: of a file, None without a form."""

    model: _Probabilities
    report: PersonalReport
    classes_: npt.NDArray[Any]
    stored: Any

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """Probabilities ``[Q, K]`` of `classes_` at X ``[Q, D]``."""
        return self.model.predict_proba(np.asarray(X, dtype=float))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """The most likely classes ``[Q]`` at X ``[Q, D]``."""
        classes: npt.NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return classes
