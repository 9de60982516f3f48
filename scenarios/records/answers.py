"""What a stored model, of a run or of anybody's making, says of the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Classifier, Expert
from coolgp.agents.experts.formats.surrogates import holds_surrogates
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.config.sections.experts import AskingSettings
from coolgp.scenarios.data.tables import read_features, read_inputs
from coolgp.scenarios.records.model import SavedModel, load_model, stored_in

__all__ = ["Answers", "answers"]

BAND = 1.959963984540054
"""Standard deviations on each side of the mean that hold 95 % of a normal distribution."""
NOTHING = 0.05
"""Share of the prior variance that data must have taken away for a row not to count as unknown."""


@dataclass(frozen=True)
class Answers:
    """columns: names and values ``[Q]``, one for each row of the table in its order. notes: what to know of them."""

    columns: Mapping[str, Array]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> list[dict[str, object]]:
        """A line for each row of the table, which has the number ``row``, from 1."""
        values = zip(*(column.tolist() for column in self.columns.values()), strict=True)
        return [{"row": number, **dict(zip(self.columns, line, strict=True))} for number, line in enumerate(values, 1)]


def answers(model: Path, table: Path, agent: str | None = None) -> Answers:
    """Predictions at the rows of a CSV or Parquet file, of one agent of a run or of a model in a file.

    model: a run folder or its ``model.npz``, of which the first probe answers unless an agent is named; or whatever
    else :func:`coolgp.scenarios.records.models.model_in` reads. Raises ValueError for what is no model, columns that
    the model needs and the table lacks, cells that are no numbers (all of these at once), and an unknown agent.
    """
    stored = stored_in(model)
    if stored.name == "model.npz" and not holds_surrogates(stored):
        return _of_run(load_model(model), table, agent)
    if agent is not None:
        raise ValueError(f"--agent: {model} is the model of nobody in particular: leave it out")
    return _of_file(model, table)


def _of_run(stored: SavedModel, table: Path, agent: str | None) -> Answers:
    x = read_features(table, stored.features)
    if stored.classes:
        columns = _classes(np.array(stored.classes), stored.predict_proba(x, agent))
    else:
        forecast = stored.predict(x, agent)
        columns = _numbers(forecast.mean, np.sqrt(forecast.variance))
    unknown = np.count_nonzero(stored.known(x, agent) < NOTHING)
    words = (
        f"at {unknown:,} of {len(x):,} rows the agent knows next to nothing (they are far from all that was observed): "
        "there it answers with its prior"
    )
    return Answers(columns, (words,) if unknown else ())


def _of_file(path: Path, table: Path) -> Answers:
    from coolgp.scenarios.records.asked import named_expert  # scikit-learn loads only here
    from coolgp.scenarios.records.models import model_in

    expert = named_expert(model_in(path), str(path), AskingSettings())
    x, notes = _inputs(table, path, expert)
    if isinstance(expert, Classifier):
        return Answers(_classes(expert.classes, expert.predict_proba(x)), notes)
    return Answers(_numbers(*expert.predict(x)), notes)


def _inputs(table: Path, path: Path, expert: Expert) -> tuple[Array, tuple[str, ...]]:
    """The columns that the model names; else those of numbers as they stand, and that this was so."""
    if expert.features:
        return read_features(table, expert.features), ()
    x, names = read_inputs(table)
    if expert.inputs not in (None, len(names)):
        raise DataError(
            f"{table}: has {len(names)} columns of numbers ({', '.join(names)}); {path} takes {expert.inputs} and "
            "names none: leave the others out, in the order of its inputs"
        )
    return x, (f"{path} names no inputs: the columns {', '.join(names)} are taken for these, in this order",)


def _numbers(mean: Array, std: Array) -> dict[str, Array]:
    """Mean, standard deviation and 95 % interval of an observation, in units of the target."""
    if np.isnan(std).all():  # of a model that tells none
        return {"mean": mean}
    return {"mean": mean, "std": std, "low95": mean - BAND * std, "high95": mean + BAND * std}


def _classes(labels: Array, probability: Array) -> dict[str, Array]:
    """The more probable class, and the probability of each."""
    shares = {f"probability of {label}": column for label, column in zip(labels, probability.T, strict=True)}
    return {"class": labels[probability.argmax(axis=1)], **shares}
