"""The rules that add up a row of numbers over all agents, by name: evidence, or what committees say at queries."""

from __future__ import annotations

from coolgp.fusion.centralised import Central
from coolgp.fusion.chebyshev import Chebyshev
from coolgp.fusion.consensus import Consensus
from coolgp.fusion.flood import Flood
from coolgp.fusion.gossip import Gossip
from coolgp.fusion.isolated import Isolated
from coolgp.fusion.push_sum import PushSum
from coolgp.fusion.server import Server
from coolgp.fusion.sums import SumRule
from coolgp.fusion.tree import Tree

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
