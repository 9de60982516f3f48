"""All rules that fuse models trained apart, by the name that a scenario gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coolgp.network.base.lazy_table import LazyTable

if TYPE_CHECKING:
    from coolgp.fusion.apart.rule import ApartRule

__all__ = ["APART_RULES", "apart_rule_named"]

APART_RULES: LazyTable[type[ApartRule]] = LazyTable(
    {
        "alone": "coolgp.fusion.apart.alone:Alone",
        "best": "coolgp.fusion.apart.alone:Best",
        "pooled": "coolgp.fusion.apart.pooled:Pooled",
        "ensemble": "coolgp.fusion.apart.ensemble:Ensemble",
        "median": "coolgp.fusion.apart.answers.median:Median",
        "poe": "coolgp.fusion.apart.answers.committees:Product",
        "gpoe": "coolgp.fusion.apart.answers.committees:GeneralisedProduct",
        "rbcm": "coolgp.fusion.apart.answers.committees:RobustCommittee",
        "stacking": "coolgp.fusion.apart.answers.stacking:Stacking",
        "average": "coolgp.fusion.apart.average:Average",
        "re-basin": "coolgp.fusion.apart.re_basin:ReBasin",
        "random-features": "coolgp.fusion.apart.random_features:RandomFeatures",
        "k-means": "coolgp.fusion.apart.k_means:ClusteredNetworks",
        "pfnm": "coolgp.fusion.apart.pfnm:MatchedNetworks",
        "spahm": "coolgp.fusion.apart.spahm:MatchedGPs",
        "cigar": "coolgp.fusion.apart.queried.cigar:ClimbedProduct",
        "colbi": "coolgp.fusion.apart.queried.colbi:FusedSurrogates",
        "colbi-parameters": "coolgp.fusion.apart.queried.colbi_parameters:OneSurrogate",
    }
)


def apart_rule_named(name: str, options: Mapping[str, Any] | None = None) -> ApartRule:
    """A rule with its own settings, its dataclass fields, by name.

    Raises ValueError where there is no such rule, or it does not take these settings.

    >>> apart_rule_named("ensemble", {"weights": "classes"}).weights
    'classes'
    """
    if name not in APART_RULES:
        raise ValueError(f"fusion.rule needs one of {', '.join(APART_RULES)}; got {name!r}")
    try:
        return APART_RULES[name](**(options or {}))
    except TypeError as problem:
        raise ValueError(f"the fusion rule {name!r} cannot be set up: {problem}") from problem
