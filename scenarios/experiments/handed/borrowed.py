"""Rules for models in files whose settings are those of another record: each is written once, there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar, get_type_hints

from coolgp.scenarios.config.options import meanings, options_of

__all__ = ["settings_as_used", "with_settings_of"]

Rule = TypeVar("Rule")


def with_settings_of(record: Any, without: Sequence[str] = ()) -> Callable[[type[Rule]], type[Rule]]:
    """A frozen dataclass of a rule with the settings of a record, all with defaults, and then those of its own.

    without: settings that have no use for files. A setting of the same name is the rule's own, in its place there.

    >>> @dataclass(frozen=True)
    ... class Record:
    ...     width: float = 0.1
    ...     seed: int = 0
    >>> @with_settings_of(Record, without=("seed",))
    ... class Handed:
    ...     std: float = 1.0
    >>> Handed()
    Handed(width=0.1, std=1.0)
    """

    def decorated(rule: type[Rule]) -> type[Rule]:
        own = dict(vars(rule).get("__annotations__", {}))
        hints, means = get_type_hints(record, include_extras=True), meanings(record)
        taken = [each for each in fields(record) if each.name in options_of(record) and each.name not in without]
        for each in taken:
            if each.name not in own:
                setattr(rule, each.name, each.default)
        rule.__annotations__ = {each.name: own.get(each.name, hints[each.name]) for each in taken} | own
        said = [f"{each.name}: {means[each.name]}." for each in taken if each.name not in own and each.name in means]
        rule.__doc__ = "\n\n".join(["" if rule.__doc__ is None else rule.__doc__.rstrip(), " ".join(said)])
        return dataclass(frozen=True)(rule)

    return decorated


def settings_as_used(rule: Any, but: str = "") -> dict[str, Any]:
    """All settings of such a rule by name, but for one."""
    return {name: value for name, value in asdict(rule).items() if name != but}
