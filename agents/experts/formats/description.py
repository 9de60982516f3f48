"""``.toml``: where a model answers that is not in a file: a program on this machine, or a server."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from coolgp.agents.experts.formats.format import Format
from coolgp.agents.experts.queries.program import Program
from coolgp.agents.experts.queries.remote import RemoteModel
from coolgp.agents.experts.queries.server import server_at

__all__ = ["DESCRIPTION"]


def read(path: Path) -> RemoteModel:
    """The program or server that a file describes; a program runs in the folder of the file."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"is no readable TOML file ({problem})") from problem
    problems = [f"{key} is no key of a description" for key in values if key not in KEYS]
    problems += [f"{key}: needed {KEYS[key][0]}" for key in values if key in KEYS and not KEYS[key][1](values[key])]
    if ("command" in values) == ("url" in values):
        problems.append("needed either command, a list of a program and its arguments, or url, an address")
    if problems:
        raise ValueError("; ".join(problems))
    return _model(values, path)


def _model(values: Mapping[str, Any], path: Path) -> RemoteModel:
    settings = {key: value for key, value in values.items() if key not in ("command", "url", "classes")}
    settings["classes"] = tuple(str(label) for label in values.get("classes", ()))
    if "url" in values:
        return server_at(values["url"], **settings)
    return Program(command=tuple(values["command"]), folder=path.parent.resolve(), **settings)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _labels(value: Any) -> bool:
    """Texts or whole numbers, none twice."""
    sound = isinstance(value, list) and all(isinstance(item, str | int) for item in value)
    return sound and len({str(item) for item in value}) == len(value) > 1


def _above_zero(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")


KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "command": ("a list of texts, the program first", _texts),
    "url": ("an address", lambda value: isinstance(value, str)),
    "time_limit": ("seconds above 0", _above_zero),
    "classes": ("a list of at least two different labels", _labels),
    "inputs": ("a whole number above 0", lambda value: isinstance(value, int) and _above_zero(value)),
    "std": ("a number above 0", _above_zero),
}
"""All keys, each with what it needs in words and in code."""

DESCRIPTION = Format("where a program or a server answers: command or url, time_limit, classes, inputs, std", read)
