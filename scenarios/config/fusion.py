"""The section [fusion]: the rule, its number of communication rounds, and the options of the rule itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from coolgp.fusion.registry import FORMER_NAMES, RULES, rule_class, rule_named
from coolgp.scenarios.config.constraints import Names, nearest, needed, shown
from coolgp.scenarios.config.section import Count, Settings

__all__ = ["FusionSettings", "rule_options"]


class FusionSettings(Settings):
    """How what the agents learned apart becomes one model; further keys are the fields of the chosen rule."""

    model_config = ConfigDict(extra="allow")

    rule: Annotated[str, Names(lambda: tuple(RULES), own=True, former=FORMER_NAMES)] = Field(
        default="tree", description="the fusion rule"
    )
    rounds_per_step: Count | Literal["converge"] = Field(
        default="converge", description="communication rounds after each round of learning, or until the fixed point"
    )
    every: Count = Field(
        default=1,
        description="rounds of learning from one exchange to the next; in between agents only collect, which is cheap",
    )

    @classmethod
    def keys(cls, values: Mapping[str, Any]) -> dict[str, FieldInfo]:
        """The keys of every rule, and those of the chosen one."""
        rule = values.get("rule", cls.model_fields["rule"].default)
        options = rule_options(rule) if isinstance(rule, str) else None
        if options is None:
            options = {key: FieldInfo.from_annotation(Any) for key in values if key not in cls.model_fields}
        return cls.model_fields | options

    @classmethod
    def refused(cls, values: Mapping[str, Any]) -> dict[str, str]:
        """The options that the rule does not have, and those whose values it does not take."""
        keys = cls.keys(values)
        return {
            key: "option" if key in keys else "extra_forbidden"
            for key, value in values.items()
            if key not in cls.model_fields and not (key in keys and _fits(value, keys[key]))
        }

    @classmethod
    def hint(cls, key: str, values: Mapping[str, Any]) -> str:
        """Which rules take an option that the chosen one does not."""
        owners = [rule for rule in RULES if key in (rule_options(rule) or {})]
        rule = values.get("rule", cls.model_fields["rule"].default)
        if not owners or rule in owners or key in cls.keys(values):
            return ""
        takers = " | ".join(map(shown, owners))
        return f"the rule {shown(rule)} does not take it: leave it out, or set fusion.rule to {takers}"

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse options that the rule does not take, or not together."""
        keys, refused = cls.keys(values), cls.refused(values)
        if refused:
            return [(key, cls.hint(key, values) or _complaint(key, values[key], keys)) for key in refused]
        options = {key: value for key, value in values.items() if key not in cls.model_fields}
        if options and rule_options(values.get("rule", "")) is not None:
            try:
                rule_named(values["rule"], options)
            except ValueError as problem:
                named = [key for key in options if key in str(problem).split()]
                return [(named[0] if named else "rule", str(problem))]
        return []

    @property
    def options(self) -> dict[str, Any]:
        """The rule's own options, as given."""
        return dict(self.__pydantic_extra__ or {})


def rule_options(rule: str) -> dict[str, FieldInfo] | None:
    """The options of a rule: the fields of its dataclass, but for those that it fits to the network itself.

    A field that `fit` fills in has the metadata ``{"fitted": True}``. None where the rule cannot be loaded here: a run
    is refused then, and a finished run can be read without it.

    >>> sorted(rule_options("tree"))
    ['look_every', 'most', 'tolerance']
    """
    try:
        kind: Any = rule_class(rule)
        hints: dict[str, Any] = get_type_hints(kind, include_extras=True)
    except (ValueError, NameError):
        return None
    own = fields(kind) if is_dataclass(kind) else ()
    names = [field.name for field in own if field.init and not field.metadata.get("fitted")]
    return {name: FieldInfo.from_annotation(hints[name]) for name in names}


def _fits(value: Any, info: FieldInfo) -> bool:
    kind: Any = info.annotation
    for mark in info.metadata:
        kind = Annotated[kind, mark]
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def _complaint(key: str, value: Any, keys: Mapping[str, FieldInfo]) -> str:
    if key not in keys:
        return f"unknown key{nearest(key, keys) or '; known keys: ' + ', '.join(keys)}"
    return f"needed {needed(keys[key])}; got {shown(value)}"
