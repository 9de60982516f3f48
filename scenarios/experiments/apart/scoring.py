"""Scores of the answers of all agents, as columns of ``metrics.csv``: of numbers, or of classes.

Axes: `N` agents in all, `Q` test rows, `K` classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coolgp.agents.base.arrays import Array, Booleans, Indices
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.scaler import Scaler
from coolgp.scenarios.metrics.class_scores import accuracy, calibration_error, log_loss
from coolgp.scenarios.metrics.scores import Forecast, coverage, crps, disagreement, nlpd, rmse

__all__ = ["ClassScoring", "NumberScoring", "Scoring", "has_answers"]

LEVELS = (50, 90, 95)
Scores = dict[str, float]


@dataclass(frozen=True)
class NumberScoring:
    """Of means and variances ``[N, Q, 2]`` in scaled units."""

    dataset: Dataset
    scaler: Scaler

    main: ClassVar[tuple[str, str]] = ("rmse", "nlpd")
    beside: ClassVar[tuple[str, ...]] = ("rmse", "nlpd", "coverage95")
    names: ClassVar[tuple[str, ...]] = (
        *("rmse_pre", "rmse_pre_std", "rmse_worst_pre", "rmse_post", "rmse_post_std", "rmse_worst_post"),
        *("error_pre", "error_post", "nlpd_pre", "nlpd_post", "crps_pre", "crps_post"),
        *(f"coverage{level}_post" for level in LEVELS),
        "disagreement",
    )

    @property
    def asked(self) -> Array:
        """``[N, Q]``, 1 where a test row counts for an agent."""
        agents, owner = len(self.dataset.agents), self.dataset.test_owner
        if owner is None:
            return np.ones((agents, len(self.dataset.y_test)))
        own: Array = (np.arange(agents)[:, None] == owner).astype(float)
        return own

    def scores(self, before: Array, after: Array) -> Scores:
        """All columns; NaN for what models without a variance do not have."""
        y, truth = self.dataset.y_test, self.dataset.truth
        row: Scores = {}
        for when, all_answers in (("pre", before), ("post", after)):
            there = has_answers(all_answers)
            forecast, asked = self._forecast(all_answers[there]), self.asked[there]
            errors = rmse(forecast, y, asked)
            row |= _spread("rmse", when, errors) | {f"rmse_worst_{when}": float(errors.max())}
            row[f"nlpd_{when}"] = float(nlpd(forecast, y, asked).mean())
            row[f"crps_{when}"] = float(crps(forecast, y, asked).mean())
            if truth is not None:
                row[f"error_{when}"] = float(rmse(forecast, truth, asked).mean())
        if np.isfinite(forecast.variance).all():
            row |= {f"coverage{p}_post": float(coverage(forecast, y, asked, p / 100).mean()) for p in LEVELS}
        return row | {"disagreement": disagreement(forecast)}

    def losses(self, answers: Array) -> Array:
        """Root mean square errors ``[N]``."""
        return rmse(self._forecast(answers), self.dataset.y_test, self.asked)

    def of_agents(self, answers: Array) -> Mapping[str, Array]:
        """The two scores of each agent ``[N]``."""
        likelihood = nlpd(self._forecast(answers), self.dataset.y_test, self.asked)
        return {"rmse": self.losses(answers), "nlpd": likelihood}

    def words(self, row: Mapping[str, float]) -> str:
        """A row in words."""
        return f"RMSE {row['rmse_pre']:.4g} of local models, {row['rmse_post']:.4g} fused"

    def _forecast(self, answers: Array) -> Forecast:
        return Forecast(self.scaler.mean(answers[:, :, 0]), self.scaler.variance(answers[:, :, 1]))


@dataclass(frozen=True)
class ClassScoring:
    """Of class probabilities ``[N, Q, K]``."""

    dataset: Dataset
    scaler: Scaler | None = None

    main: ClassVar[tuple[str, str]] = ("accuracy", "log_loss")
    beside: ClassVar[tuple[str, ...]] = ("accuracy", "log_loss", "calibration_error")
    names: ClassVar[tuple[str, ...]] = (
        *("accuracy_pre", "accuracy_pre_std", "accuracy_worst_pre"),
        *("accuracy_post", "accuracy_post_std", "accuracy_worst_post"),
        *("log_loss_pre", "log_loss_post", "calibration_error_pre", "calibration_error_post"),
    )

    @property
    def y(self) -> Indices:
        """Numbers of the classes of the test rows ``[Q]``."""
        return self.dataset.y_test.astype(np.intp)

    def scores(self, before: Array, after: Array) -> Scores:
        """All columns."""
        row: Scores = {}
        for when, all_answers in (("pre", before), ("post", after)):
            answers = all_answers[has_answers(all_answers)]
            right = accuracy(answers, self.y)
            row |= _spread("accuracy", when, right) | {f"accuracy_worst_{when}": float(right.min())}
            row[f"log_loss_{when}"] = float(log_loss(answers, self.y).mean())
            row[f"calibration_error_{when}"] = float(calibration_error(answers, self.y).mean())
        return row

    def losses(self, answers: Array) -> Array:
        """Shares of wrong classes ``[N]``."""
        return 1.0 - self.of_agents(answers)["accuracy"]

    def of_agents(self, answers: Array) -> Mapping[str, Array]:
        """The two scores of each agent ``[N]``."""
        there = has_answers(answers)
        scores = {"accuracy": accuracy(answers, self.y), "log_loss": log_loss(answers, self.y)}
        return {name: np.where(there, values, np.nan) for name, values in scores.items()}

    def words(self, row: Mapping[str, float]) -> str:
        """A row in words."""
        return f"accuracy {row['accuracy_pre']:.4g} of local models, {row['accuracy_post']:.4g} fused"


Scoring = NumberScoring | ClassScoring


def has_answers(answers: Array) -> Booleans:
    """Whether each agent predicts ``[N]``: false of one whose model is left out, while nobody's answers reach it."""
    return np.asarray(np.isfinite(answers[:, :, 0]).all(axis=1))


def _spread(name: str, when: str, values: Array) -> Scores:
    return {f"{name}_{when}": float(values.mean()), f"{name}_{when}_std": float(values.std())}
