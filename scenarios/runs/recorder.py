"""A run folder, written as the run goes: one line a round, and at the end what is needed to predict again.

Tables grow by whole lines; every other file appears complete or not at all.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.scenarios.base.environment import Environment
from coolgp.scenarios.base.files import naming, whole, write_whole
from coolgp.scenarios.metrics.scores import disagreement, scores
from coolgp.scenarios.records.network import RECORDED_AGENTS, Network, sample
from coolgp.scenarios.records.run_folder import METRICS, TRAFFIC
from coolgp.scenarios.runs.folder import sweep
from coolgp.scenarios.runs.guarantee import stated_guarantee
from coolgp.scenarios.runs.model_arrays import model_arrays
from coolgp.scenarios.simulation.evaluation import Probed
from coolgp.scenarios.simulation.rounds import Record, Simulation

TABLES = ("metrics.csv", "traffic.csv", "probes.csv", "hyperparameters.csv")
"""The files that grow with the rounds."""

__all__ = ["Recorder", "Resumption"]


@dataclass(frozen=True)
class Resumption:
    """A run that goes on after so many rounds. tables: the bytes of each that count; empty where it starts over."""

    round: int
    tables: Mapping[str, int]


class Recorder:
    """Writes one run. Only the root makes one."""

    def __init__(
        self, folder: Path, simulation: Simulation, environment: Environment, resumption: Resumption | None = None
    ) -> None:
        self.folder, self.simulation = folder, simulation
        dataset, probes = simulation.dataset, simulation.probes
        owner = dataset.test_owner
        asked = np.ones((probes.size, dataset.y_test.size)) if owner is None else probes[:, None] == owner
        self.asked = asked.astype(float)
        self.labels = np.array([dataset.agents[probe] for probe in probes])
        layout, features = simulation.shared_start.model.layout, dataset.features
        self.names = ("bound", "effective_sample_size", "inducing", "uncovered", *layout.names(features))
        self.environment = _environment(folder, environment, resumption)
        folder.mkdir(parents=True, exist_ok=True)
        if resumption is None:
            sweep(folder)
            write_whole(folder / "config.toml", simulation.scenario.to_toml().encode())
            write_whole(folder / "promise.json", stated_guarantee(simulation).text().encode())
        self._write_environment(finished=False)
        if resumption and resumption.tables:
            for name, size in resumption.tables.items():  # rounds that were written after the checkpoint come again
                os.truncate(folder / name, size)
        else:
            self._begin_tables()

    def _begin_tables(self) -> None:
        self._header("metrics.csv", METRICS)
        self._header("traffic.csv", TRAFFIC)
        self._header("probes.csv", ("round", "agent", "rmse_pre", "rmse_post"))
        self._header("hyperparameters.csv", ("round", *(f"{n}{s}" for n in self.names for s in ("", "_std"))))

    def write(self, record: Record) -> dict[str, float]:
        """Add a round to the tables; returns its row of metrics."""
        assert record.probed is not None
        pre, post, dataset = record.probed.pre, record.probed.post, self.simulation.dataset
        before, after = (scores(said, dataset.y_test, self.asked, dataset.truth) for said in (pre, post))
        told: dict[str, float] = {
            "round": record.round,
            "observations": record.observations,
            **{f"{name}_pre": float(score.mean()) for name, score in before.items()},
            **{f"{name}_post": float(score.mean()) for name, score in after.items()},
            "rmse_pre_std": float(before["rmse"].std()),
            "rmse_post_std": float(after["rmse"].std()),
            "disagreement": disagreement(post),
            "communication_rounds": record.sent.rounds,
            "messages": record.sent.messages,
            "lost": record.sent.lost,
            "bytes": record.sent.bytes,
            "present": record.present,
            "counted": float(record.probed.counted.mean()),
            "fusion_error": record.error,
            "seconds": round(record.seconds, 6),
            "seconds_predicting": round(record.probed.seconds, 6),
        }
        row = {name: told[name] for name in METRICS}
        self._append("metrics.csv", [["" if np.isnan(value) else value for value in row.values()]])
        self._append("traffic.csv", [[record.round, record.sent.near_bytes, record.sent.far_bytes]])
        rows = zip(self.labels, before["rmse"], after["rmse"], strict=True)
        self._append("probes.csv", [[record.round, agent, first, second] for agent, first, second in rows])
        self._append("hyperparameters.csv", [[record.round, *self._hyperparameters(record.probed)]])
        return row

    def settle(self) -> dict[str, int]:
        """Wait until the tables are on the disk; their bytes."""
        sizes = {}
        for name in TABLES:
            with (self.folder / name).open("rb+") as file:
                os.fsync(file.fileno())
                sizes[name] = file.seek(0, os.SEEK_END)
        return sizes

    def finish(self, record: Record, seconds: Mapping[str, float]) -> None:
        """Write predictions, model and network as they are after the last round."""
        dataset, probed = self.simulation.dataset, record.probed
        assert probed is not None
        truth = {} if dataset.truth is None else {"truth": dataset.truth}
        self._arrays(
            "predictions.npz",
            x_test=dataset.x_test,
            y_test=dataset.y_test,
            agents=self.labels,
            mean_pre=probed.pre.mean,
            variance_pre=probed.pre.variance,
            mean_post=probed.post.mean,
            variance_post=probed.post.variance,
            asked=self.asked.astype(bool),
            **truth,
        )
        self._arrays("model.npz", **model_arrays(self.simulation, probed, self.labels))
        self._arrays("network.npz", **_network(self.simulation))
        self._write_environment(finished=True, **{f"seconds_{name}": spent for name, spent in seconds.items()})

    def _hyperparameters(self, probed: Probed) -> list[Any]:
        layout, theta = self.simulation.shared_start.model.layout, probed.theta
        inducing = np.full(len(theta), probed.basis.size)
        columns = [probed.bound, probed.sample_size, inducing, probed.uncovered, *layout.lengthscale(theta).T]
        columns += [layout.signal_variance(theta), layout.noise_variance(theta)]
        pairs = [(float(column.mean()), float(column.std())) for column in columns]
        return ["" if np.isnan(value) else value for pair in pairs for value in pair]

    def _write_environment(self, *, finished: bool, **more: float) -> None:
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        contents = self.environment | {"finished": now if finished else None} | more
        write_whole(self.folder / "env.json", json.dumps(contents, indent=2).encode())

    def _header(self, name: str, columns: tuple[str, ...]) -> None:
        write_whole(self.folder / name, (",".join(_quoted(column) for column in columns) + "\n").encode())

    def _append(self, name: str, rows: list[list[Any]]) -> None:
        path = self.folder / name
        with naming(path), path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)

    def _arrays(self, name: str, **arrays: Any) -> None:
        with whole(self.folder / name) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)


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
    """The graph as arrays; of very many agents a part, and the size of the whole."""
    everything = Network(simulation.topology, simulation.links, simulation.probes)
    network, kept = sample(everything, RECORDED_AGENTS)
    graph, links, names = network.graph, network.links, simulation.dataset.agents
    arrays = {
        "indptr": graph.indptr,
        "indices": graph.indices,
        "links_indptr": links.indptr,
        "links_indices": links.indices,
        "labels": np.array([names[agent] for agent in kept]),
        "probes": network.probes,
    }
    known = {} if graph.position is None else {"position": graph.position}
    return arrays | known | ({"whole": np.array(astuple(network.whole))} if network.whole else {})


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"' if any(mark in column for mark in ',"\n') else column
