"""The paths of files in a scenario: where they start from, where a moved run finds them, and which are not there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coolgp.scenarios.config.constraints import Names, Paths
from coolgp.scenarios.config.section import Settings
from coolgp.scenarios.config.toml_text import Origin

__all__ = ["anchored", "missing_files", "paths_named"]


def anchored(section: type[Settings] | None, key: str, value: Any, folder: Path) -> Any:
    """Make the path of a file absolute, and those of a list; leave every other value alone."""
    info = section.model_fields.get(key) if section else None
    if info is None:
        return value
    if isinstance(value, list) and any(isinstance(mark, Paths) for mark in info.metadata):
        return [_absolute(item, folder) if isinstance(item, str) and "://" not in item else item for item in value]
    if isinstance(value, str) and any(isinstance(mark, Names) and mark.is_path(value) for mark in info.metadata):
        return _absolute(value, folder)
    return value


def missing_files(merged: Mapping[str, Any], origin: Origin, sections: Mapping[str, type[Settings]]) -> list[str]:
    """The files that a TOML file names and that are not there, to be told with other mistakes in it.

    Alone they are found when they are read.
    """
    named = [
        (f"{section}.{key}", path)
        for section, keys in merged.items()
        if isinstance(keys, Mapping) and section in sections and origin.lines
        for key, value in keys.items()
        for path in paths_named(sections[section], key, value)
    ]
    return [f"{origin.at(key)}: {key}: {path}: no such file" for key, path in named if not os.path.exists(path)]


def paths_named(section: type[Settings], key: str, value: Any) -> list[str]:
    """The paths of files that the value of a key names; none where it is no such key."""
    info = section.model_fields.get(key)
    marks = info.metadata if info else []
    if isinstance(value, str):
        return [value] * any(isinstance(mark, Names) and mark.is_path(value) for mark in marks)
    listed = value if isinstance(value, list) and any(isinstance(mark, Paths) for mark in marks) else []
    return [path for path in listed if isinstance(path, str) and "://" not in path and "\0" not in path]


def _absolute(path: str, folder: Path) -> str:
    if "\0" in path:
        return path
    try:
        expanded = Path(path).expanduser()
    except RuntimeError:  # the tilde is not of a user that there is: spreadsheets' own files begin with one
        expanded = Path(path)
    place = (folder / expanded).resolve()
    if os.path.exists(place) or not expanded.is_absolute() or not (folder / "env.json").is_file():
        return str(place)
    return str(_moved(place, folder.resolve()) or place)


def _moved(place: Path, folder: Path) -> Path | None:
    """Where a file is now that a run's settings name, if its folder was renamed or moved together with the run's.

    The longest end of the path that there is below the run folder or one above it. Whether it has the same contents
    is seen by the checkpoint that a run goes on from.
    """
    ends = (Path(*place.parts[first:]) for first in range(1, len(place.parts)))
    candidates = (above / end for end in ends for above in (folder, *folder.parents))
    return next((candidate for candidate in candidates if candidate.is_file()), None)
