"""Sections with a key that names a record of settings, whose fields are further keys: a rule's, or a model's."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, ClassVar, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from coolgp.scenarios.config.constraints import nearest, needed, shown
from coolgp.scenarios.config.section import Settings

__all__ = ["ChosenSettings", "meanings", "options_of"]

_NAMED = re.compile(r"(?:(?<=^)|(?<=[.;] ))((?:\w+, )*\w+)(?: ``[^`]*``)?: ")
_MARKS = re.compile(r":\w+:(?=`)|`")


class ChosenSettings(Settings):
    """A section of which one key, the choice, names a record; the fields of the record are keys of the section too."""

    model_config = ConfigDict(extra="allow")

    section: ClassVar[str]
    choice: ClassVar[str]

    @classmethod
    @abstractmethod
    def names(cls) -> Iterable[str]:
        """What can be chosen."""

    @classmethod
    @abstractmethod
    def options_named(cls, name: str) -> dict[str, FieldInfo] | None:
        """The fields of a record, by its name; None where it cannot be loaded here."""

    @classmethod
    @abstractmethod
    def made(cls, name: str, options: Mapping[str, Any]) -> object:
        """The record with these settings. Raises ValueError where they do not go together."""

    @classmethod
    def keys(cls, values: Mapping[str, Any]) -> dict[str, FieldInfo]:
        """The keys that there always are, and those of what is chosen."""
        chosen = cls._chosen(values)
        options = cls.options_named(chosen) if isinstance(chosen, str) else None
        if options is None:
            options = {key: FieldInfo.from_annotation(Any) for key in values if key not in cls.model_fields}
        return cls.model_fields | options

    @classmethod
    def refused(cls, values: Mapping[str, Any]) -> dict[str, str]:
        """The options that the choice does not have, and those whose values it does not take."""
        keys = cls.keys(values)
        return {
            key: "option" if key in keys else "extra_forbidden"
            for key, value in values.items()
            if key not in cls.model_fields and not (key in keys and _fits(value, keys[key]))
        }

    @classmethod
    def hint(cls, key: str, values: Mapping[str, Any]) -> str:
        """What else could be chosen that takes an option, which the choice does not."""
        owners = [name for name in cls.names() if key in (cls.options_named(name) or {})]
        chosen = cls._chosen(values)
        if not owners or chosen in owners or key in cls.keys(values):
            return ""
        takers = " | ".join(map(shown, owners))
        leave = f"leave it out, or set {cls.section}.{cls.choice} to {takers}"
        return f"the {cls.choice} {shown(chosen)} does not take it: {leave}"

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse options that the choice does not take, or not together."""
        if not set(values) - set(cls.model_fields):
            return []  # nothing is loaded where no option is given: the command line starts with such defaults
        keys, refused = cls.keys(values), cls.refused(values)
        if refused:
            return [(key, cls.hint(key, values) or _complaint(key, values[key], keys)) for key in refused]
        options = {key: value for key, value in values.items() if key not in cls.model_fields}
        if options and cls.options_named(values.get(cls.choice, "")) is not None:
            try:
                cls.made(values[cls.choice], options)
            except ValueError as problem:
                named = [key for key in options if key in str(problem).split()]
                return [(named[0] if named else cls.choice, str(problem))]
        return []

    @property
    def options(self) -> dict[str, Any]:
        """The options of the choice, as given."""
        return dict(self.__pydantic_extra__ or {})

    @classmethod
    def _chosen(cls, values: Mapping[str, Any]) -> Any:
        return values.get(cls.choice, cls.model_fields[cls.choice].default)


def options_of(record: Any) -> dict[str, FieldInfo]:
    """The fields of a dataclass as keys, but for those with the metadata ``{"fitted": True}``.

    Raises NameError where its annotations cannot be read.
    """
    hints: dict[str, Any] = get_type_hints(record, include_extras=True)
    own = fields(record) if is_dataclass(record) else ()
    chosen = [field for field in own if field.init and not field.metadata.get("fitted")]
    means = meanings(record)
    return {field.name: _key(hints[field.name], field, means.get(field.name)) for field in chosen}


def meanings(record: Any) -> dict[str, str]:
    """What docstrings say of the fields of a dataclass and of those it extends: ``name: meaning.``, ``one, two: ...``.

    >>> from coolgp.fusion.registry import rule_class
    >>> meanings(rule_class("consensus"))["tolerance"]
    'settled once deviation is this small, or as small as the precision allows'
    """
    found: dict[str, str] = {}
    for part in record.__mro__:
        names = {field.name for field in fields(part)} if is_dataclass(part) else set()
        for paragraph in re.split(r"\n\s*\n", part.__doc__ or ""):
            found = _said(" ".join(paragraph.split()), names) | found
    return found


def _said(paragraph: str, names: set[str]) -> dict[str, str]:
    """Of some names, what a paragraph says of each, up to the next of them."""
    places = [match for match in _NAMED.finditer(paragraph) if names.issuperset(match[1].split(", "))]
    ends = [*(match.start() for match in places), len(paragraph)][1:]
    return {
        name: _MARKS.sub("", paragraph[match.end() : end]).strip().rstrip(".;")
        for match, end in zip(places, ends, strict=True)
        for name in match[1].split(", ")
    }


def _key(annotation: Any, field: Field[Any], meaning: str | None) -> FieldInfo:
    info = FieldInfo.from_annotation(annotation)
    info.description = meaning
    if field.default is not MISSING:
        info.default = field.default
    return info


def _fits(value: Any, info: FieldInfo) -> bool:
    kind: Any = info.annotation
    for mark in info.metadata:
        kind = Annotated[kind, mark]
    listed = isinstance(value, list) and get_origin(info.annotation) is tuple  # TOML has lists, no tuples
    try:
        TypeAdapter(kind).validate_python(tuple(value) if listed else value, strict=True)
    except ValidationError:
        return False
    return True


def _complaint(key: str, value: Any, keys: Mapping[str, FieldInfo]) -> str:
    if key not in keys:
        return f"unknown key{nearest(key, keys) or '; known keys: ' + ', '.join(keys)}"
    return f"needed {needed(keys[key])}; got {shown(value)}"
