"""Records of rounds as rows of the tables that a run keeps, and as what is written after the last of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.scenarios.config.scenario import DEFAULT_KIND
from coolgp.scenarios.metrics.column import HYPERPARAMETERS, METRICS, PROBES, TRAFFIC
from coolgp.scenarios.metrics.evaluated import Evaluated
from coolgp.scenarios.metrics.rows import Cell, header, table_rows
from coolgp.scenarios.simulation.state import Probed, Record, Simulation

__all__ = ["TableRows", "Tabled", "TabledNumbers", "probe_labels"]

TABLES = (METRICS, TRAFFIC, PROBES, HYPERPARAMETERS)
"""The files that grow with the rounds."""

TableRows = dict[str, list[dict[str, Cell]]]
"""Rows by the name of their file; cells are named as in its header."""


class Tabled(Protocol):
    """Records of one run as what its folder holds: by what agents learn. kind: of scenarios that leave it."""

    kind: ClassVar[str]

    def __init__(self, simulation: Simulation) -> None: ...

    @property
    def simulation(self) -> Simulation:
        """The run."""

    @property
    def labels(self) -> Array:
        """Names of the agents that are evaluated ``[probes]``."""

    @property
    def headers(self) -> Mapping[str, Sequence[str]]:
        """The columns of the tables that grow with the rounds, by the names of their files."""

    def rows(self, record: Record) -> TableRows:
        """What a round adds to each table."""

    def predictions(self, probed: Probed) -> dict[str, Array]:
        """The arrays of ``predictions.npz``, of the last round."""

    def at_end(self, probed: Probed) -> TableRows:
        """Tables of the last round alone."""


class TabledNumbers:
    """Records of agents that learn numbers; methods as of `Tabled`. asked ``[probes, Q]``: 1 for test rows that count.

    labels ``[probes]``: names of the agents that are evaluated.
    """

    kind: ClassVar[str] = DEFAULT_KIND

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        dataset, probes = simulation.dataset, simulation.probes
        owner = dataset.test_owner
        asked = np.ones((probes.size, dataset.y_test.size)) if owner is None else probes[:, None] == owner
        self.asked = asked.astype(float)
        self.labels = probe_labels(simulation)
        self.headers = {name: header(name, dataset.features) for name in TABLES}

    def rows(self, record: Record) -> TableRows:
        """What a round adds to each table."""
        of_all, of_probes = table_rows(self._evaluated(record))
        return {**{name: [dict(row)] for name, row in of_all.items()}, PROBES: of_probes}

    def predictions(self, probed: Probed) -> dict[str, Array]:
        """Means and variances at the test rows."""
        dataset = self.simulation.dataset
        truth = {} if dataset.truth is None else {"truth": dataset.truth}
        return {
            "x_test": dataset.x_test,
            "y_test": dataset.y_test,
            "agents": self.labels,
            "mean_pre": probed.pre.mean,
            "variance_pre": probed.pre.variance,
            "mean_post": probed.post.mean,
            "variance_post": probed.post.variance,
            "asked": self.asked.astype(bool),
            **truth,
        }

    def at_end(self, probed: Probed) -> TableRows:
        """None."""
        return {}

    def _evaluated(self, record: Record) -> Evaluated:
        probed, dataset = record.probed, self.simulation.dataset
        assert probed is not None
        layout, theta, tested = self.simulation.shared_start.model.layout, probed.theta, probed.tested
        return Evaluated(
            round=record.round,
            observations=record.observations,
            agents=self.labels,
            features=dataset.features,
            before=probed.pre,
            after=probed.post,
            y_test=dataset.y_test[tested],
            asked=self.asked[:, tested],
            always=np.searchsorted(tested, self.simulation.tested),
            truth=None if dataset.truth is None else dataset.truth[tested],
            sent=record.sent,
            present=record.present,
            counted=probed.counted,
            fusion_error=record.error,
            seconds=record.seconds,
            seconds_predicting=probed.seconds,
            bound=probed.bound,
            effective_sample_size=probed.sample_size,
            inducing=np.full(len(theta), float(probed.basis.size)),
            forged=probed.forged,
            uncovered=probed.uncovered,
            lengthscale=layout.lengthscale(theta),
            signal_variance=layout.signal_variance(theta),
            noise_variance=layout.noise_variance(theta),
        )


def probe_labels(simulation: Simulation) -> Array:
    """Names of the agents that are evaluated ``[probes]``."""
    return np.array([simulation.dataset.agents[probe] for probe in simulation.probes])
