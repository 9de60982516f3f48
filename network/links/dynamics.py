"""`Dynamics`: the agents in the network and the directed edges that carry messages, in each round of learning.

Every rank computes the same, without communication, for any round and in any order. Axes: `N` agents, `E_all` directed
edges in the order of the topology's `indices`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.network.base.randomness import generator
from coolgp.network.graphs.connectivity import spanning_tree
from coolgp.network.graphs.schedule import Schedule
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults

__all__ = ["Dynamics", "edge_keys"]


@dataclass(frozen=True, eq=False)
class Dynamics:
    """The network from round to round of learning, counted from 0.

    Attributes:
        topology: all links that there are in any round.
        faults: what can go wrong.
        seed: of the experiment.
        schedule: which links exist when; None where all always do.

    Raises:
        ValueError: if the faults name agents that do not exist, more byzantine ones than there are, or no moving links
            where there is a schedule.

    >>> from coolgp.network.links.faults import Absence
    >>> from coolgp.network.graphs.generate import generate
    >>> dynamics = Dynamics(generate("ring", 5, seed=0), Faults(away=(Absence(agent=2, leave=1, back=3),)), seed=0)
    >>> dynamics.present(1).tolist(), int(dynamics.up(1).sum()), int(dynamics.up(3).sum())
    ([True, True, False, True, True], 6, 10)
    """

    topology: Topology
    faults: Faults
    seed: int
    schedule: Schedule | None = None
    _latest: dict[str, tuple[int, Array]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        size, faults = self.topology.size, self.faults
        unknown = [absence.agent for absence in faults.away if not 0 <= absence.agent < size]
        if unknown:
            raise ValueError(f"Agents that are away must be in [0, {size}); got {unknown}")
        if faults.byzantine > size:
            raise ValueError(f"{size} agents cannot have {faults.byzantine} byzantine ones among them")
        if self.schedule is not None and not faults.moving:
            raise ValueError(
                "Links that come and go by a schedule need Faults(moving=True), by which rules state their guarantees"
            )

    def present(self, round: int) -> Array:
        """Return the agents [N] that are in the network in a round."""
        present = self._churned(round).copy()
        present[self._away[0][(self._away[1] <= round) & (round < self._away[2])]] = False
        return present

    def up(self, round: int) -> Array:
        """Return the edges [E_all] that carry messages in a round; not to be written to.

        An edge is up if both its ends are present, its link exists and its direction is allowed.
        """
        round = 0 if self.faults.steady else round
        if self._latest.get("up", (-1,))[0] != round:
            self._latest["up"] = (round, self._find_up(round))
        return self._latest["up"][1]

    @cached_property
    def byzantine(self) -> Array:
        """[N] the agents that send garbage."""
        chosen = np.zeros(self.topology.size, dtype=bool)
        count = self.faults.byzantine
        chosen[generator(self.seed, "byzantine").choice(self.topology.size, count, replace=False)] = True
        return chosen

    @cached_property
    def allowed(self) -> Array:
        """[E_all] the edges whose direction is allowed, whoever is there.

        A spanning tree stays two-way, so that every agent is reached from every other.
        """
        tail, head, size = self.topology.tail, self.topology.indices, self.topology.size
        allowed = np.ones(len(head), dtype=bool)
        if self.faults.two_way:
            return allowed
        rng, keys = generator(self.seed, "one-way"), edge_keys(self.topology)
        links = np.flatnonzero((tail < head) & ~np.isin(keys, edge_keys(spanning_tree(self.topology))))
        chosen = np.sort(rng.permutation(links)[: int(np.rint(self.faults.one_way * len(links)))])
        back = np.searchsorted(keys, head[chosen] * size + tail[chosen])
        allowed[np.where(rng.random(len(chosen)) < 0.5, chosen, back)] = False
        return allowed

    @cached_property
    def _away(self) -> Array:
        """Agents, when they leave and when they are back [3,absences]."""
        return np.array([(a.agent, a.leave, a.back) for a in self.faults.away], dtype=np.int64).reshape(-1, 3).T

    def _churned(self, round: int) -> Array:
        """Who is there for all that churn does: a chain, followed from the latest round that was asked for."""
        everyone = np.ones(self.topology.size, dtype=bool)
        if not self.faults.churn:
            return everyone
        start, present = self._latest.get("present", (0, everyone))
        if start > round:
            start, present = 0, everyone
        for later in range(start + 1, round + 1):
            draw = generator(self.seed, "churn", 0, later).random(len(present))
            present = np.where(present, draw >= self.faults.churn, draw * self.faults.absence < 1)
        self._latest["present"] = (round, present)
        return present

    def _find_up(self, round: int) -> Array:
        present = self.present(round)
        up = present[self.topology.tail] & present[self.topology.indices] & self.allowed
        if self.schedule is not None:
            up &= self.schedule.exists(round)
        up.flags.writeable = False
        return up


def edge_keys(topology: Topology) -> Array:
    """Return one number for each directed edge [E_all], `tail N + head`, ascending."""
    return np.asarray(topology.tail * topology.size + topology.indices)
