"""A finished run read back from its folder: what plots and reports are made from, and nothing else.

Axes: `R` rounds, `N` agents in all, `Q` test rows, `D` inputs, `probes` the agents whose predictions were evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.base.arrays import Bools, Floats, Ints
from coolgp.scenarios.config.loading import read_recorded
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.metrics.column import HYPERPARAMETERS, METRICS, PROBES, TRAFFIC
from coolgp.scenarios.metrics.words import alike
from coolgp.scenarios.records.guarantee import GUARANTEE, StatedGuarantee, guarantee_path, read_guarantee
from coolgp.scenarios.records.network import Network, NetworkSize
from coolgp.scenarios.records.tables import Columns, arrays_of, floats, numbers, texts

__all__ = ["PREDICTIONS", "Predictions", "Probes", "RunFolder", "is_finished", "read_metrics", "read_run"]

PREDICTIONS = "predictions.npz"
"""What the probes predict at the test rows."""
FILES = (
    "config.toml",
    "env.json",
    GUARANTEE,
    METRICS,
    TRAFFIC,
    PROBES,
    HYPERPARAMETERS,
    PREDICTIONS,
    "network.npz",
)


@dataclass(frozen=True)
class Probes:
    """Errors of single agents over the rounds, original units; NaN where none was written."""

    rounds: Ints
    """`[R]`"""
    agents: tuple[str, ...]
    """`[probes]`"""
    rmse_pre: Floats
    """`[R,probes]`, from the agent's own observations alone."""
    rmse_post: Floats
    """`[R,probes]`, after the exchange."""
    curve_pre: Floats
    curve_post: Floats
    """The same on the test rows that are asked in every round, to be compared from round to round."""

    @property
    def typical(self) -> int:
        """The column of the probe with the median improvement in the last round (the lower one of two)."""
        improvement = self.rmse_pre[-1] - self.rmse_post[-1]
        finite = int(np.isfinite(improvement).sum())  # NaN sorts last
        return int(np.argsort(improvement, kind="stable")[max(finite - 1, 0) // 2])


@dataclass(frozen=True)
class Predictions:
    """What each probe predicted after the last round, original units; a variance is latent variance plus noise."""

    x_test: Floats
    """`[Q,D]`"""
    y_test: Floats
    """`[Q]`"""
    agents: tuple[str, ...]
    """`[probes]`"""
    mean_pre: Floats
    """`[probes,Q]`"""
    variance_pre: Floats
    """`[probes,Q]`"""
    mean_post: Floats
    """`[probes,Q]`"""
    variance_post: Floats
    """`[probes,Q]`"""
    asked: Bools
    """`[probes,Q]`, which test rows count for which probe."""
    truth: Floats | None = None
    """`[Q]`, without noise, where it is known."""


@dataclass(frozen=True)
class RunFolder:
    """Everything that a run left in its folder, but for the model."""

    path: Path
    config: Scenario
    env: Mapping[str, Any]
    guarantee: StatedGuarantee
    metrics: Columns
    """Columns `[R]` of metrics.csv."""
    traffic: Columns
    """Columns `[R]` of traffic.csv."""
    probes: Probes
    hyperparameters: Columns
    """Columns `[R]` of hyperparameters.csv, means over probes, each but `round` with its `<name>_std`."""
    predictions: Predictions
    network: Network

    @property
    def target(self) -> str:
        """What is predicted, in words."""
        return source_named(self.config.data.source).target_words or self.config.data.target or "target"

    @property
    def unit(self) -> str:
        """The unit of the target, empty where it is not known."""
        return source_named(self.config.data.source).unit

    @property
    def features(self) -> tuple[str, ...]:
        """The names `[D]` of the inputs."""
        named = [n for n in self.hyperparameters if n.startswith("lengthscale_") and f"{n}_std" in self.hyperparameters]
        names = tuple(name.removeprefix("lengthscale_") for name in named)
        count = self.predictions.x_test.shape[1]
        return names if len(names) == count else tuple(f"input {i}" for i in range(count))


def read_run(path: str | Path) -> RunFolder:
    """Read a finished run.

    Raises:
        ValueError: if the folder, a file, a column or an array is missing or is not what its name says.

    """
    path = Path(path)
    if not path.is_dir():
        raise ValueError(f"{path} is not a run folder: there is no such folder")
    missing = [name for name in FILES if not (path / name).is_file()]
    if guarantee_path(path).is_file() and GUARANTEE in missing:
        missing.remove(GUARANTEE)
    if missing:
        kind = "a finished" if len(missing) < len(FILES) else "a"
        raise ValueError(f"{path} is not {kind} run folder: it lacks {', '.join(missing)}")
    try:
        config = read_recorded(path / "config.toml")
        env = json.loads((path / "env.json").read_text(encoding="utf-8"))
    except ValueError as problem:
        raise ValueError(f"{path} is not a run folder: config.toml or env.json cannot be read: {problem}") from problem
    predictions, network = _predictions(path / PREDICTIONS), _network(path / "network.npz")
    names = network.graph.names
    if tuple(names[i] for i in network.probes) != predictions.agents:
        raise ValueError(f"{path} is not one run: network.npz and predictions.npz have different probe agents")
    return RunFolder(
        path=path,
        config=config,
        env=env,
        guarantee=read_guarantee(path),
        metrics=numbers(path / METRICS),
        traffic=numbers(path / TRAFFIC),
        probes=_probes(path / PROBES, predictions.agents),
        hyperparameters=numbers(path / HYPERPARAMETERS),
        predictions=predictions,
        network=network,
    )


def read_metrics(path: str | Path) -> Columns:
    """Read metrics.csv of a run folder of any version, be it finished or not; raise ValueError where it is not one.

    The columns are those of the file. Asking for one that it lacks raises ValueError.
    """
    return numbers(Path(path) / METRICS)


def is_finished(folder: str | Path) -> bool:
    """Whether there is nothing left to do in a run's folder. Raises ValueError where there is no run."""
    folder = Path(folder)
    if not (folder / "config.toml").is_file():
        what = "it has no config.toml" if folder.is_dir() else "there is no such folder"
        if (folder / "study.json").is_file():
            what = "it holds a study, which goes on with the command that started it and the same --out"
        raise ValueError(f"{folder} is not a run folder: {what}")
    try:
        return bool(json.loads((folder / "env.json").read_text(encoding="utf-8"))["finished"])
    except (OSError, ValueError, KeyError, TypeError):  # killed before it was written
        return False


def _probes(path: Path, agents: tuple[str, ...]) -> Probes:
    columns = texts(path, ("round", "agent", "rmse_pre", "rmse_post"))
    rounds, row = np.unique(floats(path, "round", columns["round"]).astype(np.int64), return_inverse=True)
    place = {name: i for i, name in enumerate(agents)}
    if set(columns["agent"]) != set(agents):
        raise ValueError(f"{path} is not of the same run as predictions.npz: their probe agents differ")
    column = [place[name] for name in columns["agent"]]

    def spread_out(name: str, cells: list[str]) -> Floats:
        values = np.full((rounds.size, len(agents)), np.nan)
        values[row, column] = floats(path, name, cells)
        return values

    before, after = "rmse_pre", "rmse_post"
    return Probes(
        rounds=rounds,
        agents=agents,
        rmse_pre=spread_out(before, columns[before]),
        rmse_post=spread_out(after, columns[after]),
        curve_pre=spread_out(before, alike(columns, before)),
        curve_post=spread_out(after, alike(columns, after)),
    )


def _predictions(path: Path) -> Predictions:
    needed = [field.name for field in fields(Predictions) if field.name != "truth"]
    arrays: dict[str, Any] = {"truth": None, **arrays_of(path, needed)}
    arrays["agents"] = tuple(map(str, arrays["agents"]))
    return Predictions(**{name: arrays[name] for name in (*needed, "truth")})


def _network(path: Path) -> Network:
    arrays = arrays_of(path, ("indptr", "indices", "links_indptr", "links_indices", "labels", "probes"))
    labels, position = tuple(map(str, arrays["labels"])), arrays.get("position")
    total = NetworkSize(*arrays["whole"].tolist()) if "whole" in arrays else None
    return Network(
        Topology(indptr=arrays["indptr"], indices=arrays["indices"], weight=None, position=position, labels=labels),
        Topology(
            indptr=arrays["links_indptr"],
            indices=arrays["links_indices"],
            weight=None,
            position=position,
            labels=labels,
        ),
        arrays["probes"],
        total,
    )
