"""What there is to say of each key of a scenario: what it means, what it takes, what it is where nobody gives it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.catalogue import catalogue
from coolgp.scenarios.config.constraints import nearest, needed, shown
from coolgp.scenarios.config.options import ChosenSettings
from coolgp.scenarios.config.scenario import DEFAULT_KIND, SCENARIOS, Scenario
from coolgp.scenarios.config.section import Settings
from coolgp.scenarios.config.toml_text import Origin, read_toml

__all__ = ["ExplainedKey", "annotated", "explained_keys", "origins"]


@dataclass(frozen=True, kw_only=True)
class ExplainedKey:
    """A key of a section. owners: of an option, what must be chosen for it; empty of a key that there always is."""

    section: str
    key: str
    allowed: str
    default: str
    meaning: str
    owners: tuple[str, ...] = ()

    @property
    def dotted(self) -> str:
        """``section.key``, as after ``--set``."""
        return f"{self.section}.{self.key}"


def explained_keys(asked: str | None = None, kind: str = DEFAULT_KIND) -> list[ExplainedKey]:
    """All keys of a kind of scenario, or those of a section, or one ``section.key``.

    Raises ConfigError for a kind, section or key that does not exist.

    >>> [key.default for key in explained_keys("agents.batch_size")]
    ['20']
    """
    if kind not in SCENARIOS:
        raise ConfigError(f"kind: needed {' | '.join(SCENARIOS)}; got {shown(kind)}{nearest(kind, SCENARIOS)}")
    keys = [key for section, record in SCENARIOS[kind].sections().items() for key in _of_section(section, record)]
    chosen = [key for key in keys if asked in (None, key.section, key.dotted)]
    if not chosen:
        known = [*dict.fromkeys(key.section for key in keys), *(key.dotted for key in keys)]
        raise ConfigError(f"{asked}: no such section or key of the kind {shown(kind)}{nearest(str(asked), known)}")
    return chosen


def origins(scenario: Scenario, written: str, overrides: Iterable[str] = ()) -> dict[str, str]:
    """Where the value of each ``section.key`` comes from: the file with its line, ``--set``, or the default.

    written: the name or file that the scenario was loaded from.
    """
    mapping, origin = _source(written)
    given = {f"{section}.{key}" for section, keys in mapping.items() if isinstance(keys, Mapping) for key in keys}
    flags = {item.partition("=")[0].strip() for item in overrides}
    found = {}
    for section, record in type(scenario).sections().items():
        for key, value in getattr(scenario, section).model_dump().items():
            dotted = f"{section}.{key}"
            if dotted in flags or dotted in given:
                found[dotted] = "--set" if dotted in flags else origin.at(dotted)
            else:
                found[dotted] = "default" if value == record.model_fields[key].default else "follows from other keys"
    return found


def annotated(toml: str, remarks: Mapping[str, str]) -> str:
    """The text of a scenario with a remark after the line of each ``section.key``, or above a list of many lines."""
    section, lines = "", []
    for line in toml.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        key, mark, value = line.partition(" = ")
        remark = remarks.get(f"{section}.{key}") if mark else None
        if remark and value != "[":
            line = f"{line}  # {remark}"
        elif remark:
            lines.append(f"# {remark}")
        lines.append(line)
    return "\n".join(lines) + "\n"


def _of_section(section: str, record: type[Settings]) -> Iterator[ExplainedKey]:
    for key, info in record.model_fields.items():
        yield _explained(section, key, info)
    if issubclass(record, ChosenSettings):
        owners: dict[ExplainedKey, tuple[str, ...]] = {}
        for name in record.names():
            for key, info in (record.options_named(name) or {}).items():
                option = _explained(section, key, info)
                owners[option] = (*owners.get(option, ()), name)
        yield from (replace(option, owners=names) for option, names in owners.items())


def _explained(section: str, key: str, info: FieldInfo) -> ExplainedKey:
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    words = "needed" if info.is_required() else "none" if default is None else shown(_plain(default))
    return ExplainedKey(section=section, key=key, allowed=needed(info), default=words, meaning=info.description or "")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _source(written: str) -> tuple[Mapping[str, Any], Origin]:
    if written in catalogue():
        return catalogue()[written].mapping, Origin(written)
    return read_toml(Path(written))
