"""What the rules that match models have in common: how models, or what is known of them, reach one another."""

from __future__ import annotations

from typing import Literal

from coolgp.fusion.sums.flood import Flood

__all__ = ["MATCHING_FLOOD", "ONE_BRANCH", "ONE_ORDER", "Matching"]

Matching = Literal["everyone", "tree", "token"]
"""Who matches: everybody all models; the agents of a tree, children first; or one agent after another."""

MATCHING_FLOOD = Flood(instead='fusion.matching = "tree" or "token", under which models stay where they are')
ONE_BRANCH = "a merge sees the branches of one agent alone, so what matches depends on the tree; all agents end alike"
ONE_ORDER = "agents match one after another, so what matches depends on their order; all agents end alike"
