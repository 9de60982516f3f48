"""A table of rules by name, whose modules are imported when a rule is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import TypeVar, cast

__all__ = ["RuleTable", "imported"]

Rule = TypeVar("Rule")


class RuleTable(MutableMapping[str, type[Rule]]):
    """Classes by name, each given as ``module:Class`` or as the class itself.

    Configurations and messages need the names alone: they read the table without importing every rule.

    >>> table = RuleTable({"counter": "collections:Counter"})
    >>> list(table), table["counter"].__name__
    (['counter'], 'Counter')
    """

    def __init__(self, references: Mapping[str, str | type[Rule]]) -> None:
        self.references = dict(references)

    def __getitem__(self, name: str) -> type[Rule]:
        reference = self.references[name]
        return cast("type[Rule]", imported(reference)) if isinstance(reference, str) else reference

    def __setitem__(self, name: str, rule: type[Rule]) -> None:
        self.references[name] = rule

    def __delitem__(self, name: str) -> None:
        del self.references[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.references)

    def __len__(self) -> int:
        return len(self.references)


def imported(reference: str) -> object:
    """What ``module:name`` names. Raises ImportError or AttributeError where there is no such thing."""
    module, _, name = reference.partition(":")
    return cast("object", getattr(import_module(module), name))
