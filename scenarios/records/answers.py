"""What a stored model says of the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.scenarios.data.tables import read_features
from coolgp.scenarios.records.model import SavedModel, load_model

__all__ = ["Answers", "answers"]

BAND = 1.959963984540054
"""Standard deviations on each side of the mean that hold 95 % of a normal distribution."""
NOTHING = 0.05
"""Share of the prior variance that data must have taken away for a row not to count as unknown."""


@dataclass(frozen=True)
class Answers:
    """columns: names and values ``[Q]``, a value for each row of the table in its order. unknown: rows at which the
    agent knows next to nothing, so that it answers with its prior.
    """

    columns: Mapping[str, Array]
    unknown: int

    @property
    def rows(self) -> list[dict[str, object]]:
        """A line for each row of the table, which has the number ``row``, from 1."""
        values = zip(*(column.tolist() for column in self.columns.values()), strict=True)
        return [{"row": number, **dict(zip(self.columns, line, strict=True))} for number, line in enumerate(values, 1)]


def answers(model: Path, table: Path, agent: str | None = None) -> Answers:
    """Predictions of one agent, by default the first probe, at the rows of a CSV or Parquet file.

    model: a ``model.npz``, or the run folder that holds it. Raises ValueError for what is no model, columns that the
    model needs and the table lacks, cells that are no numbers (all of these at once), and an unknown agent.
    """
    stored = load_model(model)
    x = read_features(table, stored.features)
    columns = _classes(stored, x, agent) if stored.classes else _numbers(stored, x, agent)
    return Answers(columns, int(np.count_nonzero(stored.known(x, agent) < NOTHING)))


def _numbers(stored: SavedModel, x: Array, agent: str | None) -> dict[str, Array]:
    """Mean, standard deviation and 95 % interval of an observation, in units of the target."""
    forecast = stored.predict(x, agent)
    std = np.sqrt(forecast.variance)
    return {
        "mean": forecast.mean,
        "std": std,
        "low95": forecast.mean - BAND * std,
        "high95": forecast.mean + BAND * std,
    }


def _classes(stored: SavedModel, x: Array, agent: str | None) -> dict[str, Array]:
    """The more probable class, and the probability of each."""
    probability = stored.predict_proba(x, agent)
    chosen = np.array(stored.classes)[probability.argmax(axis=1)]
    named = {f"probability of {label}": column for label, column in zip(stored.classes, probability.T, strict=True)}
    return {"class": chosen, **named}
