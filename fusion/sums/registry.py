"""The rules that add up a row of numbers over all agents, by name: evidence, or what committees say at queries."""

from __future__ import annotations

from coolgp.fusion.sums.base import SumRule
from coolgp.fusion.sums.central import Central
from coolgp.fusion.sums.chebyshev import Chebyshev
from coolgp.fusion.sums.consensus import Consensus
from coolgp.fusion.sums.flood import Flood
from coolgp.fusion.sums.gossip import Gossip
from coolgp.fusion.sums.isolated import Isolated
from coolgp.fusion.sums.push_sum import PushSum
from coolgp.fusion.sums.server import Server
from coolgp.fusion.sums.tree import Tree

__all__ = ["SUM_RULES"]

SUM_RULES: dict[str, type[SumRule]] = {
    "tree": Tree,
    "consensus": Consensus,
    "chebyshev": Chebyshev,
    "push-sum": PushSum,
    "gossip": Gossip,
    "flood": Flood,
    "server": Server,
    "central": Central,
    "none": Isolated,
}
