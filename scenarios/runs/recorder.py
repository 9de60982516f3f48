"""A run folder, written as the run goes: one line a round, and at the end what is needed to predict again.

Tables grow by whole lines; every other file appears complete or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.scenarios.base.environment import Environment
from coolgp.scenarios.base.files import whole, write_table, write_whole
from coolgp.scenarios.records.frames import FRAMES
from coolgp.scenarios.records.guarantee import GUARANTEE
from coolgp.scenarios.records.network import RECORDED_AGENTS, Network, sample
from coolgp.scenarios.runs.frame_files import FrameFiles
from coolgp.scenarios.runs.guarantee import stated_guarantee
from coolgp.scenarios.runs.model_arrays import model_arrays
from coolgp.scenarios.runs.table_file import TableFile
from coolgp.scenarios.runs.tabled import Tabled, TableRows
from coolgp.scenarios.simulation.state import Record, Simulation

__all__ = ["Recorder", "Resumption"]


@dataclass(frozen=True)
class Resumption:
    """A run that goes on after so many rounds. tables: the bytes of each that count; empty where it starts over."""

    round: int
    tables: Mapping[str, int]


class Recorder:
    """Writes one run. Only the root makes one. notes: what the user should know of a folder that is gone on with."""

    def __init__(
        self, folder: Path, tabled: Tabled, environment: Environment, resumption: Resumption | None = None
    ) -> None:
        self.folder, self.tabled, self.simulation = folder, tabled, tabled.simulation
        simulation, headers = tabled.simulation, tabled.headers
        dataset, start = simulation.dataset, simulation.shared_start
        self.environment = _environment(folder, environment, resumption) | {
            "data_notes": list(dataset.notes),
            "start": start.words,
            "start_notes": list(start.notes),
        }
        folder.mkdir(parents=True, exist_ok=True)
        if resumption is None:
            write_whole(folder / "config.toml", simulation.scenario.to_toml().encode())
            write_whole(folder / GUARANTEE, stated_guarantee(simulation).text().encode())
        self._write_environment(finished=False)
        sizes = resumption.tables if resumption else {}
        self.tables = {name: _table(folder / name, names, sizes.get(name)) for name, names in headers.items()}
        self.frames = FrameFiles(folder / FRAMES, 0 if resumption is None else resumption.round)
        differences = (table.difference(headers[name]) for name, table in self.tables.items())
        self.notes = tuple(filter(None, differences))

    def write(self, record: Record) -> TableRows:
        """Add a round to the tables; returns its rows."""
        rows = self.tabled.rows(record)
        self.add(rows)
        if record.kept is not None:
            names = self.simulation.dataset.agents
            self.frames.write(record.round, record.kept, [names[agent] for agent in record.kept.agents])
        return rows

    def add(self, rows: TableRows) -> None:
        """Add rows to the tables."""
        for name, of_table in rows.items():
            self.tables[name].append(of_table)

    def settle(self) -> dict[str, int]:
        """Wait until the tables are on the disk; their bytes."""
        return {name: table.settle() for name, table in self.tables.items()}

    def finish(self, record: Record, seconds: Mapping[str, float]) -> None:
        """Write predictions, model and network as they are after the last round."""
        probed = record.probed
        assert probed is not None
        for name, rows in self.tabled.at_end(probed).items():
            write_table(self.folder / name, rows)
        self._arrays("predictions.npz", **self.tabled.predictions(probed))
        self._arrays("model.npz", **model_arrays(self.simulation, probed, self.tabled.labels))
        self._arrays("network.npz", **_network(self.simulation))
        self._write_environment(finished=True, **{f"seconds_{name}": spent for name, spent in seconds.items()})

    def _write_environment(self, *, finished: bool, **more: float) -> None:
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        contents = self.environment | {"finished": now if finished else None} | more
        write_whole(self.folder / "env.json", json.dumps(contents, indent=2).encode())

    def _arrays(self, name: str, **arrays: Any) -> None:
        with whole(self.folder / name) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)


def _table(path: Path, names: Sequence[str], size: int | None) -> TableFile:
    """A table to append to: a new one, or one that counts up to a size, for later rows will be written again."""
    return TableFile.begin(path, names) if size is None else TableFile.resume(path, size)


def _environment(folder: Path, environment: Environment, resumption: Resumption | None) -> dict[str, Any]:
    """What ``env.json`` says of how a run was started, and of every time that it was resumed."""
    if resumption is None:
        return asdict(environment)
    try:
        first = dict(json.loads((folder / "env.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        first = asdict(environment)
    resumed = {"time": environment.started, "ranks": environment.ranks, "round": resumption.round}
    return first | {"resumptions": [*first.get("resumptions", []), resumed]}


def _network(simulation: Simulation) -> dict[str, Array]:
    """The graph as arrays; of very many agents a sample, and the size of the network."""
    network, agents = sample(Network(simulation.topology, simulation.links, simulation.probes), RECORDED_AGENTS)
    graph, links, names = network.graph, network.links, simulation.dataset.agents
    arrays = {
        "indptr": graph.indptr,
        "indices": graph.indices,
        "links_indptr": links.indptr,
        "links_indices": links.indices,
        "labels": np.array([names[agent] for agent in agents]),
        "probes": network.probes,
    }
    position = {} if graph.position is None else {"position": graph.position}
    return arrays | position | ({"whole": np.array(astuple(network.total))} if network.total else {})
