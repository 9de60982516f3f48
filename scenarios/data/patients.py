"""Patients: how far diabetes went on within a year (442, Efron et al., Annals of Statistics 2004), and tumours of the
breast by what their cells look like (569, Street, Wolberg & Mangasarian, SPIE 1993)."""

from __future__ import annotations

import numpy as np

from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.data.table import Table

__all__ = ["load_breast_cancer", "load_diabetes"]


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


def load_breast_cancer(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Table:
    """The table that comes with scikit-learn: 30 features of cells, malignant or benign."""
    from sklearn import datasets

    bunch = datasets.load_breast_cancer()
    return Table(
        x=np.asarray(bunch.data, dtype=float),
        y=np.asarray(bunch.target, dtype=float),
        features=tuple(name.replace(" ", "_") for name in bunch.feature_names),
        target="tumour",
        classes=tuple(map(str, bunch.target_names)),
    )
