"""What a checkpoint must be taken up with: the same data, graph and scenario as it was written with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.scenarios.simulation.rounds import Simulation

__all__ = ["check_same", "fingerprint"]


def fingerprint(simulation: Simulation) -> dict[str, int]:
    """Checksums of all that a checkpoint must be taken up with."""
    data, graph = simulation.dataset, simulation.topology
    config = simulation.scenario.model_dump_json(exclude={"run": {"checkpoint_minutes"}})
    return {
        "data": _checksum(*data.training.identity(), data.x_test, data.y_test),
        "graph": _checksum(graph.indptr, graph.indices),
        "config.toml": crc32(config.encode()),
    }


def check_same(stored: Mapping[str, int] | None, simulation: Simulation, folder: Path) -> None:
    """Raise ValueError on all ranks where one of them stored the fingerprint of another run than this. Collective.

    stored: None where this rank could not read it.
    """
    mine = fingerprint(simulation)
    stored = mine if stored is None else stored
    names = list(mine)
    differ = simulation.transport.total(np.array([stored.get(name) != mine[name] for name in names]))
    others = [name for name, count in zip(names, differ.tolist(), strict=True) if count]
    if others:
        verb = "is" if others == ["graph"] or others == ["config.toml"] else "are"
        raise ValueError(
            f"{folder}: {' and '.join(others)} {verb} not what this run was started with: put back what it had "
            "(from Python give the same dataset and topology), or start anew with coolgp run"
        )


def _checksum(*arrays: Array) -> int:
    checksum = 0
    for array in arrays:
        checksum = crc32(np.ascontiguousarray(array).tobytes(), checksum)
    return checksum
