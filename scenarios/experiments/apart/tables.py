"""The tables beside ``metrics.csv`` of a run of models trained apart: of agents, of their rows, of calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.experiments.apart.scoring import Scoring, has_answers
from coolgp.scenarios.metrics.class_scores import BINS, reliability

__all__ = ["Answers", "Table", "agent_rows", "reliability_rows", "shard_rows"]

Table = list[dict[str, object]]


@dataclass(frozen=True)
class Answers:
    """Of all agents, by their own models and fused ``[N, Q, C]``. facts: of each model by column ``[N]``.

    What it was asked for, and how faithful its surrogate is, where there is one.
    """

    before: Array
    after: Array
    facts: Mapping[str, Array | Indices]

    def stages(self) -> Iterator[tuple[str, Array]]:
        """Both, with the ends of their columns' names."""
        yield "pre", self.before
        yield "post", self.after


def agent_rows(training: Dealt, dataset: Dataset, answers: Answers, scoring: Scoring) -> Table:
    """``agents.csv``: of each agent its training rows, its scores, what its model was asked for in all."""
    counts = np.bincount(training.owner, minlength=len(dataset.agents))
    scores = {
        f"{name}_{when}": values
        for when, of_stage in answers.stages()
        for name, values in scoring.of_agents(of_stage).items()
    }
    return [
        {"agent": agent, "rows": int(counts[place])}
        | {name: float(values[place]) for name, values in scores.items()}
        | {name: values[place].item() for name, values in answers.facts.items()}
        for place, agent in enumerate(dataset.agents)
    ]


def shard_rows(training: Dealt, dataset: Dataset) -> Table:
    """``shards.csv``: training rows of each agent and class."""
    classes = len(dataset.classes)
    place = training.owner * classes + training.y.astype(np.int64)
    counts = np.bincount(place, minlength=len(dataset.agents) * classes).reshape(-1, classes)
    return [
        {"agent": agent, "class": label, "rows": int(counts[i, k])}
        for i, agent in enumerate(dataset.agents)
        for k, label in enumerate(dataset.classes)
    ]


def reliability_rows(answers: Answers, y_test: Array) -> Table:
    """``calibration.csv``: confidence and accuracy in bins of confidence, over all agents."""
    rows: Table = []
    for when, of_stage in answers.stages():
        there = of_stage[has_answers(of_stage)]
        together = there.reshape(1, -1, there.shape[2])
        share, confidence, right = reliability(together, np.tile(y_test.astype(np.intp), len(there)))
        rows += [
            {"stage": when, "bin": i, "share": share[0, i], "confidence": confidence[0, i], "accuracy": right[0, i]}
            for i in range(BINS)
        ]
    return rows
