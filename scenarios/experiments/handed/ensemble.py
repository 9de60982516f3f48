"""An ensemble of models in files: their predictions at given inputs, averaged. It leaves predictions, no model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Expert
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.ensemble import Ensemble
from coolgp.fusion.apart.left_out import LeftOut, left_out
from coolgp.fusion.apart.members import Members, asked
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.serial import SerialTransport
from coolgp.scenarios.base.formatting import counted
from coolgp.scenarios.experiments.handed.classes import labels_of, numbered, numbered_rows
from coolgp.scenarios.experiments.handed.predictions import predictions
from coolgp.scenarios.experiments.handed.rule import PREDICTIONS, Handed, Outcome, Rows

__all__ = ["AveragedPredictions"]


@dataclass(frozen=True)
class AveragedPredictions:
    """The mean of all predictions: of class probabilities, or of means and second moments. Takes any model.

    weights: "uniform"; by each owner's "rows"; or, for "classes", the probability of each by the owner's rows of it.
    """

    takes_inputs: ClassVar[bool] = True
    leaves: ClassVar[tuple[str, ...]] = (PREDICTIONS,)
    leaves_out: ClassVar[bool] = True

    weights: Literal["uniform", "rows", "classes"] = "uniform"

    def fuse(self, handed: Handed) -> Outcome:
        """See `HandedRule`."""
        if handed.queries is None:
            raise ValueError(
                "--inputs: the ensemble leaves no model in a file, but predictions: give --inputs rows.csv to predict "
                "at; pfnm and average leave a model of neural networks, spahm one of sparse GPs"
            )
        if self.weights != "uniform" and not handed.shards:
            raise ValueError(f'fusion.weights: "{self.weights}" needs --shards, the rows of each owner')
        task = Task(tuple(labels_of(handed.experts)))
        rule = Ensemble(weights=self.weights)
        rule.check(task)
        fused, out = _answers(rule, replace(handed, experts=numbered(handed.experts)), handed.queries, task)
        return Outcome(
            model=predictions(fused, task),
            sizes=[_size(expert, place in out) for place, expert in enumerate(handed.experts)],
            fused_size=counted(len(fused), "prediction"),
            order="one sum, the same over any graph",
            remarks=[f"left out: {each.name}: {each.reason}" for each in out.values()],
            settings=asdict(self),
        )


def _size(expert: Expert, left_out: bool) -> str:
    if left_out:
        return "left out"
    return "a network" if isinstance(expert.parameters, Network) else "any model"


def _answers(rule: Ensemble, handed: Handed, queries: Array, task: Task) -> tuple[Array, dict[int, LeftOut]]:
    """Fused answers ``[Q, C]``, and who is left out of them, by place."""
    graph = handed.graph or _everybody(len(handed.experts))
    fitted = rule.fit(graph, Faults())
    transport = SerialTransport(fitted.links(graph))
    places = transport.shard.agents
    rows = handed.shards or [Rows(queries[:0], np.empty(0))] * len(handed.experts)
    members = Members(
        task=task,
        experts=tuple(handed.experts[place] for place in places.tolist()),
        rows=tuple(numbered_rows(rows[place], task.labels) for place in places.tolist()),
        queries=queries,
        answers=np.empty(0),
        boxes=tuple(handed.boxes[place] for place in places.tolist()) if handed.boxes else (),
        at_least=handed.at_least,
    )
    members = replace(members, answers=asked(members.experts, members))
    out = left_out(members, transport)
    state = fitted.converge(fitted.init(members, transport), members, transport)
    fused: Array = fitted.fused(state, members, transport).answers[0]
    return fused, {each.agent: each for each in out}


def _everybody(models: int) -> Topology:
    return generate("complete", models, seed=0)
