"""All fusion rules by the name that a scenario gives them; a rule of your own is named ``module:Class``."""

from __future__ import annotations

from importlib import import_module

from coolgp.fusion.centralised import Central
from coolgp.fusion.consensus import Consensus
from coolgp.fusion.isolated import Isolated
from coolgp.fusion.rule import FusionRule
from coolgp.fusion.tree import Tree

__all__ = ["RULES", "rule_named"]

RULES: dict[str, type[FusionRule]] = {
    "tree": Tree,
    "consensus": Consensus,
    "none": Isolated,
    "central": Central,
}


def rule_named(name: str) -> FusionRule:
    """The rule with its default settings, from the registry or from ``module:Class``.

    Raises ValueError where there is none of that name, or the class cannot be imported.

    >>> rule_named("tree")
    Tree()
    """
    if name in RULES:
        return RULES[name]()
    module, colon, attribute = name.partition(":")
    if not colon:
        raise ValueError(f"fusion.rule needs one of {', '.join(RULES)}, or module:Class; got {name!r}")
    try:
        rule: FusionRule = getattr(import_module(module), attribute)()
    except (ImportError, AttributeError, TypeError) as problem:
        raise ValueError(f"the fusion rule {name!r} cannot be loaded: {problem}") from problem
    missing = [verb for verb in ("links", "init", "exchange", "converge", "predict") if not hasattr(rule, verb)]
    if missing:
        raise ValueError(f"the fusion rule {name!r} lacks {', '.join(missing)}: see coolgp.fusion.rule.FusionRule")
    return rule
