"""Scenarios that are not one run nor a grid of runs: their file measures what it is about, and writes it into a folder.

Such a file holds ``SETTINGS``, ``FILES``, the names of what it leaves, and ``run(scenario, folder, say)``.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from coolgp.network.launcher import launched_size
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.cli.messages import explained
from coolgp.scenarios.config.scenario import Scenario

__all__ = ["follow_script"]


def follow_script(name: str, scenario: Scenario, folder: Path, ranks: int | None, *, overwrite: bool) -> None:
    """Run a script, saying how it goes; a mistake of the user's is a message and exit code 2."""
    file = import_module(f"coolgp.scenarios.{name.replace('-', '_')}")
    with explained():
        if launched_size() > 1 or ranks is not None:
            raise ConfigError(f"{name}: compares seconds of one process: run it without MPI and without --ranks")
        _check(folder, file.FILES, overwrite=overwrite)
        file.run(scenario, folder, lambda words: print(words, flush=True))


def _check(folder: Path, files: tuple[str, ...], *, overwrite: bool) -> None:
    """Refuse a folder that holds anything else, or the same and may not be replaced."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder}: needed a folder to write to; this is a file: take another --out")
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if found - set(files):
        raise ValueError(f"{folder}: holds other files: take another --out")
    if found and not overwrite:
        raise ValueError(f"{folder}: there is such a comparison already: take another --out, or --overwrite")
