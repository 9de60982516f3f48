"""Scenarios that come with the package, by name: files of settings, which are read here and not imported.

Every module beside the rooms of `coolgp.scenarios`, and in `coolgp.scenarios.apart`, is one: a docstring, ``KIND`` and
``SETTINGS``, of a study also ``GRID`` and ``FIGURE``, all of them literals. A new scenario is a new file.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.loading import read_scenario, resolve
from coolgp.scenarios.config.scenario import DEFAULT_KIND, Scenario

__all__ = ["Packaged", "about", "catalogue", "is_study", "load_scenario", "scenario_files", "scenario_named"]

FOLDER = Path(__file__).resolve().parents[1]
ROOMS = ("apart", "paper")
"""The rooms that hold scenarios alone: of models trained apart, and of the paper's figures."""


@dataclass(frozen=True, kw_only=True)
class Packaged:
    """A scenario as its file declares it; grid, figure: what a study varies and draws, None where it is one run."""

    name: str
    description: str
    kind: str
    settings: Mapping[str, Any]
    grid: Mapping[str, Any] | None = None
    figure: Mapping[str, Any] | None = None

    @property
    def mapping(self) -> dict[str, Any]:
        """What a TOML file of this scenario would hold."""
        return {"name": self.name, "kind": self.kind, **self.settings}

    @property
    def headline(self) -> str:
        """The first line of the description."""
        return self.description.splitlines()[0]


@cache
def catalogue() -> Mapping[str, Packaged]:
    """The scenarios that come with the package, by name, in alphabetical order.

    >>> catalogue()["field"].settings["data"]
    {'source': 'field'}
    """
    return MappingProxyType({packaged.name: packaged for packaged in map(_packaged, scenario_files())})


def scenario_files() -> list[Path]:
    """The files of all scenarios, in alphabetical order of their names."""
    folders = (FOLDER, *(FOLDER / room for room in ROOMS))
    return sorted((path for folder in folders for path in folder.glob("[!_]*.py")), key=lambda path: path.name)


def is_study(name: str) -> bool:
    """Whether this is the name of a scenario that comes with the package and is run over a grid of settings."""
    return name in catalogue() and catalogue()[name].grid is not None


def load_scenario(scenario: str | os.PathLike[str] | Mapping[str, Any], overrides: Iterable[str] = ()) -> Scenario:
    """Load a scenario: by the name of one that comes with the package, from a TOML file, or from a mapping of sections.

    overrides: ``section.key=value``, as after ``--set``. Relative paths in a file start from its folder, all others
    from the working folder. Raises ConfigError, a ValueError, with every problem at once.

    >>> load_scenario({"data": {"source": "field"}, "agents": {"count": 20}}, ["run.seed=1"]).agents.count
    20
    """
    if isinstance(scenario, Mapping):
        return resolve(scenario, "scenario", overrides)
    if isinstance(scenario, str):
        return scenario_named(scenario, overrides)
    if isinstance(scenario, os.PathLike):
        return read_scenario(Path(scenario), overrides)
    kinds = "the name of a scenario, the path of a TOML file, or a mapping of sections"
    raise ConfigError(f"load_scenario needed {kinds}; got {type(scenario).__name__}")


def scenario_named(name: str, overrides: Iterable[str] = ()) -> Scenario:
    """A scenario by its name, or from a TOML file.

    Raises ConfigError, with all problems at once.
    """
    if name in catalogue():
        return resolve(catalogue()[name].mapping, name, overrides)
    if not Path(name).suffix and not Path(name).exists():
        near = get_close_matches(name, catalogue(), n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise ConfigError(f"{name}: needed a scenario ({', '.join(catalogue())}) or a TOML file; there is none{hint}")
    return read_scenario(name, overrides)


def about(name: str, source: str | None = None) -> list[str]:
    """Paragraphs of the scenario's own description; none where the package has no such scenario, or not of this source.

    source: of the data of a run that may bear the name of a scenario without being one.
    """
    if name not in catalogue() or source not in (None, catalogue()[name].settings.get("data", {}).get("source")):
        return []
    paragraphs = catalogue()[name].description.split("\n\n")
    return [" ".join(paragraph.split()).replace("`", "") for paragraph in paragraphs]


def _packaged(path: Path) -> Packaged:
    """The scenario that a file declares; a hyphen in its name is an underscore in the file's."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    declared = {
        statement.targets[0].id: ast.literal_eval(statement.value)
        for statement in module.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id in ("KIND", "SETTINGS", "GRID", "FIGURE")
    }
    return Packaged(
        name=path.stem.replace("_", "-"),
        description=ast.get_docstring(module) or "",
        kind=declared.get("KIND", DEFAULT_KIND),
        settings=declared["SETTINGS"],
        grid=declared.get("GRID"),
        figure=declared.get("FIGURE"),
    )
