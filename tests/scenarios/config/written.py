"""Scenarios as users write them, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.loading import resolve

ISSUE_TOML = """\
[data]
source = "points.csv"          # CSV, Parquet, or "airline" | "synthetic" | "field"
target = "y"
features = ["x0", "x1"]        # default: every other numeric column
agent = "station"              # a column; or partition = "random" | "kmeans" | "dirichlet"
test_fraction = 0.1
standardize = true
[agents]
count = 100                    # ignored where data.agent names a column
inducing = 100
batch_size = 20
hyperparameters = "collective" # "fixed" | "local"
lengthscale = [1.0, 0.5]       # a number or one per feature; the starting point where learned
signal_variance = 1.0
noise_variance = 0.1
encoding = "transport"         # "importance" | "stale"
shared = "function"            # "latent"
[network]
topology = "small-world"       # or a file: "roads.graphml", "edges.csv"
[fusion]
rule = "tree"                  # "consensus" | "none" | "central"
rounds_per_step = "converge"   # communication rounds after each round of learning: a number, or until the fixed point
[run]
rounds = 30                    # "all" uses every training observation exactly once
seed = 0
probes = 20                    # agents whose predictions are evaluated and stored
"""
AIRLINE: dict[str, Any] = {"data": {"source": "airline"}}


def write(folder: Path, text: str, name: str = "points.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(mapping: dict[str, Any], *overrides: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        resolve(mapping, "m.toml", overrides)
    return caught.value.problems


def only_problem(mapping: dict[str, Any], *overrides: str) -> str:
    (problem,) = problems(mapping, *overrides)
    return problem


def with_keys(section: str, **keys: Any) -> dict[str, Any]:
    return {**AIRLINE, section: {**AIRLINE.get(section, {}), **keys}}
