"""Scenarios that come with the package, by name; each is a file beside this one that also runs by itself."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.loading import load_scenario, resolve
from coolgp.scenarios.config.scenario import Scenario

__all__ = ["NAMES", "SCRIPTS", "STUDIES", "about", "describe", "scenario_file", "scenario_named", "settings_of"]

NAMES = (
    "airline", "synthetic", "field", "sensors", "road", "disparity", "lossy", "rules",
    "paper-fig1", "paper-fig2", "paper-fig3", "paper-fig4", "paper-fig5",
)  # fmt: skip

STUDIES = ("lossy", "rules", "paper-fig1", "paper-fig2")
"""Those of them that are run over a grid of settings, their file's ``GRID``."""
SCRIPTS = ("paper-fig3", "paper-fig5")
"""Those that are neither a run nor a grid of runs, see :mod:`coolgp.scenarios.cli.script`."""


def scenario_named(name: str, overrides: Iterable[str] = ()) -> Scenario:
    """A scenario by its name, or from a TOML file.

    Raises ConfigError, with all problems at once.
    """
    if name in NAMES:
        return resolve(settings_of(name), name, overrides)
    if not Path(name).suffix and not Path(name).exists():
        near = get_close_matches(name, NAMES, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise ConfigError(f"{name}: needed a scenario ({', '.join(NAMES)}) or a TOML file; there is none{hint}")
    return load_scenario(name, overrides)


def scenario_file(name: str) -> ModuleType:
    """The module of a scenario that comes with the package; a hyphen in a name is an underscore in a file's."""
    return import_module(f"coolgp.scenarios.{name.replace('-', '_')}")


def settings_of(name: str) -> dict[str, Any]:
    """What the file of a scenario that comes with the package declares: its kind and its sections."""
    file = scenario_file(name)
    return {"name": name, "kind": file.KIND, **file.SETTINGS}


def about(name: str, source: str | None = None) -> list[str]:
    """Paragraphs of the scenario's own description; none where the package has no such scenario, or not of this source.

    source: of the data of a run that may bear the name of a scenario without being one.
    """
    known = name in NAMES and source in (None, scenario_file(name).SETTINGS["data"]["source"])
    text = (scenario_file(name).__doc__ or "").strip() if known else ""
    return [" ".join(part.split()).replace("`", "") for part in text.split("\n\n") if part]


def describe(name: str) -> str:
    """First line of the scenario's own description."""
    return (scenario_file(name).__doc__ or "").strip().splitlines()[0]
