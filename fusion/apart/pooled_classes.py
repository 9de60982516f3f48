"""Class probabilities of experts that answer queries alone, pooled by one sum: nobody has to climb anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.apart.alone import sizes
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.apart.summed import SummedRule, counted
from coolgp.fusion.blackbox.uncertainty import POOLS, Uncertainty
from coolgp.network.transport import Transport

__all__ = ["PooledClasses"]


@dataclass(frozen=True)
class PooledClasses(SummedRule):
    """A product of class probabilities ("product"), their geometric mean ("gpoe"), or their mean ("mixture").

    Probabilities below 1e-15 count as that, so that one expert that excludes a class does not decide for all.
    """

    uncertainty: Uncertainty = "gpoe"

    def rows(self, members: Members, transport: Transport) -> Array:
        """What each expert adds for every query and class, and a one ``[A, Q K + 1]``."""
        terms = POOLS[self.uncertainty].term(members.answers)
        return counted(terms.reshape(len(terms), -1))

    def read(self, sums: Array, members: Members, transport: Transport) -> Fused:
        """Probabilities of each agent from what it has of the sum; its own where that is nothing yet."""
        shape = members.answers.shape
        with np.errstate(all="ignore"):
            pooled = POOLS[self.uncertainty].read(sums[:, :-1].reshape(shape), sums[:, -1:, None])
        sound = np.asarray(np.isfinite(pooled).all(axis=(1, 2)))
        everybody = np.full(shape[0], transport.allsum(sizes(members)[:, None])[0])
        asked = shape[1] * int(members.present.sum()) * (transport.shard.size > 1)
        return Fused(np.where(sound[:, None, None], pooled, members.answers), everybody, asked)
