"""What a checkpoint must be taken up with: the same data, graph and scenario as it was written with."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.scenarios.config.paths import paths_named
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.simulation.state import Simulation

__all__ = ["check_same", "fingerprint"]

CONFIG, FREE = "config.toml", "checkpoint_minutes"
"""The file with the settings, and the one of them, of the section run, that may change."""


def fingerprint(simulation: Simulation, folder: Path) -> dict[str, int]:
    """Checksums of all that a checkpoint in this run folder must be taken up with."""
    return _of_arrays(simulation) | {CONFIG: _checksum_of(_without_places(_written(folder), simulation.scenario))}


def check_same(stored: Mapping[str, int] | None, simulation: Simulation, folder: Path) -> None:
    """Raise ValueError on all ranks where one of them stored the fingerprint of another run than this. Collective.

    stored: None where this rank could not read it.
    """
    present = fingerprint(simulation, folder)
    stored = present if stored is None else stored
    names = list(present)
    same = {name: stored.get(name) == present[name] for name in names}
    written = _written(folder)
    of_versions_before = (_checksum_of(written), *_of_scenario(simulation.scenario, written))
    same[CONFIG] = same[CONFIG] or stored.get(CONFIG) in of_versions_before
    differ = simulation.transport.total(np.array([not same[name] for name in names]))
    others = [name for name, count in zip(names, differ.tolist(), strict=True) if count]
    if others:
        verb = "is" if others == ["graph"] or others == [CONFIG] else "are"
        raise ValueError(
            f"{folder}: {' and '.join(others)} {verb} not what this run was started with: put back what it had "
            "(from Python give the same dataset and topology), or start anew with coolgp run"
        )


def _of_arrays(simulation: Simulation) -> dict[str, int]:
    data, graph = simulation.dataset, simulation.topology
    return {
        "data": _checksum(*data.training.identity(), data.x_test, data.y_test),
        "graph": _checksum(graph.indptr, graph.indices),
    }


def _written(folder: Path) -> dict[str, Any]:
    """The settings as the file has them: keys that another version does not know, or names otherwise, do not matter."""
    settings = tomllib.loads((folder / CONFIG).read_text(encoding="utf-8"))
    settings.get("run", {}).pop(FREE, None)
    return settings


def _without_places(settings: Mapping[str, Any], scenario: Scenario) -> dict[str, Any]:
    """The settings but for where files are: data and graph are known by their contents."""
    sections = scenario.sections()
    return {
        section: {key: value for key, value in keys.items() if not paths_named(sections[section], key, value)}
        if section in sections and isinstance(keys, Mapping)
        else keys
        for section, keys in settings.items()
    }


def _checksum_of(settings: Mapping[str, Any]) -> int:
    return crc32(json.dumps(settings, sort_keys=True).encode())


def _of_scenario(scenario: Scenario, written: Mapping[str, Any]) -> tuple[int, int]:
    """The checksums of versions that took it of the scenario: without keys, and with the rule's name, of the time.

    A key without a value is in no file, so that it does not tell whether its version knew it: once as if it did, and
    once without those that are marked as added later.
    """
    rule = written.get("fusion", {}).get("rule", scenario.fusion.rule)
    scenario = scenario.model_copy(update={"fusion": scenario.fusion.model_copy(update={"rule": rule})})
    dump = scenario.model_dump(mode="json", exclude={"name"})
    unwritten = {
        section: {key for key in keys if key not in written.get(section, {})} for section, keys in dump.items()
    }
    valued = {section: {key for key in keys if dump[section][key] is not None} for section, keys in unwritten.items()}
    later = {section: keys & getattr(scenario, section).unhashed() for section, keys in unwritten.items()}
    return _checksum_without(scenario, valued), _checksum_without(
        scenario, {section: keys | later[section] for section, keys in valued.items()}
    )


def _checksum_without(scenario: Scenario, new: Mapping[str, set[str]]) -> int:
    exclude = {section: keys | ({FREE} if section == "run" else set()) for section, keys in new.items()}
    return crc32(scenario.model_dump_json(exclude=exclude).encode())


def _checksum(*arrays: Array) -> int:
    checksum = 0
    for array in arrays:
        checksum = crc32(np.ascontiguousarray(array).tobytes(), checksum)
    return checksum
