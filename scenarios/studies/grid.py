"""A grid from the command line: ``agents.count=25,50 fusion.rule=tree,none run.seed=0..4``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.catalogue import catalogue, is_study, scenario_named
from coolgp.scenarios.studies.study import Grid, Study, chosen, plan_grid

__all__ = ["parse_axes", "plan_sweep"]

_AXIS = re.compile(r"([\w-]+\.[\w-]+(?:\+[\w-]+\.[\w-]+)*)=(.*)", re.DOTALL)
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")
MOST_CELLS = 100_000
"""Of a sweep: more are a mistake in a range."""


def plan_sweep(scenario: str, axes: Sequence[str], overrides: Sequence[str] = ()) -> Study:
    """A scenario, by name or file, over the grid that the axes span; over its own as well, where it is a study.

    An axis takes the place of the study's own axis of that key. Raises ConfigError with all that is wrong at once.

    >>> study = plan_sweep("field", ["fusion.rule=tree,none", "run.seed=0..2"])
    >>> len(study.cells), study.cells[-1].folder
    (6, 'rule=none_seed=2')
    """
    grid, problems = parse_axes(axes)
    own, figure = _own(scenario, overrides)
    problems += _clashes(grid, own, overrides)
    axes_of_cells = {axis: choices for axis, choices in own.items() if axis not in grid} | grid
    if not axes_of_cells and not problems:
        problems.append("needed the values of a key at least, for example run.seed=0..4")
    cells = prod(len(choices) for choices in axes_of_cells.values())
    if cells > MOST_CELLS:
        raise ConfigError(*problems, f"needed at most {MOST_CELLS:,} cells; the grid has {cells:,}")
    try:
        study = plan_grid(partial(scenario_named, scenario), axes_of_cells, overrides, figure)
    except ConfigError as error:
        raise ConfigError(*problems, *error.problems) from None
    if problems:
        raise ConfigError(*problems)
    return study


def parse_axes(written: Iterable[str]) -> tuple[dict[str, dict[str, dict[str, str]]], list[str]]:
    """The grid that is written as ``KEY=a,b,c``, ``KEY=0..4,7`` or, for keys that change together, ``K+L=a+1,b+2``.

    Values are kept as they were written. Returned with what is wrong.

    >>> parse_axes(["run.seed=0..1,7"])
    ({'run.seed': {'0': {'run.seed': '0'}, '1': {'run.seed': '1'}, '7': {'run.seed': '7'}}}, [])
    """
    grid, problems = dict[str, dict[str, dict[str, str]]](), list[str]()
    for item in written:
        match = _AXIS.fullmatch(item.strip())
        if not match:
            problems.append(f"{item}: needed section.key=value,value,..., for example run.seed=0..4")
            continue
        axis, keys, labels = match[1], match[1].split("+"), _labels(match[2], item, problems)
        if twice := [key for key in keys if any(key in other.split("+") for other in grid)]:
            problems.append(f"{item}: {', '.join(twice)}: varied twice: name all its values at once")
        choices = {label: dict(zip(keys, parts, strict=True)) for label, parts in _parts(labels, keys, problems)}
        grid |= {axis: choices} if choices else {}
    return grid, problems


def _labels(written: str, item: str, problems: list[str]) -> list[str]:
    """The values of an axis, ranges spelled out, each once."""
    labels = list[str]()
    for value in _split(written):
        bounds = _RANGE.fullmatch(value)
        if not value:
            problems.append(f"{item}: needed values with a comma between two of them; one is empty")
        elif not bounds:
            labels.append(value)
        elif 0 <= int(bounds[2]) - int(bounds[1]) < MOST_CELLS:
            labels += map(str, range(int(bounds[1]), int(bounds[2]) + 1))
        else:
            problems.append(f"{item}: needed a range a..b with a <= b and at most {MOST_CELLS:,} values; got {value}")
    return list(dict.fromkeys(labels))


def _split(written: str) -> list[str]:
    """Split at the commas that stand outside of brackets and quotes.

    >>> _split('["a", "b"], tree,"x,y"')
    ['["a", "b"]', 'tree', '"x,y"']
    """
    values, depth, quote = [""], 0, ""
    for letter in written:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        depth += 0 if quote else (letter in "[{") - (letter in "]}")
        if letter == "," and not quote and depth <= 0:
            values.append("")
        else:
            values[-1] += letter
    return [value.strip() for value in values]


def _parts(labels: Sequence[str], keys: Sequence[str], problems: list[str]) -> list[tuple[str, list[str]]]:
    """Each label with its value for each key."""
    split = {label: label.split("+", len(keys) - 1) if len(keys) > 1 else [label] for label in labels}
    for label, parts in split.items():
        if len(parts) < len(keys):
            problems.append(f"{'+'.join(keys)}={label}: needed {len(keys)} values with + between them")
    return [(label, parts) for label, parts in split.items() if len(parts) == len(keys)]


def _own(scenario: str, overrides: Sequence[str]) -> tuple[Grid, Mapping[str, Any] | None]:
    """The grid and the figure of a study that comes with the package."""
    if not is_study(scenario):
        return {}, None
    study = catalogue()[scenario]
    return chosen(study.grid or {}, overrides), study.figure


def _clashes(grid: Grid, own: Grid, overrides: Sequence[str]) -> list[str]:
    """Keys that are varied and set, or varied here and, among others, by a named axis of the study."""
    problems = []
    set_ = {item.partition("=")[0].strip() for item in overrides}
    named = {key: axis for axis, choices in own.items() for choice in choices.values() for key in choice if key != axis}
    for key in (key for axis in grid for key in axis.split("+")):
        if key in set_:
            problems.append(f"{key}: set and varied: leave one out")
        if key in named:
            problems.append(f'{key}: varied by the study\'s own axis "{named[key]}": pick of it with --set {key}=VALUE')
    return problems
