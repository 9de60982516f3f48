"""What of the documentation is made from the package: public names, keys of scenarios, commands."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from inspect import isclass, isfunction, ismodule
from pathlib import Path
from typing import Any

from coolgp.scenarios.config.explained_keys import ExplainedKey, explained_keys
from coolgp.scenarios.config.scenario import SCENARIOS
from coolgp.scenarios.experiments.registry import KINDS

__all__ = ["commands_page", "keys_page", "names_page", "of_what", "write_reference"]

PACKAGES = ("coolgp", "coolgp.agents", "coolgp.network", "coolgp.fusion", "coolgp.scenarios")
WIDTH = 100


def write_reference(folder: Path) -> None:
    """Write all pages of the reference."""
    folder.mkdir(exist_ok=True)
    pages = {"keys.md": keys_page(), "commands.md": commands_page(), "names.rst": names_page()}
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


def keys_page() -> str:
    """Every key of every kind of scenario, those of the loop of rounds first; keys that kinds share stand once."""
    parts = ["# Keys of scenarios\n\n`coolgp keys` prints them, `coolgp keys agents.inducing` one of them.\n"]
    known: set[ExplainedKey] = set()
    for kind in SCENARIOS:
        keys = [key for key in explained_keys(kind=kind) if key not in known]
        known.update(keys)
        if keys:
            parts.append(f'## kind = "{kind}"\n\n{_sentence(KINDS[kind].words)}\n')
        for section in dict.fromkeys(key.section for key in keys):
            parts.append(f"### [{section}]\n\n{_table(key for key in keys if key.section == section)}\n")
    return "\n".join(parts)


def commands_page() -> str:
    """What ``--help`` says of each command."""
    os.environ.setdefault("COLUMNS", str(WIDTH))
    from typer.main import get_command
    from typer.testing import CliRunner

    from coolgp.scenarios.cli.app import app

    parts = ["# Commands\n"]
    for name in get_command(app).commands:  # type: ignore[attr-defined]  # a group
        said = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": str(WIDTH), "TERM": "dumb"}).stdout
        parts.append(f"## coolgp {name}\n\n```text\n{_stripped(said)}\n```\n")
    return "\n".join(parts)


def names_page() -> str:
    """Every public name, under the first package that shows it."""
    title = "Public names"
    parts, seen = [f"{title}\n{'=' * len(title)}\n"], set[int]()
    for package in PACKAGES:
        module = import_module(package)
        parts.append(f"{package}\n{'-' * len(package)}\n\n.. py:module:: {package}\n")
        for name in dir(module):
            thing = getattr(module, name)
            if ismodule(thing) or name.startswith("__"):
                continue
            if id(thing) in seen:
                parts.append(f"``{package}.{name}`` is described above.\n")
                continue
            seen.add(id(thing))
            parts.append(_described(f"{package}.{name}", thing))
    return "\n".join(parts)


def _described(dotted: str, thing: Any) -> str:
    if isclass(thing) or isfunction(thing):
        return f".. auto{'class' if isclass(thing) else 'function'}:: {dotted}\n"
    return f".. py:data:: {dotted}\n\n   A table: {', '.join(f'``{name}``' for name in thing)}.\n"


def _table(keys: Iterable[ExplainedKey]) -> str:
    rows = [
        f"| `{key.key}`{of_what(key)} | `{key.default}` | {_cell(key.allowed)} | {_cell(key.meaning)} |" for key in keys
    ]
    return "\n".join(["| key | default | takes | meaning |", "| --- | --- | --- | --- |", *rows])


def of_what(key: ExplainedKey) -> str:
    """Whose option a key is, in words; empty of a key that there always is."""
    return f" of {', '.join(key.owners)}" if key.owners else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _stripped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
