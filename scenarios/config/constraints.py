"""The values that a key allows: checked by pydantic, and described for messages and help."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

__all__ = ["Names", "Paths", "as_text", "choices", "nearest", "needed", "shown"]

_REFERENCE = re.compile(r"\w+(\.\w+)*:\w+")


@dataclass(frozen=True)
class Names:
    """Marks a text that must be one of `names()`, or the path of a file that ends in one of `suffixes`."""

    names: Callable[[], tuple[str, ...]]
    suffixes: tuple[str, ...] = ()
    own: bool = False
    """Whether `module:Class` is allowed as well."""
    former: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Names of older configurations, each with the name that is read in its place."""

    def is_path(self, value: str) -> bool:
        """Whether the text is read as the path of a file."""
        return "\0" not in value and value not in self.names() and Path(value).suffix.lower() in self.suffixes

    def is_reference(self, value: str) -> bool:
        """Whether the text names something of the user's own as ``module:Class``."""
        return self.own and bool(_REFERENCE.fullmatch(value))

    def check(self, value: str) -> str:
        """Return the text, a former name as its present one; raise `ValueError` where it is not allowed."""
        value = self.former.get(value, value)
        if value in self.names() or self.is_path(value) or self.is_reference(value):
            return value
        raise ValueError(f"needed {self.words()}")

    def words(self) -> str:
        """What is allowed, for a message."""
        words = " | ".join(f'"{name}"' for name in self.names())
        words += ", or module:Class" if self.own else ""
        return f"{words}, or a file ending in {', '.join(self.suffixes)}" if self.suffixes else words

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))


@dataclass(frozen=True)
class Paths:
    """Marks a list of texts that are paths of files or folders, or addresses."""


def needed(field: FieldInfo) -> str:
    """Describe the values that a key allows.

    >>> from coolgp.scenarios.config.scenario import AgentsSettings, RunSettings
    >>> needed(RunSettings.model_fields["rounds"])
    'a whole number of at least 1, or "all"'
    >>> needed(AgentsSettings.model_fields["encoding"])
    '"transport" | "importance" | "stale"'
    """
    return _words(field.annotation, list(_flat(field.metadata)))


def choices(field: FieldInfo) -> tuple[str, ...]:
    """Return the names that a key allows, for suggestions.

    >>> from coolgp.scenarios.config.scenario import RunSettings
    >>> choices(RunSettings.model_fields["rounds"])
    ('all',)
    """
    return _choices(field.annotation, list(_flat(field.metadata)))


def nearest(word: str, words: Iterable[str]) -> str:
    """Return a suggestion, or nothing if nothing is near.

    >>> nearest("trea", ("tree", "flood"))
    '; did you mean "tree"?'
    """
    matches = difflib.get_close_matches(word, list(words), n=1, cutoff=0.55)
    return f'; did you mean "{matches[0]}"?' if matches else ""


def shown(value: Any) -> str:
    """Write a value as TOML would, shortened."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str):
        text = f'"{value}"'
    elif isinstance(value, list):
        text = "[" + ", ".join(shown(item) for item in value) + "]"
    elif isinstance(value, Mapping):
        text = "{" + ", ".join(f"{key} = {shown(item)}" for key, item in value.items()) + "}"
    else:
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def as_text(kind: str, value: Any, written: str = "") -> str:
    """A value that TOML read as no text, in quotes, where a key needs one or a list of them; else empty.

    kind: what the key needs, in words. written: the value as the user wrote it, where that is known.

    >>> as_text("a text", 2020), as_text("a list of texts", [1, "b"]), as_text("a number", 3)
    ('"2020"', '["1", "b"]', '')
    """
    if kind.startswith("a list of texts") and isinstance(value, list):
        return shown([part if isinstance(part, str) else shown(part) for part in value])
    plain = not isinstance(value, (str, list, Mapping))
    return shown(written or shown(value)) if plain and kind.startswith("a text") else ""


def _flat(metadata: Iterable[Any]) -> Iterable[Any]:
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from _flat(item.metadata)
        else:
            yield item


def _words(kind: Any, marks: list[Any]) -> str:
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _words(args[0], [*marks, *_flat(args[1:])])
    if origin in (Union, types.UnionType):
        return ", or ".join(_words(arg, marks) for arg in args if arg is not type(None))
    if origin is Literal:
        return " | ".join(f'"{arg}"' for arg in args)
    if origin in (tuple, Sequence):
        item = _words(args[0], [])
        for noun in ("number", "whole number", "text", "table"):
            item = f"{noun}s{item.removeprefix(f'a {noun}')}" if item.startswith(f"a {noun}") else item
        return f"a list of {item}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        keys = (f"{key} ({needed(info)})" for key, info in kind.model_fields.items())
        return f"a table with {', '.join(keys)}"
    for mark in marks:
        if isinstance(mark, Names):
            return mark.words()
    return {bool: "true | false", str: "a text"}.get(kind) or _number_words(kind, marks)


def _number_words(kind: Any, marks: list[Any]) -> str:
    bounds = []
    for mark in marks:
        match mark:
            case Ge():
                bounds.append(f"of at least {mark.ge}")
            case Gt():
                bounds.append(f"above {mark.gt}")
            case Le():
                bounds.append(f"of at most {mark.le}")
            case Lt():
                bounds.append(f"below {mark.lt}")
    noun = "a whole number" if kind is int else "a number"
    return " ".join([noun, " and ".join(bounds)]).strip()


def _choices(kind: Any, marks: list[Any]) -> tuple[str, ...]:
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _choices(args[0], [*marks, *_flat(args[1:])])
    if origin in (Union, types.UnionType):
        return tuple(name for arg in args for name in _choices(arg, []))
    if origin is Literal:
        return args
    return tuple(name for mark in marks if isinstance(mark, Names) for name in mark.names())
