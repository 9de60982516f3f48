"""The product of models in files, found by queries at given inputs (CIGAR). It leaves predictions, no model."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.task import Task
from coolgp.fusion.blackbox.cigar import Cigar
from coolgp.fusion.blackbox.group import Group, GroupAnswer
from coolgp.fusion.blackbox.online import online_group
from coolgp.network.graphs.generate import generate
from coolgp.scenarios.base.formatting import counted, size_text
from coolgp.scenarios.experiments.handed.borrowed import settings_as_used, with_settings_of
from coolgp.scenarios.experiments.handed.boxes import left_out_words, require_enough, require_std, with_std
from coolgp.scenarios.experiments.handed.classes import labels_of
from coolgp.scenarios.experiments.handed.predictions import predictions
from coolgp.scenarios.experiments.handed.rule import PREDICTIONS, Handed, Outcome

__all__ = ["ClimbedPredictions"]

Above = Annotated[float, Field(gt=0)]


@with_settings_of(Cigar, without=("via", "query_rounds", "seed"))
class ClimbedPredictions:
    """The product of all models' densities, climbed by answers alone (CIGAR); class probabilities are pooled.

    std: of an observation, for regression models that state none.
    """

    leaves: ClassVar[tuple[str, ...]] = (PREDICTIONS,)
    leaves_out: ClassVar[bool] = True
    by_queries: ClassVar[bool] = True
    takes_inputs: ClassVar[bool] = True

    std: Above | None = None

    def fuse(self, handed: Handed) -> Outcome:
        """See `HandedRule`."""
        if handed.queries is None:
            raise ValueError(
                "--inputs: cigar leaves no model in a file, but predictions: give --inputs rows.csv to predict at; "
                "colbi leaves a model of surrogates"
            )
        boxes = tuple(with_std(box, self.std) for box in handed.boxes)
        require_std(boxes, handed.queries)
        task = Task(tuple(labels_of([box.expert for box in boxes])))
        graph = handed.graph or generate("complete", len(boxes), seed=0)
        settings = settings_as_used(self, but="std") | {"seed": handed.seed}
        answer = online_group(Group(boxes, graph, task), handed.queries, settings).answer(handed.queries)
        require_enough(boxes, handed.at_least)
        return Outcome(
            model=predictions(_columns(answer, task), task),
            sizes=["left out" if box.failure is not None else f"{counted(box.used, 'row')} asked" for box in boxes],
            fused_size=counted(len(handed.queries), "prediction"),
            order=_spent(answer),
            remarks=[*answer.remarks, *left_out_words(boxes)],
            settings=settings_as_used(self),
        )


def _columns(answer: GroupAnswer, task: Task) -> Array:
    return answer.probabilities if task.labels else np.stack([answer.mean, np.square(answer.std)], axis=1)


def _spent(answer: GroupAnswer) -> str:
    last = answer.trace[-1]
    messages = counted(int(last["messages"]), "message")
    return f"{counted(len(answer.trace), 'sum')} over the graph, {messages} of {size_text(last['bytes'])} together"
