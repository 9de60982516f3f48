"""The classes of models in files, and their owners' rows by the numbers of these classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coolgp.agents.experts.expert import Classifier, Expert
from coolgp.agents.experts.models.base import LocalRows
from coolgp.scenarios.experiments.handed.models import labelled, outputs_without_labels
from coolgp.scenarios.experiments.handed.rule import Rows, plain_label

__all__ = ["as_the_models_say", "labels_of", "numbered", "numbered_rows"]


def numbered(experts: Sequence[Expert]) -> list[Expert]:
    """The experts, with the numbers of their outputs for labels where all are networks without labels."""
    return [labelled(expert, range(outputs_without_labels(expert))) for expert in experts]


def labels_of(experts: Sequence[Expert]) -> dict[str, object]:
    """All classes of any of the models, as texts and as they are; none of models that predict a number."""
    labels: dict[str, object] = {}
    for expert in numbered(experts):
        if isinstance(expert, Classifier):
            labels |= {str(label): label for label in expert.classes.tolist() if str(label) not in labels}
    return labels


def numbered_rows(rows: Rows, labels: Sequence[str]) -> LocalRows:
    """The rows with numbers of classes, or as they are without labels. Raises ValueError for a class no model has."""
    if not labels:
        return LocalRows(rows.x, rows.y)
    number = {plain_label(label): number for number, label in enumerate(labels)}
    foreign = [label for label in np.unique(rows.y).tolist() if label not in number]
    if foreign:
        raise ValueError(f"--shards: has a class {foreign[0]!r} that no model has: {', '.join(number)}")
    return LocalRows(rows.x, np.array([number[label] for label in rows.y.tolist()], dtype=np.intp))


def as_the_models_say(y: Any, experts: Sequence[Expert]) -> Any:
    """Labels of a table as the models have them; others as whole numbers where all are, or as texts."""
    if y.dtype.kind not in "UO":
        return y
    known = {plain_label(label): label for label in labels_of(experts).values()}
    texts = [plain_label(label) for label in y.tolist()]
    whole = all(text.lstrip("-").isdigit() for text in texts)
    return np.array([known.get(text, int(text) if whole else text) for text in texts])
