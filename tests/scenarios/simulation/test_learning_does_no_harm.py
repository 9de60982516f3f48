"""After a run, errors and densities of agents that learned are not above those of agents that kept the start."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from coolgp.agents.base.arrays import Array
from coolgp.agents.population import Population
from coolgp.agents.trial import promoted
from coolgp.fusion import hyperparameters
from coolgp.scenarios import run
from coolgp.scenarios.config.loading import resolve

SOURCES, SEEDS, ROUNDS = ("sensors", "synthetic", "road"), (0, 1), 50
MORE, NATS = 0.005, 0.005
"""By how much a mean of few runs may be above by chance: half a percent of the error, and about as much in density."""


def ended(source: str, seed: int, mode: str) -> Array:
    """Logarithm of the error after fusion, and negative log density."""
    sections = {
        "data": {"source": source} | ({"test_count": 300} if source == "road" else {}),
        "agents": {"count": 16, "inducing": 20, "batch_size": 5, "pilot": 200, "hyperparameters": mode},
        "network": {"topology": "small-world"},
        "run": {"rounds": ROUNDS, "evaluate_every": ROUNDS, "probes": 1, "seed": seed},
    }
    last = run(resolve(sections, source)).metrics.iloc[-1]
    return np.array([np.log(last["rmse_post"]), last["nlpd_post"]])


kept = cache(lambda source, seed: ended(source, seed, "fixed"))


def above(source: str, seed: int) -> Array:
    return ended(source, seed, "collective") - kept(source, seed)


@pytest.mark.parametrize("source", SOURCES)
def test_learning_together_ends_no_worse_than_the_start(source):
    error, nats = np.mean([above(source, seed) for seed in SEEDS], axis=0)
    assert error <= MORE
    assert nats <= NATS


def test_without_trials_it_ends_worse(monkeypatch):
    """The law above can fail: here candidates take over as they are."""

    def taken(population: Population, candidate: Array, gain: Array, patience: float = 0) -> Population:
        return replace(promoted(population, candidate, np.ones(population.size, dtype=bool)), candidate=candidate)

    monkeypatch.setattr(hyperparameters, "judged", taken)
    monkeypatch.setattr(hyperparameters, "confirmed", lambda population, candidate, gain: population)
    error, nats = above("sensors", 0)
    assert error > 10 * MORE
    assert nats > 10 * NATS
