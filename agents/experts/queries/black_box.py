"""An expert of which nothing is known but its answers to queries.

Axes: ``N`` queries, ``D`` inputs, ``K`` classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Classifier, Expert, Regressor
from coolgp.agents.experts.queries.density import FLOOR, floored_log, gaussian_log_density, residual_std
from coolgp.agents.experts.queries.failure import ExpertFailed, QueriesUsedUp, within

__all__ = ["BATCH", "QUERIES", "BlackBox", "DensityExpert"]

QUERIES = 10_000
"""How much an expert is asked for at most, where nothing else is said."""
BATCH = 1_000
"""Rows of a call at most, where nothing else is said."""


@dataclass(frozen=True)
class DensityExpert:
    """An expert that answers log densities, and a value to start from, alone.

    name: how messages call it. log_density: from x ``[N, D]`` and y ``[N]`` to ``log p(y | x) [N]``, in nats. start:
    from x ``[N, D]`` to a value of y near the mode ``[N]``. inputs: how many it takes, None where it does not say.
    """

    name: str
    log_density: Callable[[Array, Array], Array]
    start: Callable[[Array], Array]
    inputs: int | None = None


class BlackBox:
    """An expert that is used by queries alone: counted, remembered, capped, in batches and within a time limit.

    The cap counts rows that the model is asked for. A row that it has answered before is remembered and costs nothing,
    and so do any number of densities at it: they follow from the mean and standard deviation of that one answer. A
    :class:`DensityExpert` has to be asked for each pair (x, y) anew: there the cap counts pairs, and rows of starts.

    expert: whatever answers. queries: the cap; a call that would exceed it raises QueriesUsedUp and asks nothing.
    batch: rows of a call. time_limit: seconds for each call, None for any time; programs and servers keep their own.
    std: of an observation, where the expert states none (SVR, k-NN, perceptrons, functions); see also
    :meth:`calibrate`. densities: whether standard deviations must be finite and above 0, as densities need; without,
    those that are not are answered as they are.

    used: what counts against the cap so far. density_queries: pairs (x, y) whose density, or class probability, was
    asked for through this object, remembered or not: what the literature on zeroth-order methods counts.
    states_std: whether the expert's own answers have a standard deviation, None before the first.
    failure: why the expert is out, None while it is in. All methods raise ExpertFailed, by name and with the reason,
    for an expert that raises an error, takes too long, or answers what it cannot (wrong shapes, NaN, infinity, standard
    deviations of 0 or less, probabilities that are negative or do not sum to one); from then on they ask it no more.
    """

    def __init__(
        self,
        expert: Expert | DensityExpert,
        *,
        queries: int | None = QUERIES,
        batch: int = BATCH,
        time_limit: float | None = None,
        std: float | None = None,
        densities: bool = True,
    ) -> None:
        for name, value in (("queries", queries), ("batch", batch), ("time_limit", time_limit), ("std", std)):
            if value is not None and not value > 0:
                raise ValueError(f"{expert.name}: needed {name} above 0; got {value}")
        self.model: Expert | DensityExpert = expert
        self.queries, self.batch, self.time_limit, self.std = queries, batch, time_limit, std
        self.densities = densities
        self.states_std: bool | None = None
        self.used = 0
        self.density_queries = 0
        self.failure: str | None = None
        self._answers: dict[bytes, Array] = {}
        self._last: tuple[Array, Array] | None = None

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.model.name

    @property
    def expert(self) -> Expert:
        """The same model, asked through this object: for whatever takes experts."""
        if isinstance(self.model, Classifier):
            return replace(self.model, probability=self.predict_proba)
        if isinstance(self.model, Regressor):
            return replace(self.model, moments=self.predict)
        return Regressor(self.name, self.predict, self.model.inputs)

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of an observation at x ``[N, D]``, each ``[N]``.

        The standard deviation is NaN where neither the expert nor `std` says one; of a `DensityExpert` the mean is a
        value to start from, and the standard deviation `std` or NaN. Raises ValueError for a classifier.
        """
        if isinstance(self.model, Classifier):
            raise ValueError(f"{self.name}: is a classifier; needed a regressor")
        asked = self._rows(x)
        mean, std = asked[:, 0], asked[:, 1]
        return mean.copy(), std.copy() if self.std is None else np.where(np.isnan(std), self.std, std)

    def log_density(self, x: Array, y: Array) -> Array:
        """``log p(y | x)`` in nats at x ``[N, D]`` and y ``[..., N]``, in the shape of y.

        Gaussian by mean and standard deviation, except of a `DensityExpert`. Raises ValueError for an expert without
        any standard deviation.
        """
        y = np.asarray(y, dtype=float)
        if y.shape[-1:] != (len(x),):
            raise ValueError(f"{self.name}: needed y [..., {len(x)}] for {len(x)} rows; got shape {y.shape}")
        if isinstance(self.model, DensityExpert):
            return self._densities(self.model, x, y)
        mean, std = self.predict(x)
        if np.isnan(std).any():
            raise ValueError(
                f"{self.name}: predicts no standard deviation, which a density needs: give std, or calibrate on rows "
                "that it was not trained on"
            )
        self.density_queries += y.size
        return gaussian_log_density(y, mean, std)

    def predict_proba(self, x: Array) -> Array:
        """Probabilities ``[N, K]`` of the expert's classes at x ``[N, D]``. Raises ValueError for a regressor."""
        if not isinstance(self.model, Classifier):
            raise ValueError(f"{self.name}: is a regressor; needed a classifier with probabilities")
        return self._rows(x).copy()

    def log_probabilities(self, x: Array, floor: float = FLOOR) -> Array:
        """Log probabilities ``[N, K]`` in nats; a probability below the floor (1e-15) counts as the floor."""
        probabilities = self.predict_proba(x)
        self.density_queries += probabilities.size
        return floored_log(probabilities, floor)

    def asked_again(self, x: Array) -> Array:
        """Probabilities ``[N, K]``, or means and standard deviations ``[N, 2]``, whatever is remembered; they count."""
        return np.stack(self._in_batches(np.asarray(x, dtype=float)))

    def calibrate(self, x: Array, y: Array) -> float | None:
        """Take the residuals at rows x ``[n, D]``, y ``[n]`` that the expert was not trained on for `std`; return it.

        The rows are asked for, and count. An expert that states standard deviations keeps its own: it is asked for one
        row at most, and None is returned. Raises ValueError where residuals tell nothing.
        """
        if self.states_std is None:
            self.predict(x[:1])
        if self.states_std:
            return None
        mean, _ = self.predict(x)
        try:
            self.std = residual_std(mean, y)
        except ValueError as problem:
            raise ValueError(f"{self.name}: {problem}") from problem
        return self.std

    def _rows(self, x: Array) -> Array:
        """Answers ``[N, C]`` to the rows: those remembered, and others that are asked for, each once."""
        x = np.asarray(x, dtype=float) + 0.0  # -0 and 0 are one input
        if x.ndim != 2 or self.model.inputs not in (None, x.shape[1]):
            raise ValueError(f"{self.name}: needed x [N, {self.model.inputs or 'inputs'}]; got shape {x.shape}")
        x = np.ascontiguousarray(x)
        if self._last is not None and np.array_equal(x, self._last[0]):
            return self._last[1]
        keys = [row.tobytes() for row in x]
        new: dict[bytes, int] = {}
        for place, key in enumerate(keys):
            if key not in self._answers:
                new.setdefault(key, place)
        rows = x[list(new.values())]
        for answer, key in zip(self._in_batches(rows), new, strict=True):
            self._answers[key] = answer
        width = len(self.model.classes) if isinstance(self.model, Classifier) else 2
        answers = np.stack([self._answers[key] for key in keys]) if keys else np.empty((0, width))
        self._last = x, answers
        return answers

    def _in_batches(self, rows: Array) -> list[Array]:
        self._reserve(len(rows))
        pieces = [rows[start : start + self.batch] for start in range(0, len(rows), self.batch)]
        return [answer for piece in pieces for answer in self._call(partial(self._answer, piece), len(piece))]

    def _answer(self, rows: Array) -> Array:
        """What the model says of a batch, checked ``[n, C]``."""
        if isinstance(self.model, Classifier):
            return self.model.predict_proba(rows)
        if isinstance(self.model, DensityExpert):
            start = _finite(self.model.start(rows), (len(rows),), "value to start from")
            return np.stack([start, np.full(len(rows), np.nan)], axis=1)
        mean, std = self.model.predict(rows)
        self.states_std = not bool(np.isnan(std).any())
        if self.densities and not np.isnan(std).all() and not (np.isfinite(std) & (std > 0)).all():
            worst = std[~(np.isfinite(std) & (std > 0))][0]
            raise ValueError(f"needed finite standard deviations above 0 for all rows; got {worst:.3g}")
        return np.stack([mean, std], axis=1)

    def _densities(self, expert: DensityExpert, x: Array, y: Array) -> Array:
        """Log densities of an expert that answers nothing else, asked for as pairs."""
        pairs = np.broadcast_to(np.asarray(x, dtype=float), (*y.shape, x.shape[1])).reshape(-1, x.shape[1])
        values = y.reshape(-1)
        self._reserve(values.size)
        self.density_queries += values.size
        pieces = [slice(start, start + self.batch) for start in range(0, values.size, self.batch)]
        answers = [self._call(partial(_log_density, expert, pairs[at], values[at]), len(values[at])) for at in pieces]
        return np.concatenate([*answers, np.empty(0)]).reshape(y.shape)

    def _reserve(self, count: int) -> None:
        if self.queries is not None and self.used + count > self.queries:
            raise QueriesUsedUp(
                f"{self.name}: needed {count:,} queries more, and {self.used:,} of {self.queries:,} are used: ask for "
                "fewer, or raise the cap (queries)"
            )

    def _call(self, ask: Callable[[], Array], count: int) -> Array:
        """One call of the model; whatever goes wrong puts it out."""
        if self.failure is None:
            self.used += count  # before the call: what was asked was asked, whatever comes
            try:
                return within(self.time_limit if getattr(self.model, "limit", None) is None else None, ask)
            except Exception as problem:  # of a foreign model: it may be any
                words = " ".join(str(problem).removeprefix(f"{self.name}: ").split())
                self.failure = words if isinstance(problem, ValueError | TimeoutError) and words else _raised(problem)
                raise ExpertFailed(self.name, self.failure) from problem
        raise ExpertFailed(self.name, self.failure)


def _raised(problem: Exception) -> str:
    words = " ".join(str(problem).split())
    return f"raised {type(problem).__name__}{f' ({words})' if words else ''}"


def _log_density(expert: DensityExpert, x: Array, y: Array) -> Array:
    return _finite(expert.log_density(x, y), y.shape, "log density")


def _finite(answer: object, shape: tuple[int, ...], what: str) -> Array:
    values = np.asarray(answer, dtype=float)
    if values.shape != shape:
        raise ValueError(f"needed a {what} for each of {shape[0]} rows; got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"answers a {what} that is not finite for {np.sum(~np.isfinite(values))} rows")
    return values
