"""COLBI by parameters: one surrogate for the pseudo-labels of all owners, found by sums over the graph.

Every owner asks its own expert for moments at inputs that everybody knows; the fused surrogate climbs the sum of the
owners' objectives, a step with each sum. Source: Hoang, Hoang, Low & Kingsford, "Collective Model Fusion for Multiple
Black-Box Experts", ICML 2019, section 3.2, in the reading that has a maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.surrogates.linear import LinearSurrogate
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.apart.queried.imitated import asked_of_all, boxes_of, pool_of
from coolgp.fusion.blackbox.imitation.parameters import PseudoLabels, begun, pseudo_labels, row_length, stepped
from coolgp.fusion.blackbox.imitation.settings import LEAST, ImitationSettings
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.sums.carrier import RepeatedSums
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["OneSurrogate"]

SETTLED = 1e-8
"""A step that moves no weight further ends the climb."""


@dataclass(frozen=True)
class Climbing:
    """Where the agents of a rank stand.

    labels ``[A]``: moments that experts state, None of one that is out. surrogates ``[A]``: as each agent has it now.
    queries, density_queries: that experts of this rank answered. rows ``[A, P]``, inner, spent: of the sum that is on
    its way. steps: that were taken. done: whether nothing moves any more.
    """

    labels: tuple[PseudoLabels | None, ...]
    surrogates: tuple[LinearSurrogate, ...]
    queries: int
    density_queries: int
    rows: Array
    inner: Any
    spent: int = 0
    steps: int = 0
    done: bool = False


@dataclass(frozen=True)
class OneSurrogate(RepeatedSums, ImitationSettings):
    """One surrogate of all experts: it has the likeliest parameters for what they say at inputs set aside.

    Its mean is the average of theirs, and its standard deviation holds their own and what they disagree about. See
    `ImitationSettings` for imitation, which needs inputs set aside (data.unlabelled_count). climb: steps at most, each
    from one sum over the graph. In a communication round, agents say a part of one sum.
    """

    leaves_out: ClassVar[bool] = True
    by_queries: ClassVar[bool] = True
    least_inputs: ClassVar[int] = LEAST
    instead: ClassVar[str] = 'take fusion.rule = "colbi"'

    climb: Annotated[int, Field(ge=1)] = 30

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """The carrier's, of each sum."""
        return self.carrier.guarantee(topology, faults)

    def check(self, task: Task) -> None:
        """Of numbers alone: the weights of classes add up by themselves; and surrogates need common parameters."""
        if task.labels:
            raise ValueError('fusion.rule: "colbi-parameters" fuses regression models; for classes take "colbi"')
        if self.family != "linear":
            raise ValueError('fusion.family: "colbi-parameters" needs "linear", whose parameters mean the same for all')

    def init(self, members: Members, transport: Transport) -> Climbing:
        """Ask, each agent alone; nothing was sent yet. Raises as `pool_of` and `asked_of_all`."""
        pool, boxes = pool_of(members, self, "colbi-parameters"), boxes_of(members)
        before = _asked(boxes)
        stated = asked_of_all(members, lambda box, agent: pseudo_labels(box, pool.asked, pool.features), transport)
        surrogates, labels = (begun(pool.features),) * len(stated), tuple(stated)
        rows = _rows(labels, surrogates)
        queries, density_queries = (_asked(boxes) - before).tolist()
        return Climbing(labels, surrogates, queries, density_queries, rows, self.carrier.begin(rows, transport))

    def exchange(self, state: Climbing, members: Members, transport: Transport, rounds: int = 1) -> Climbing:
        """So many communication rounds; surrogates take a step with each sum that is complete."""
        for _ in range(rounds):
            if state.done:
                break
            inner = self.carrier.rounds(state.inner, state.rows, transport, 1)
            state = replace(state, inner=inner, spent=state.spent + 1)
            if self.complete(state.inner, state.rows, state.spent, transport):
                state = self._stepped(state, transport)
        return state

    def converge(self, state: Climbing, members: Members, transport: Transport) -> Climbing:
        """Until nothing moves any more, or all steps were taken."""
        while not state.done:
            inner = self.carried(state.inner, state.rows, transport)
            state = self._stepped(replace(state, inner=inner), transport)
        return state

    def fused(self, state: Climbing, members: Members, transport: Transport) -> Fused:
        """What each agent's surrogate predicts."""
        moments = [surrogate.predict(members.queries) for surrogate in state.surrogates]
        answers = np.stack([np.stack([mean, np.square(std)], axis=1) for mean, std in moments])
        sizes = [float(surrogate.size + surrogate.features.size) for surrogate in state.surrogates]
        return Fused(answers, np.array(sizes), state.queries, state.density_queries)

    def _stepped(self, state: Climbing, transport: Transport) -> Climbing:
        """Every agent takes the step that its sum tells, and begins the next sum. Collective."""
        pairs = zip(state.surrogates, self.carrier.sums(state.inner), strict=True)
        moved = tuple(stepped(at, total) for at, total in pairs)
        restless = sum(_apart(at, before) > SETTLED for at, before in zip(moved, state.surrogates, strict=True))
        done = not transport.total(np.array([restless]))[0] or state.steps + 1 == self.climb
        rows = _rows(state.labels, moved)
        inner = state.inner if done else self.carrier.begin(rows, transport)
        return replace(state, surrogates=moved, rows=rows, inner=inner, spent=0, steps=state.steps + 1, done=bool(done))


def _asked(boxes: Sequence[BlackBox]) -> Indices:
    """Rows and densities that experts were asked for so far ``[2]``."""
    counts = [sum(box.used for box in boxes), sum(box.density_queries for box in boxes)]
    return np.array(counts)


def _apart(surrogate: LinearSurrogate, other: LinearSurrogate) -> float:
    """The largest difference of weights, of means in units of the standard deviation where features are zero."""
    scale = float(np.exp(-surrogate.log_std_weights[0]))
    by_mean = scale * np.abs(surrogate.mean_weights - other.mean_weights).max()
    return max(float(by_mean), float(np.abs(surrogate.log_std_weights - other.log_std_weights).max()))


def _rows(labels: Sequence[PseudoLabels | None], surrogates: Sequence[LinearSurrogate]) -> Array:
    """What each agent adds, at the surrogate that it has now; zeros for those whose experts are out."""
    own = zip(labels, surrogates, strict=True)
    return np.stack([np.zeros(row_length(at.features.count)) if out is None else out.row(at) for out, at in own])
