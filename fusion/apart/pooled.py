"""One model trained on all rows: what fusion without the rows is measured against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.experts.task import answers
from coolgp.fusion.apart.alone import Alone, size_of
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.apart.rule import State
from coolgp.fusion.guarantee import Guarantee
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["Pooled"]


@dataclass(frozen=True)
class PooledState:
    """What everybody predicts once the model came back; None before."""

    fused: Fused | None = None


@dataclass(frozen=True)
class Pooled(Alone):
    """A centre that gets all rows, trains one model on them, and hands it to everybody; private rows are not private.

    Messages are each agent's rows, once, and the model on its way back where its size is known.
    """

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """Exact over lines on which nothing fails."""
        if not faults.perfect:
            return Guarantee("approximate", "lines to the centre are taken to be without faults")
        return Guarantee("exact", "the centre has all rows", rounds=1, messages=2.0 * topology.size)

    def init(self, members: Members, transport: Transport) -> State:
        """Nothing was sent yet. Raises ValueError for models that were not trained here."""
        if members.pooled is None:
            raise ValueError(
                'fusion.rule: "pooled" trains a model of the kind experts.model on all rows, and these come from '
                "files: take another rule, or experts.model in place of experts.files"
            )
        return PooledState()

    def exchange(self, state: State, members: Members, transport: Transport, rounds: int = 1) -> State:
        """Everything in the first round."""
        transport.meter.rounds += rounds
        return state if state.fused else self._trained(members, transport)

    def converge(self, state: State, members: Members, transport: Transport) -> State:
        """Everything in one round."""
        return state if state.fused else self.exchange(state, members, transport)

    def fused(self, state: State, members: Members, transport: Transport) -> Fused:
        """The centre's answers, alike for all."""
        fused: Fused = state.fused
        return fused

    def _trained(self, members: Members, transport: Transport) -> PooledState:
        assert members.pooled is not None
        expert = members.pooled()
        size = size_of(expert)
        numbers = sum(rows.x.size + rows.y.size for rows in members.rows) + np.nan_to_num(size) * len(members.rows)
        messages = 2 * len(members.rows)
        transport.meter.sent(messages, 8 * int(numbers))
        transport.meter.moved(8 * int(numbers))
        asked = answers(expert, members.queries, members.task)
        shape = (len(members.rows), *asked.shape)
        return PooledState(Fused(np.broadcast_to(asked, shape), np.full(len(members.rows), size)))
