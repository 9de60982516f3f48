"""Random hidden units whose output layer is fitted from sums over the owners: what fusing trained units has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.head import moments, with_refitted_head
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.apart.summed import SummedRule
from coolgp.fusion.matching.networks.baselines import random_units
from coolgp.network.transport import Transport

__all__ = ["RandomFeatures"]


@dataclass(frozen=True)
class RandomFeatures(SummedRule):
    """A network of random units, alike for all, whose output layer follows from sums over the owners' rows.

    No model of an owner is used. units: how many. seed: that they are drawn from; default the run's.
    """

    units: Annotated[int, Field(ge=1)] = 250
    seed: Annotated[int, Field(ge=0)] = 0

    def check(self, task: Task) -> None:
        """The output layer has a score for each class."""
        if not task.labels:
            raise ValueError('fusion.rule: "random-features" predicts classes; the data are of regression')

    def rows(self, members: Members, transport: Transport) -> Array:
        """Moments of the features and the classes."""
        return moments(self._network(members), members.rows, members.task.columns)

    def read(self, sums: Array, members: Members, transport: Transport) -> Fused:
        """The predictions of each agent's own network."""
        units, classes = self._network(members), members.task.columns
        networks = [with_refitted_head(units, total, classes) for total in sums]
        answers = np.stack([network.predict_proba(members.queries) for network in networks])
        return Fused(answers, np.full(len(networks), float(units.size)))

    def _network(self, members: Members) -> Network:
        """The random units, without an output layer yet."""
        classes = members.task.columns
        matrix, bias = random_units(members.queries.shape[1], self.units, self.seed)
        return Network((matrix, np.zeros((self.units, classes))), (bias, np.zeros(classes)))
