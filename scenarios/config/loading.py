"""A scenario from TOML, from a mapping, or from the command line; every mistake in it at once, in the user's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.constraints import as_text, choices, nearest, needed, shown
from coolgp.scenarios.config.paths import anchored, missing_files
from coolgp.scenarios.config.scenario import DEFAULT_KIND, SCENARIOS, SECTIONS, Scenario
from coolgp.scenarios.config.section import Settings
from coolgp.scenarios.config.toml_text import Origin, parsed, read_toml

__all__ = ["override", "read_recorded", "read_scenario", "resolve", "resolve_sections"]

Sections = Mapping[str, type[Settings]]

_OVERRIDE = re.compile(r"([\w-]+)\.([\w-]+)=(.*)", re.DOTALL)


def read_scenario(path: str | Path, overrides: Iterable[str] = ()) -> Scenario:
    """Read a scenario from a TOML file.

    Relative paths in the file start from its folder, those in `overrides` from the working folder. The name is the
    file's stem unless the file has a `name` of its own.

    Raises:
        ConfigError: with every problem of the file and of the overrides.

    """
    path = Path(path)
    mapping, origin = read_toml(path)
    return _resolve(mapping, origin, path.parent, overrides)


def read_recorded(path: str | Path) -> Scenario:
    """Read the scenario of a run folder: keys that its version did not know yet have the values that it ran with.

    Raises ConfigError as :func:`read_scenario`.
    """
    path = Path(path)
    mapping, origin = read_toml(path)
    return _resolve(_as_before(mapping), origin, path.parent, ())


def resolve(mapping: Mapping[str, Any], origin: str, overrides: Iterable[str] = ()) -> Scenario:
    """Check a nested mapping and fill in the defaults; `origin` names it in messages, its stem names the scenario.

    >>> resolve({"data": {"source": "airline"}}, "airline", ["run.rounds=13"]).run.rounds
    13
    """
    return _resolve(mapping, Origin(origin), Path.cwd(), overrides)


def override(mapping: Mapping[str, Any], items: Iterable[str]) -> dict[str, Any]:
    """Return a copy of the mapping in which each `section.key=value` is set; a value is TOML, or else a bare text.

    >>> override({"run": {"seed": 1}}, ["run.seed=2", "network.topology=ring"])
    {'run': {'seed': 2}, 'network': {'topology': 'ring'}}
    """
    result, _, problems = _overridden(mapping, items, Scenario.sections())
    if problems:
        raise ConfigError(*problems)
    return result


def resolve_sections(
    sections: Sections, items: Iterable[str], origin: str, given: Mapping[str, Any] | None = None
) -> dict[str, Settings]:
    """The settings of some sections that are of no scenario, from a nested mapping and ``section.key=value``.

    origin: names them in messages. Raises ConfigError with every problem.
    """
    merged, flags, bad = _overridden(given or {}, items, sections)
    where = Origin(origin, flags=flags)
    unknown = [_unknown_section(key, merged[key], where, sections) for key in merged if key not in sections]
    settings, problems = _sections(merged, where, sections)
    if problems or unknown or bad:
        raise ConfigError(*unknown, *problems, *bad)
    return settings


def _sections(merged: Mapping[str, Any], origin: Origin, sections: Sections) -> tuple[dict[str, Any], list[str]]:
    """The settings of every section, and all that is wrong with them."""
    settings: dict[str, Any] = {}
    problems: list[str] = []
    for section, model in sections.items():
        settings[section], complaints = _section(model, section, merged.get(section, {}), origin, sections)
        problems += complaints
    return settings, problems


def _overridden(
    mapping: Mapping[str, Any], items: Iterable[str], sections: Sections
) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Return the changed copy, the item behind each dotted key, and the problems."""
    result = {key: deepcopy(value) for key, value in mapping.items()}
    flags: dict[str, str] = {}
    problems = []
    for item in items:
        match = _OVERRIDE.fullmatch(item.strip())
        if not match or not isinstance(result.setdefault(match[1], {}), dict):
            problems.append(f"--set {item}: needed section.key=value, for example run.seed=1")
            continue
        section, key, value = match.groups()
        result[section][key] = anchored(sections.get(section), key, _value(value.strip()), Path.cwd())
        flags[f"{section}.{key}"] = item
    return result, flags, problems


def _value(written: str) -> Any:
    try:
        mapping = parsed(f"value = {written}")
    except ValueError:
        return written
    return mapping["value"] if len(mapping) == 1 else written


def _resolve(mapping: Mapping[str, Any], origin: Origin, folder: Path, overrides: Iterable[str]) -> Scenario:
    kind = mapping.get("kind", _implied_kind(mapping))
    record = SCENARIOS.get(kind, Scenario) if isinstance(kind, str) else Scenario
    sections = record.sections()
    absolute = {
        section: {key: anchored(sections.get(section), key, value, folder) for key, value in keys.items()}
        if isinstance(keys, Mapping)
        else keys
        for section, keys in mapping.items()
    }
    merged, flags, bad = _overridden(absolute, [_counted(item, record) for item in overrides], sections)
    origin = Origin(origin.name, origin.lines, flags)
    unknown = [key for key in merged if key not in (*sections, "name", "kind")]
    problems = [_unknown_section(key, merged[key], origin, sections) for key in unknown]
    name = merged.get("name", Path(origin.name).stem)
    if not isinstance(name, str) or not name.strip():
        problems.append(f"{origin.at('name')}: name: needed a text, got {shown(name)}")
    if kind not in (*SCENARIOS,):
        problems.append(f"{origin.at('kind')}: kind: {_unknown_kind(kind)}")
    settings, complaints = _sections(merged, origin, sections)
    problems += complaints
    if problems or bad:
        raise ConfigError(*problems, *missing_files(merged, origin, sections), *bad)
    return record(name=name, kind=kind, **settings)


def _as_before(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with what versions before did in place of keys that were added later."""
    completed = dict(mapping)
    for section, record in SECTIONS.items():
        before = record.before()
        if before and isinstance(mapping.get(section, {}), Mapping):
            completed[section] = before | dict(mapping.get(section, {}))
    return completed


def _counted(item: str, record: type[Scenario]) -> str:
    """An override of the number of agents, as it stands after ``--agents``, by the key of this kind of scenario."""
    key, mark, value = item.partition("=")
    return f"{record.counted_by}={value}" if mark and key.strip() == Scenario.counted_by else item


def _implied_kind(mapping: Mapping[str, Any]) -> str:
    """The kind of a scenario that does not say it: the first that its sections imply, or the default."""
    return next((name for name, record in SCENARIOS.items() if record.implied(mapping)), DEFAULT_KIND)


def _unknown_kind(kind: Any) -> str:
    near = nearest(kind, SCENARIOS) if isinstance(kind, str) else ""
    return f"needed {' | '.join(SCENARIOS)}; got {shown(kind)}{near}"


def _section(
    model: type[Settings], section: str, raw: Any, origin: Origin, sections: Sections
) -> tuple[Settings | None, list[str]]:
    """The settings of a section, or None and all that is wrong with it."""
    if not isinstance(raw, Mapping):
        keys = ", ".join(model.model_fields)
        need = f"needed a section [{section}] of keys ({keys}), got {shown(raw)}"
        return None, [f"{origin.at(section)}: {section}: {need}"]
    try:
        return model.model_validate(raw), []
    except ValidationError as error:
        places = [(item["loc"], item["type"]) for item in error.errors(include_url=False)]
    # A mistake inside a list or table is one of the key whose value it is.
    wrong = {str(place[0]): kind if len(place) == 1 else "value" for place, kind in places if place}
    wrong |= model.refused(raw)
    complaints = [(key, _complaint(section, key, kind, raw, sections)) for key, kind in wrong.items()]
    complaints += _conflicts(model, raw, wrong)
    return None, [
        f"{origin.at(f'{section}.{key}')}: {section}.{key}: {complaint}{_quoted(model, section, key, raw, origin)}"
        for key, complaint in complaints
    ]


def _conflicts(model: type[Settings], raw: Mapping[str, Any], wrong: Mapping[str, str]) -> list[tuple[str, str]]:
    """Keys that contradict one another, among those that are right in themselves: both kinds are reported at once."""
    defaults = {key: info.default for key, info in model.model_fields.items() if key not in wrong}
    valid = {key: value for key, value in raw.items() if key not in wrong}
    return model.conflicts({**defaults, **model.completed(valid)})


def _complaint(section: str, key: str, kind: str, raw: Mapping[str, Any], sections: Sections) -> str:
    model = sections[section]
    keys = model.keys(raw)
    if kind == "extra_forbidden":
        return model.hint(key, raw) or _unknown_key(keys, section, key, sections)
    info = keys[key]
    if kind == "missing":
        return f"missing; needed {needed(info)}"
    near = nearest(raw[key], choices(info)) if isinstance(raw[key], str) else ""
    return f"needed {needed(info)}; got {shown(raw[key])}{near}"


def _unknown_key(keys: Iterable[str], section: str, key: str, sections: Sections) -> str:
    elsewhere = [other for other, settings in sections.items() if other != section and key in settings.model_fields]
    if elsewhere:
        return f"unknown key; did you mean {' or '.join(f'{other}.{key}' for other in elsewhere)}?"
    return f"unknown key{nearest(key, keys) or '; known keys: ' + ', '.join(keys)}"


def _unknown_section(key: str, value: Any, origin: Origin, sections: Sections) -> str:
    kind, near = "section", nearest(key, sections)
    owners = [section for section, model in sections.items() if key in model.model_fields]
    if owners and not isinstance(value, Mapping):
        kind, near = "key", f"; did you mean {' or '.join(f'{owner}.{key}' for owner in owners)}?"
    flag = next((item for dotted, item in origin.flags.items() if dotted.startswith(f"{key}.")), None)
    where = f"--set {flag}" if flag and key not in origin.lines else origin.at(key)
    return f"{where}: {key}: unknown {kind}{near or '; known sections: ' + ', '.join(sections)}"


def _quoted(model: type[Settings], section: str, key: str, raw: Mapping[str, Any], origin: Origin) -> str:
    """How to write a text that TOML reads as something else, where the key needs one; else empty."""
    item = origin.flags.get(f"{section}.{key}", "")
    known = model.keys(raw).get(key)
    texts = as_text(needed(known), raw[key], item.partition("=")[2].strip()) if known and key in raw else ""
    how = f"--set '{section}.{key}={texts}'" if item else f"{key} = {texts}"
    return f"; as text: {how}" if texts else ""
