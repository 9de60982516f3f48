"""Records of rounds as rows of the tables that a run keeps."""

from __future__ import annotations

import numpy as np

from coolgp.scenarios.metrics.column import HYPERPARAMETERS, METRICS, PROBES, TRAFFIC
from coolgp.scenarios.metrics.evaluated import Evaluated
from coolgp.scenarios.metrics.rows import Cell, table_rows
from coolgp.scenarios.simulation.state import Record, Simulation

__all__ = ["TABLES", "TableRows", "Tabled"]

TABLES = (METRICS, TRAFFIC, PROBES, HYPERPARAMETERS)
"""The files that grow with the rounds."""

TableRows = dict[str, list[dict[str, Cell]]]
"""Rows by the name of their file; cells are named as in its header."""


class Tabled:
    """What is known of a run that the rows of its tables need beside the records.

    labels ``[probes]``: names of the agents that are evaluated; asked ``[probes, Q]``: 1 for test rows that count.
    """

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        dataset, probes = simulation.dataset, simulation.probes
        owner = dataset.test_owner
        asked = np.ones((probes.size, dataset.y_test.size)) if owner is None else probes[:, None] == owner
        self.asked = asked.astype(float)
        self.labels = np.array([dataset.agents[probe] for probe in probes])

    def rows(self, record: Record) -> TableRows:
        """What a round adds to each table."""
        of_all, of_probes = table_rows(self._evaluated(record))
        return {**{name: [dict(row)] for name, row in of_all.items()}, PROBES: of_probes}

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
