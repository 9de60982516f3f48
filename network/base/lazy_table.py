"""A table whose entries are imported when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import TypeVar, cast

__all__ = ["LazyTable", "imported"]

Entry = TypeVar("Entry")


class LazyTable(MutableMapping[str, Entry]):
    """Classes or functions by name, each given as ``module:name`` or as the thing itself.

    Configurations and messages need the names alone: they read the table without importing every module in it.

    >>> table = LazyTable({"counter": "collections:Counter"})
    >>> list(table), table["counter"].__name__
    (['counter'], 'Counter')
    """

    def __init__(self, references: Mapping[str, str | Entry]) -> None:
        self.references = dict(references)

    def __getitem__(self, name: str) -> Entry:
        reference = self.references[name]
        return cast("Entry", imported(reference)) if isinstance(reference, str) else reference

    def __setitem__(self, name: str, entry: Entry) -> None:
        self.references[name] = entry

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
