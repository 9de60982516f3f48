"""All rules that fuse models in files, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coolgp.network.base.lazy_table import LazyTable

if TYPE_CHECKING:
    from coolgp.scenarios.experiments.handed.rule import HandedRule

__all__ = ["HANDED_RULES"]

_HERE = "coolgp.scenarios.experiments.handed"
HANDED_RULES: LazyTable[type[HandedRule]] = LazyTable(
    {
        "pfnm": f"{_HERE}.networks:MatchedNetworks",
        "average": f"{_HERE}.networks:AveragedNetworks",
        "re-basin": f"{_HERE}.baselines:AlignedNetworks",
        "k-means": f"{_HERE}.baselines:ClusteredNetworks",
        "random-features": f"{_HERE}.baselines:RandomUnits",
        "spahm": f"{_HERE}.sparse_gps:MatchedGPs",
        "cigar": f"{_HERE}.climbed:ClimbedPredictions",
        "colbi": f"{_HERE}.surrogates:ImitatedModels",
        "colbi-parameters": f"{_HERE}.surrogates:OneSurrogate",
        "ensemble": f"{_HERE}.ensemble:AveragedPredictions",
    }
)
