"""Rows of any kind through a rule that averages, in sums that count no agent more than once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.guarantee import FaultTolerance, Guarantee
from coolgp.fusion.sums.base import SETTLED_ROUNDINGS, SumRule
from coolgp.fusion.sums.deviation import attainable
from coolgp.fusion.sums.shares import group_members, mixed, with_amounts
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.row_axes import PerAgent
from coolgp.network.transport import Transport

__all__ = ["CountedOnce", "Sharing", "counted_once"]


@dataclass(frozen=True)
class Sharing:
    """inner: the averaging rule's; totals ``[A, K]``: observed by all, by column of shares, or ``[A, 1]`` before.

    members ``[K]``: agents of each column.
    """

    inner: Any
    totals: PerAgent
    members: Array


@dataclass(frozen=True)
class CountedOnce(SumRule):
    """A rule that averages, whose sums of rows count no agent more than once before they have settled.

    rule: the rule. observed: the column of a row in which an agent's observations are, where more of them come with
    time; the last column is then a one by which each counts itself. None: an agent's row stays as it is.
    """

    rule: SumRule = field(kw_only=True)
    observed: int | None = field(default=None, kw_only=True)

    def stands(self) -> FaultTolerance:
        """The averaging rule's."""
        return self.rule.stands()

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """The averaging rule's."""
        return self.rule.guarantee(topology, faults)

    def links(self, topology: Topology) -> Topology:
        """The averaging rule's."""
        return self.rule.links(topology)

    def begin(self, values: Array, transport: Transport) -> Sharing:
        """State before the first message: rows without shares, which sums that settle at once do not need."""
        size = transport.shard.size
        members = group_members(size, self.rule.share_numbers(size))
        return Sharing(self.rule.begin(values, transport), np.zeros((len(values), 1), values.dtype), members)

    def round(self, state: Sharing, values: Array, transport: Transport) -> Sharing:
        """One communication round."""
        inner, wide = self._widened(state, values, transport)
        return self._with_totals(state, self.rule.round(inner, wide, transport), wide, transport)

    def rounds(self, state: Sharing, values: Array, transport: Transport, count: int) -> Sharing:
        """So many communication rounds."""
        inner, wide = self._widened(state, values, transport)
        return self._with_totals(state, self.rule.rounds(inner, wide, transport, count), wide, transport)

    def settle(self, state: Sharing, values: Array, transport: Transport) -> Sharing:
        """Until every agent has the sum; shares go on with rows that have them."""
        wide = self._widened(state, values, transport)[1] if _is_wide(state) else values
        return replace(state, inner=self.rule.settle(state.inner, wide, transport))

    def sums(self, state: Sharing) -> Array:
        """Each agent's estimate of the sum ``[A, P]``, in which nobody is counted twice."""
        wide, columns = self.rule.sums(state.inner), len(state.members)
        if not _is_wide(state):
            return wide
        own = self.rule.own(state.inner)
        assert own is not None, "a rule that averages knows its own contributions"
        sums, amounts = wide[:, :-columns], wide[:, -columns:]
        agents = amounts.sum(axis=1, keepdims=True) if self.observed is None else sums[:, -1:]
        slack = state.members.sum() * attainable(self.rule.tolerance, wide, SETTLED_ROUNDINGS)
        both = mixed(amounts, agents, own[:, -columns:], state.totals, state.members, slack, self.rule.signed())
        return both.of(sums, own[:, :-columns])

    def own(self, state: Sharing) -> Array | None:
        """What agents contributed, ``[A, P]``."""
        own = self.rule.own(state.inner)
        return own[:, : -len(state.members)] if _is_wide(state) and own is not None else own

    def _widened(self, state: Sharing, values: Array, transport: Transport) -> tuple[Any, Array]:
        """The averaging rule's state and contributions, with shares."""
        size, columns = transport.shard.size, len(state.members)
        if not columns:
            return state.inner, values
        observed = np.ones(len(values)) if self.observed is None else values[:, self.observed]
        wide = with_amounts(values, observed, transport.shard.agents, size, columns)
        return state.inner if _is_wide(state) else self.rule.begin(wide, transport), wide  # nothing was sent before

    def _with_totals(self, state: Sharing, inner: Any, wide: Array, transport: Transport) -> Sharing:
        columns = len(state.members)
        if not columns:
            return replace(state, inner=inner)
        totals = np.broadcast_to(transport.allsum(wide[:, -columns:]), (len(wide), columns))
        return replace(state, inner=inner, totals=totals)


def counted_once(rule: SumRule) -> SumRule:
    """The rule, so that what it sums counts nobody twice: as it is, unless it averages."""
    return CountedOnce(rule=rule) if rule.averages else rule


def _is_wide(state: Sharing) -> bool:
    """Whether rows have shares behind them."""
    return bool(state.totals.shape[1] > 1)
