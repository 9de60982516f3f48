"""Diabetes: how far the disease went on within a year, of 442 patients (Efron et al., Annals of Statistics 2004)."""

from __future__ import annotations

import numpy as np

from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.data.table import Table

__all__ = ["load_diabetes"]


def load_diabetes(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Table:
    """The table that comes with scikit-learn: ten features of one scale, and a score of progression from 25 to 346."""
    from sklearn import datasets

    bunch = datasets.load_diabetes()
    return Table(
        x=np.asarray(bunch.data, dtype=float),
        y=np.asarray(bunch.target, dtype=float),
        features=tuple(bunch.feature_names),
        target="progression",
    )
