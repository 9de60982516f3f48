"""The rules that add up a row of numbers over all agents, by name: evidence, or terms of a committee at queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coolgp.network.base.lazy_table import LazyTable

if TYPE_CHECKING:
    from coolgp.fusion.sums.base import SumRule

__all__ = ["SUM_RULES"]

SUM_RULES: LazyTable[type[SumRule]] = LazyTable(
    {
        "tree": "coolgp.fusion.sums.tree:Tree",
        "consensus": "coolgp.fusion.sums.consensus:Consensus",
        "chebyshev": "coolgp.fusion.sums.chebyshev:Chebyshev",
        "push-sum": "coolgp.fusion.sums.push_sum:PushSum",
        "gossip": "coolgp.fusion.sums.gossip:Gossip",
        "flood": "coolgp.fusion.sums.flood:Flood",
        "server": "coolgp.fusion.sums.server:Server",
        "central": "coolgp.fusion.sums.central:Central",
        "none": "coolgp.fusion.sums.isolated:Isolated",
    }
)
