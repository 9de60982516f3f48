"""What over-confidence is measured by in tests, and phenomena drawn from the very model that agents hold."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from coolgp.scenarios import run
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.fields import field
from coolgp.scenarios.metrics.scores import Forecast, pit
from coolgp.scenarios.simulation.state import Probed

AGENTS, ROWS, LENGTHSCALE, NOISE_STD = 9, 6, 0.3, 0.3
Array = np.ndarray


def calibration_gap(forecast: Forecast, y: Array) -> float:
    """Area between the reliability curve and its diagonal: negative is over-confident, positive too cautious.

    ``∫ P(|2u - 1| ≤ p) - p dp = ½ - E|2u - 1|`` with the probability integral transform ``u``; it is in [-½, ½], and of
    n independent rows of a calibrated model its standard error is ``√(1/12n)``.
    """
    return float(0.5 - np.abs(2 * pit(forecast, y) - 1).mean())


def fields_of_the_model(rule: str, count: int) -> Iterator[tuple[Dataset, Probed]]:
    """Fields drawn from the agents' own prior, and what all agents say after a round of few and noisy data."""
    for seed in range(count):
        model = {"lengthscale": LENGTHSCALE, "signal_variance": 1.0, "noise_variance": NOISE_STD**2}
        agents = {"count": AGENTS, "inducing": AGENTS * ROWS, "batch_size": ROWS, "hyperparameters": "fixed", **model}
        sections = {
            "data": {"source": "field", "standardize": False},
            "agents": agents,
            "network": {"topology": "ring"},
            "fusion": {"rule": rule},
            "run": {"rounds": 1, "probes": AGENTS, "seed": seed},
        }
        drawn = field(seed, AGENTS, AGENTS * ROWS, NOISE_STD, lengthscale=LENGTHSCALE, side=20)
        probed = run(resolve(sections, "drawn from the model"), dataset=drawn)[-1].probed
        assert probed is not None
        yield drawn, probed
