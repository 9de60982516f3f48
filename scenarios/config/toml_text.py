"""The text of a TOML file, and the line of each key in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.constraints import nearest

__all__ = ["Origin", "parsed", "read_toml"]

_MOST_NESTED = 30
_MOST_BITS = 64

_HEADER = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w.\"' -]+?)\s*=")
_TOML_POSITION = re.compile(r"^(.*?) \(at (?:line (\d+), column \d+|end of document)\)$", re.DOTALL)


@dataclass(frozen=True)
class Origin:
    """Where each dotted key was written."""

    name: str
    lines: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)

    def at(self, key: str) -> str:
        """Where a key was written, for a message."""
        if key in self.flags:
            return f"--set {self.flags[key]}"
        return f"{self.name}:{self.lines[key]}" if key in self.lines else self.name


def read_toml(path: Path) -> tuple[dict[str, Any], Origin]:
    """Read a TOML file. Raises ConfigError where there is none, or it is not TOML."""
    text = _text(path)
    try:
        return parsed(text), Origin(str(path), _key_lines(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax_problem(path, text, str(error))) from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def parsed(text: str) -> dict[str, Any]:
    """What a TOML text says. Raises ValueError where it is none, or nested or long beyond what a setting needs.

    >>> parsed("seed = 1")
    {'seed': 1}
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise ValueError(f"nested too deeply; needed at most {_MOST_NESTED} tables and lists in one another") from None
    except ValueError:  # Python's own limit on the digits of a whole number
        raise ValueError(f"a whole number is too long; needed at most {_MOST_BITS} bits") from None
    _check_size(content)
    return content


def _check_size(content: Any) -> None:
    level, depth = [content], 0
    while level:
        if depth > _MOST_NESTED:
            raise ValueError(f"nested too deeply; needed at most {_MOST_NESTED} tables and lists in one another")
        if any(isinstance(value, int) and value.bit_length() > _MOST_BITS for value in level):
            raise ValueError(f"a whole number is too long; needed at most {_MOST_BITS} bits")
        inside = [value.values() if isinstance(value, dict) else value for value in level]
        lists = [values for values in inside if isinstance(values, Iterable) and not isinstance(values, str)]
        level = [value for values in lists for value in values]
        depth += 1


def _text(path: Path) -> str:
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; needed a TOML file")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        near = nearest(path.name, [p.name for p in path.parent.glob("*.toml")] if path.parent.is_dir() else [])
        raise ConfigError(f"{path}: no such file{near}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not a TOML file: it is not UTF-8 text") from None
    if "\0" in text:
        raise ConfigError(f"{path}: is not a TOML file: it holds binary data")
    return text.replace("\r\n", "\n")


def _syntax_problem(path: Path, text: str, message: str) -> str:
    match = _TOML_POSITION.match(message)
    reason, line = match.groups() if match else (message, None)
    return f"{path}:{line or max(1, len(text.splitlines()))}: not valid TOML: {reason}"


def _key_lines(text: str) -> dict[str, int]:
    """Return the line of each dotted key and section: a plain search, good enough for pointing at them."""
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = _dotted(header[1])
            lines.setdefault(section, number)
        elif key := _KEY.match(line):
            dotted = _dotted(key[1])
            lines.setdefault(f"{section}.{dotted}" if section else dotted, number)
    return lines


def _dotted(written: str) -> str:
    return ".".join(key.strip().strip("\"'") for key in written.split("."))
