"""Models of owners and the rule that fuses them: what an estimator has once it is fitted, and what it answers."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.queries.black_box import QUERIES
from coolgp.agents.experts.task import Task, answers
from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.estimators.groups import place_of
from coolgp.scenarios.estimators.owners import OwnersModels
from coolgp.scenarios.experiments.handed.rule import Handed, Outcome, Rows, UsesRowsOfClasses, leaves_predictions
from coolgp.scenarios.experiments.handed.settings import FuseSettings

__all__ = ["FusedGroup", "in_python", "said_in_python"]

_WORDS = (
    (r"--set (\S+?)=\.\.\.", r'settings={"\1": ...}'),
    (r"--set (\S+)", r"settings: \1"),
    (r"--rule (\S+?)(?=[,;:\s]|$)", r'rule="\1"'),
    (r"--shards", "groups"),
    (r"--inputs", "unlabelled"),
    (r"--graph", "graph"),
    (r"(Networks need equal (?:outputs|classes).*)", r'\1; estimator="mlp" has an output for each class of any owner'),
)
"""What the command line calls the arguments of an estimator."""


@dataclass(frozen=True)
class FusedGroup:
    """Models that are fused by a rule, or asked together by it.

    rows: of each owner, in their order, or none. model: what the rule left; None where it
    leaves predictions, and models stay where they are.
    """

    owners: OwnersModels
    rows: Sequence[Rows]
    graph: Topology | None
    settings: FuseSettings
    seed: int
    task: Task
    model: Any = None

    def fused(self, x: Array) -> tuple[FusedGroup, Outcome]:
        """The group with its model, and what the rule says; x ``[Q, D]``: inputs at which models may be asked."""
        if leaves_predictions(self.settings.rule):
            return self, self._outcome(x[:1])
        outcome = self._outcome(x)
        return replace(self, model=outcome.model, rows=()), outcome

    @property
    def most_rows(self) -> int:
        """Rows that models are asked for at a time: the cap on queries holds for each."""
        return self.settings.asking.queries or QUERIES

    def answers(self, x: Array) -> Array:
        """Probabilities ``[Q, K]`` of all classes at x ``[Q, D]``, or mean and variance ``[Q, 2]``, NaN without one.

        What a rule has to say when it predicts is a warning: whom it left out, say.
        """
        if self.model is not None:
            return answers(expert_of(self.model, "the fused model"), x, self.task)
        pieces = [x[start : start + self.most_rows] for start in range(0, len(x), self.most_rows)]
        outcomes = [self._outcome(piece) for piece in pieces]
        for words in dict.fromkeys(remark for outcome in outcomes for remark in outcome.remarks):
            warnings.warn(in_python(words), stacklevel=4)
        table = [row for outcome in outcomes for row in outcome.model]
        if self.task.labels:
            return np.array([[row[f"probability_{label}"] for label in self.task.labels] for row in table])
        return np.array([[row["mean"], np.square(row.get("std", np.nan))] for row in table])

    def own_answers(self, owner: str, x: Array) -> Array:
        """The same of one owner's model alone. Raises ValueError for an owner that there is not."""
        return answers(self.owners.experts()[place_of(owner, self.owners.names, "owner")], x, self.task)

    def _outcome(self, x: Array) -> Outcome:
        boxes = self.settings.boxes(self.owners.experts())
        experts = [box.expert for box in boxes]
        rule, at_least = self.settings.rule, self.settings.asking.at_least
        rows = () if isinstance(rule, UsesRowsOfClasses) and not self.task.labels else self.rows
        with said_in_python():
            return rule.fuse(Handed(self.owners.names, experts, rows, x, self.graph, self.seed, boxes, at_least))


@contextmanager
def said_in_python() -> Iterator[None]:
    """What goes wrong within names arguments of Python where it names options of the command line."""
    try:
        yield
    except ValueError as problem:
        raise ValueError(in_python(str(problem))) from problem


def in_python(words: str) -> str:
    """Words that name options of the command line, with the arguments of an estimator in their place.

    >>> in_python("take --rule ensemble, or give std (--set fusion.std=...)")
    'take rule="ensemble", or give std (settings={"fusion.std": ...})'
    """
    for pattern, argument in _WORDS:
        words = re.sub(pattern, argument, words)
    return words
