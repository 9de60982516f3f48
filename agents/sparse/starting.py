"""Where a sparse Gaussian process starts: hyper-parameters and inducing inputs together, by the bound of a pilot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.sparse.collapsed import Parameters, posterior_of
from coolgp.agents.sparse.fitting import Fit, Free, best_start, maximise

__all__ = ["Search", "fit_pilot", "planned_search", "spread_starts"]

WORK = 6.4e9
"""What a search may cost in all, in the units of `_work`: about 100 iterations for 2,000 rows and 100 inducing inputs,
a second of one core."""
MOST, FEWEST = 150, 10
"""Iterations of a search, whatever they cost."""
MOVING = 20
"""Iterations from which inducing inputs move too: fewer are spent better on hyper-parameters alone."""
ROWS_EACH = 2
"""Rows of the pilot for each inducing input from which these move: with fewer they lie among the rows as it is."""
LOST = 0.1
"""A search has collapsed where it ends with less than this share of what its start explained of the target: a larger
bound that calls everything noise is no model to go on from."""
NOISIER = 4.0
"""A sparse model explains less than the exact one: one of the starts has so many times its noise variance."""


@dataclass(frozen=True)
class Search:
    """How long a search for a start goes on, and whether inducing inputs move in it."""

    iterations: int
    moves: bool


def planned_search(rows: int, inducing: int, width: int, iterations: int | None = None) -> Search:
    """The search for so many rows, inducing inputs and inputs: a function of these alone, never of the clock.

    iterations: how many, where that is not to follow from the sizes.

    >>> planned_search(2000, 100, 8), planned_search(2000, 1000, 8)
    (Search(iterations=97, moves=True), Search(iterations=10, moves=False))
    """
    affordable = int(WORK / _work(rows, inducing, width))
    chosen = int(np.clip(affordable, FEWEST, MOST)) if iterations is None else iterations
    return Search(chosen, chosen >= MOVING and rows >= ROWS_EACH * inducing)


def _work(rows: int, inducing: int, width: int) -> float:
    """Multiplications of an iteration; the kernel's values count for as many as were measured."""
    return rows * inducing * (inducing + 200.0 + 4.0 * width) + inducing**3 / 3.0


def spread_starts(begin: Parameters, plain: Parameters, inputs: Sequence[Array], free: Free) -> list[Parameters]:
    """Starts to choose from: hyper-parameters of `begin`, more noisy ones and plain ones, with each of the inputs.

    free: which of lengthscales, signal and noise variance are sought; the others are alike in all starts.
    """
    noisier = replace(begin, noise_variance=begin.noise_variance * (NOISIER if free[2] else 1.0))
    variants = [begin, noisier, plain] if any(free) else [begin]
    return [replace(variant, inducing_inputs=z) for z, variant in product(inputs, variants)]


def fit_pilot(
    x: Array,
    y: Array,
    starts: Sequence[Parameters],
    kernel: Kernel,
    jitter: float,
    search: Search,
    free: Free = (True, True, True),
    watch: Callable[[int], None] | None = None,
) -> Fit:
    """Maximise the bound of rows x ``[n, D]``, y ``[n]`` from the best of the starts; its own units are kept.

    watch: called after each iteration with its number. The bound is never below that of any start. Where the search
    collapses, inducing inputs stay in another one, and where that collapses too the start is kept. Raises ValueError
    where no start has a kernel matrix that can be factorised.
    """
    unit, height = _spread(x), float(_spread(y[:, None])[0])
    x, y = x / unit, y / height
    scaled = [_in_units(start, 1.0 / unit, 1.0 / height) for start in starts]
    start = best_start(x, y, scaled, kernel, jitter)
    useful = LOST * _explained(x, y, start, kernel, jitter)
    for moves in dict.fromkeys((search.moves, False)):
        fit = maximise(x, y, start, kernel, jitter, search.iterations, move_inputs=moves, free=free, watch=watch)
        if _explained(x, y, fit.parameters, kernel, jitter) >= useful:
            return replace(fit, parameters=_in_units(fit.parameters, unit, height))
    kept = maximise(x, y, start, kernel, jitter, 0, free=free)
    return replace(kept, parameters=_in_units(start, unit, height))


def _explained(x: Array, y: Array, at: Parameters, kernel: Kernel, jitter: float) -> float:
    """The share of the squared target that the posterior mean explains; at least 0."""
    mean, _ = posterior_of(x, y, at, kernel, jitter).predict(x, kernel)
    return max(0.0, 1.0 - float(np.square(y - mean).sum() / np.square(y).sum()))


def _spread(values: Array) -> Array:
    """Standard deviation of each column ``[D]``, 1 of a column that is constant but for rounding."""
    deviation = values.std(axis=0)
    return np.where(deviation > 1e-10 * np.abs(values).max(axis=0), deviation, 1.0)


def _in_units(at: Parameters, unit: Array, height: float) -> Parameters:
    """The same parameters where inputs are counted in so many ``[D]`` and targets in so many of the new units."""
    return Parameters(
        inducing_inputs=at.inducing_inputs * unit,
        lengthscale=at.lengthscale * unit,
        signal_variance=at.signal_variance * height**2,
        noise_variance=at.noise_variance * height**2,
    )
