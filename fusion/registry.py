"""All fusion rules by the name that a scenario gives them; a rule of your own is named ``module:Class``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from coolgp.network.base.lazy_table import LazyTable, imported

if TYPE_CHECKING:
    from coolgp.fusion.rule import FusionRule
    from coolgp.fusion.sums.base import SumRule

__all__ = ["FORMER_NAMES", "RULES", "SUM_RULES", "rule_class", "rule_named"]

_REFERENCE = re.compile(r"\w+(\.\w+)*:\w+")
VERBS = ("fit", "guarantee", "links", "init", "exchange", "converge", "predict")

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
"""Rules that add up a row of numbers over all agents: evidence, or terms of a committee at queries."""
RULES: LazyTable[type[FusionRule]] = LazyTable(
    {
        **SUM_RULES.references,
        "poe": "coolgp.fusion.committees.poe:PoE",
        "gpoe": "coolgp.fusion.committees.gpoe:GPoE",
        "bcm": "coolgp.fusion.committees.bcm:BCM",
        "rbcm": "coolgp.fusion.committees.rbcm:RBCM",
        "grbcm": "coolgp.fusion.committees.grbcm:GRBCM",
        "npae": "coolgp.fusion.committees.npae:NPAE",
        "ensemble": "coolgp.fusion.evidence.ensemble:Ensemble",
        "dpitc": "coolgp.fusion.evidence.dpitc:DPITC",
        "selective": "coolgp.fusion.evidence.selective:Selective",
        "weighted": "coolgp.fusion.evidence.weighted:Weighted",
    }
)

FORMER_NAMES = {"weighed": "weighted"}
"""Names that rules had before, as older scenarios and run folders give them, and their names now."""


def rule_class(name: str) -> type[FusionRule]:
    """The class of a rule, from the registry or from ``module:Class``.

    Raises ValueError where there is none of that name, or the class cannot be imported.

    >>> rule_class("tree").__name__, rule_class("weighed").__name__
    ('Tree', 'Weighted')
    """
    present = FORMER_NAMES.get(name, name)
    if present in RULES:
        return RULES[present]
    if not _REFERENCE.fullmatch(name):
        raise ValueError(f"fusion.rule needs one of {', '.join(RULES)}, or module:Class; got {name!r}")
    try:
        rule = cast("type[FusionRule]", imported(name))
    except (ImportError, AttributeError) as problem:
        raise ValueError(f"the fusion rule {name!r} cannot be loaded: {problem}") from problem
    missing = [verb for verb in VERBS if not hasattr(rule, verb)]
    if missing:
        raise ValueError(f"the fusion rule {name!r} lacks {', '.join(missing)}: see coolgp.fusion.rule.FusionRule")
    return rule


def rule_named(name: str, options: Mapping[str, Any] | None = None) -> FusionRule:
    """A rule with its own settings, its dataclass fields, by name; defaults for those that are not given.

    Raises ValueError where there is no such rule, or it does not take these settings.

    >>> rule_named("consensus", {"tolerance": 1e-9}).tolerance
    1e-09
    """
    try:
        return rule_class(name)(**(options or {}))
    except TypeError as problem:
        raise ValueError(f"the fusion rule {name!r} cannot be set up: {problem}") from problem
