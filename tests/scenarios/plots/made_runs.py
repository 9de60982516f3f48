"""Run folders of the documented form, with made-up numbers."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.network.graphs.connectivity import spanning_tree
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import Topology, from_edges
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.metrics.column import METRICS, SUBSET, TRAFFIC
from coolgp.scenarios.metrics.rows import header


def write_rows(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def read_rows(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text().splitlines()))


def write_tables(folder: Path, rng: np.random.Generator, rounds: int, agents: list[str], rule: str, size: int) -> None:
    t = np.arange(1, rounds + 1)
    skill = rng.normal(size=len(agents))
    level = 40 + 4 / t
    pre = level[:, None] + 3 + (skill + 0.3 * rng.normal(size=(rounds, len(agents)))) / np.sqrt(t)[:, None]
    post = pre if rule == "none" else level[:, None] + 0.03 * rng.normal(size=pre.shape)
    sent = (0, 0) if rule == "none" else (118, 118 * 41_208)
    columns = (
        *(t, 1200 * t, 10_000 + 0 * t, pre.mean(1), pre.std(1), post.mean(1), post.std(1)),
        *(np.full(rounds, np.nan), np.full(rounds, np.nan)),
        *(5.2 + 0.3 / t, 5.05 + 0.1 / t, 22 + 1 / t, 20 + 1 / t),
        *(0.52 + 0 * t, 0.91 + 0 * t, 0.94 + 0 * t, 0.2 / t**4),
        *(12 + 0 * t, sent[0] + 0 * t, 0 * t, sent[1] + 0 * t, size + 0 * t, size + 0 * t, 1e-16 + 0 * t),
        *(0.12 + 0 * t, 0.03 + 0 * t),
    )
    write_rows(folder / TRAFFIC, header(TRAFFIC), zip(t, sent[1] + 0 * t, 0 * t, strict=True))
    names = [name for name in header(METRICS) if SUBSET not in name]  # as before there was a subset
    write_rows(folder / METRICS, names, zip(*columns, strict=True))
    each = ((t[i], name, pre[i, a], post[i, a]) for i in range(rounds) for a, name in enumerate(agents))
    write_rows(folder / "probes.csv", ("round", "agent", "rmse_pre", "rmse_post"), each)
    names = ["bound", "effective_sample_size", "signal_variance", "noise_variance", "lengthscale_x0", "lengthscale_x1"]
    twins = [part for name in names for part in (name, f"{name}_std")]
    values = (("", "") if name == "effective_sample_size" else (0.5, 0.01) for name in names)
    cells = [part for pair in values for part in pair]
    write_rows(folder / "hyperparameters.csv", ("round", *twins), ([i, *cells] for i in t))


def write_predictions(folder: Path, rng: np.random.Generator, agents: list[str], side: int | None) -> None:
    if side is None:
        x, truth = rng.uniform(size=(50, 2)), None
        mean = rng.normal(size=50)
    else:
        ticks = np.linspace(0, 1, side)
        x = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
        mean = truth = np.sin(7 * x[:, 0]) * np.cos(5 * x[:, 1])
    centre = rng.uniform(size=(len(agents), x.shape[1]))
    near = np.exp(-8 * np.square(x - centre[:, None]).sum(-1))
    arrays: dict[str, Any] = {"mean_pre": near * mean, "variance_pre": 1.01 - near, "mean_post": mean + 0.02 * near}
    arrays |= {"variance_post": 0.02 + 0.1 * near, "asked": np.ones(near.shape, dtype=bool)}
    given: dict[str, Any] = {} if truth is None else {"truth": truth}
    np.savez(folder / "predictions.npz", x_test=x, y_test=mean, agents=np.array(agents), **arrays, **given)


def write_network(folder: Path, graph: Topology, links: Topology, labels: list[str], probes: list[int]) -> None:
    arrays: dict[str, Any] = {"indptr": graph.indptr, "indices": graph.indices}
    arrays |= {"links_indptr": links.indptr, "links_indices": links.indices}
    given: dict[str, Any] = {} if graph.position is None else {"position": graph.position}
    np.savez(folder / "network.npz", **arrays, labels=np.array(labels), probes=np.array(probes), **given)


def write_run(
    place: Path,
    *set_: str,
    source: str = "airline",
    rule: str = "tree",
    rounds: int = 6,
    probes: int = 8,
    agents: int = 60,
    kind: str = "small-world",
) -> Path:
    """Write a run into a new folder of a place; its path."""
    folder, rng = place / f"run{len(list(place.iterdir()))}", np.random.default_rng(0)
    folder.mkdir()
    sections = {"data": {"source": source}, "agents": {"count": agents}, "fusion": {"rule": rule}}
    scenario = resolve(sections, "demo", set_)
    (folder / "config.toml").write_text(scenario.to_toml())
    env = {"coolgp": "0.1.0", "python": "3.12.1", "mpi": None, "ranks": 1, "started": "2025-01-01T10:00:00"}
    (folder / "env.json").write_text(json.dumps({**env, "command": "coolgp run airline --rounds 6 --name '<b>'"}))
    guarantee = {"rule": rule, "agents": agents, "links": 2 * agents, "kind": "exact", "why": "it is a tree"}
    guarantee |= {"rounds": 12, "gap": None, "tolerance": 1e-12, "faults": []}
    (folder / "guarantee.json").write_text(json.dumps(guarantee))
    labels, chosen = [f"s{i}" for i in range(agents)], sorted(rng.permutation(agents)[:probes].tolist())
    names = [labels[i] for i in chosen]
    write_tables(folder, rng, rounds, names, rule, agents)
    write_predictions(folder, rng, names, 30 if source == "field" else None)
    position = rng.uniform(size=(agents, 2)) if source == "field" else None
    graph = generate("geometric" if source == "field" else kind, agents, 0, position)
    links = from_edges([], [], agents) if rule == "none" else spanning_tree(graph)
    write_network(folder, graph, links, labels, chosen)
    return folder
