"""All fusion rules by the name that a scenario gives them; a rule of your own is named ``module:Class``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from coolgp.fusion.committees.bcm import BCM
from coolgp.fusion.committees.gpoe import GPoE
from coolgp.fusion.committees.grbcm import GRBCM
from coolgp.fusion.committees.npae import NPAE
from coolgp.fusion.committees.poe import PoE
from coolgp.fusion.committees.rbcm import RBCM
from coolgp.fusion.evidence.dpitc import DPITC
from coolgp.fusion.evidence.ensemble import Ensemble
from coolgp.fusion.evidence.selective import Selective
from coolgp.fusion.evidence.weighted import Weighted
from coolgp.fusion.rule import FusionRule
from coolgp.fusion.sums.registry import SUM_RULES

__all__ = ["FORMER_NAMES", "RULES", "rule_class", "rule_named"]

VERBS = ("fit", "guarantee", "links", "init", "exchange", "converge", "predict")

RULES: dict[str, type[FusionRule]] = {
    **SUM_RULES,
    "poe": PoE,
    "gpoe": GPoE,
    "bcm": BCM,
    "rbcm": RBCM,
    "grbcm": GRBCM,
    "npae": NPAE,
    "ensemble": Ensemble,
    "dpitc": DPITC,
    "selective": Selective,
    "weighted": Weighted,
}

FORMER_NAMES = {"weighed": "weighted"}
"""Names that rules had before, as older scenarios and run folders give them, and their names now."""


def rule_class(name: str) -> type[FusionRule]:
    """The class of a rule, from the registry or from ``module:Class``.

    Raises ValueError where there is none of that name, or the class cannot be imported.

    >>> rule_class("tree").__name__, rule_class("weighed").__name__
    ('Tree', 'Weighted')
    """
    current = FORMER_NAMES.get(name, name)
    if current in RULES:
        return RULES[current]
    module, colon, attribute = name.partition(":")
    if not colon:
        raise ValueError(f"fusion.rule needs one of {', '.join(RULES)}, or module:Class; got {name!r}")
    try:
        imported: type[FusionRule] = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as problem:
        raise ValueError(f"the fusion rule {name!r} cannot be loaded: {problem}") from problem
    missing = [verb for verb in VERBS if not hasattr(imported, verb)]
    if missing:
        raise ValueError(f"the fusion rule {name!r} lacks {', '.join(missing)}: see coolgp.fusion.rule.FusionRule")
    return imported


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
