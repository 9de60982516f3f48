"""A round after which the probes were evaluated: what every column of a run is computed from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coolgp.agents.base.arrays import Array
from coolgp.network.delivery import Meter
from coolgp.scenarios.metrics.scores import Forecast

__all__ = ["Evaluated"]


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """One evaluated round. Rounds between two evaluations count to the later one."""

    round: int
    """From 1."""
    observations: int
    """By all agents so far."""
    agents: NDArray[Any]
    """`[probes]`, their labels."""
    features: tuple[str, ...]
    """`[D]`, names of the inputs."""
    before: Forecast
    """`[probes,Q]`, by each probe's own observations alone."""
    after: Forecast
    """`[probes,Q]`, after the exchange."""
    y_test: Array
    """`[Q]`, test observations."""
    asked: Array
    """`[probes,Q]`, 1 where a test row counts for a probe, else 0."""
    always: NDArray[np.intp]
    """`[Q']`, places of the test rows that are asked in every round; the last round has more."""
    truth: Array | None
    """`[Q]`, the function without noise, where it is known."""
    sent: Meter
    """Messages of all agents since the last evaluation."""
    present: int
    """Agents in the network."""
    counted: Array
    """`[probes]`, agents whose contributions a probe's sum holds; NaN for a rule without sums."""
    fusion_error: float
    """Distance of the agents' sums from the exact ones; NaN for a rule without sums."""
    seconds: float
    """Of learning and fusion since the last evaluation."""
    seconds_predicting: float
    """Of this evaluation, on the rank that writes."""
    bound: Array
    """`[probes]`, evidence lower bound, nats per observation."""
    effective_sample_size: Array
    """`[probes]`, of importance weights; NaN without them."""
    inducing: Array
    """`[probes]`, number of inducing inputs."""
    forged: Array
    """`[probes]`, 1 where a probe's sums are none that honest agents make; NaN for a rule that does not look."""
    uncovered: Array
    """`[probes]`, share of the round's rows that the inducing inputs do not cover."""
    lengthscale: Array
    """`[probes,D]`, of scaled inputs."""
    signal_variance: Array
    """`[probes]`, of the scaled target."""
    noise_variance: Array
    """`[probes]`, of the scaled target."""

    @cached_property
    def on_same_rows(self) -> Evaluated:
        """The round as if no other test rows had been asked than in every round."""
        rows, truth = self.always, self.truth
        if len(rows) == len(self.y_test):
            return self
        return replace(
            self,
            before=self.before.at(rows),
            after=self.after.at(rows),
            y_test=self.y_test[rows],
            asked=self.asked[:, rows],
            truth=None if truth is None else truth[rows],
            always=np.arange(len(rows)),
        )
