"""Where a sparse Gaussian process starts: hyper-parameters and inducing inputs together, by the bound of a pilot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.sparse.collapsed import Parameters, explained_share
from coolgp.agents.sparse.fitting import Fit, Free, best_start, maximise
from coolgp.agents.sparse.rows import Rows
from coolgp.agents.sparse.together import in_blocks

__all__ = ["PilotFit", "Search", "fit_pilot", "planned_search", "search_from", "spread_starts"]

WORK = 6.4e9
"""What a search may cost in all, in the units of `_work`: about 100 iterations for 2,000 rows and 100 inducing inputs,
a second of one core."""
MOST_WORK = 2e10
"""What it may cost where inducing inputs can move then: up to three seconds."""
MOST, FEWEST = 150, 10
"""Iterations of a search, whatever they cost."""
MOVING = 20
"""Iterations from which inducing inputs move too: fewer are spent better on hyper-parameters alone."""
ROWS_EACH = 2
"""Rows of the pilot for each inducing input from which these move: with fewer they lie among the rows as it is."""
ENOUGH = 1e-6
"""Nats per row that an iteration must gain for the search to go on."""
LOST = 0.1
"""A search has collapsed where it ends with less than this share of what its start explained of the target: a larger
bound that calls everything noise is no model to go on from."""
GLANCE = 20
"""Iterations of a search from the next best hyper-parameters, before it is given up or goes on: not in searches
of less than twice as many, in which fewer would not tell."""
NOISIER = 4.0
"""A sparse model explains less than the exact one: one of the starts has so many times its noise variance."""


@dataclass(frozen=True)
class PilotFit:
    """Where a search ended. start: what it began from; chosen: its place; moved: whether inducing inputs did.

    collapsed: whether a search ended at a model that calls nearly everything noise, and was given up.
    """

    fit: Fit
    start: Parameters
    moved: bool
    collapsed: bool
    chosen: int = 0


@dataclass(frozen=True)
class Search:
    """How long a search for a start goes on, and whether inducing inputs move in it."""

    iterations: int
    moves: bool


def planned_search(rows: int, inducing: int, width: int, iterations: int | None = None) -> Search:
    """The search for so many rows, inducing inputs and inputs: a function of these alone, never of the clock.

    iterations: how many, where that is not to follow from the sizes.

    >>> [planned_search(2000, inducing, 8) for inducing in (100, 500, 1000)]  # doctest: +NORMALIZE_WHITESPACE
    [Search(iterations=95, moves=True), Search(iterations=20, moves=True), Search(iterations=10, moves=False)]
    """
    each = _work(rows, inducing, width)
    least = MOVING if MOVING * each <= MOST_WORK else FEWEST
    chosen = int(np.clip(int(WORK / each), least, MOST)) if iterations is None else iterations
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
) -> PilotFit:
    """Inducing inputs and hyper-parameters moved together to the maximum of the bound, from the best of several starts.

    x ``[n, D]``, y ``[n]``: rows, in whatever units they have. watch: called after each iteration with its number. The
    bound is never below that of any start. Where the search collapses, inducing inputs stay in another one, and where
    that collapses too the start is kept. Raises ValueError where no start has a kernel matrix that can be factorised.
    """
    origin, unit, height = x.mean(axis=0), _spread(x), float(_spread(y[:, None])[0])
    x, y = (x - origin) / unit, y / height  # distances keep their digits wherever the origin is
    scaled = [_in_units(_moved(start, -origin), 1.0 / unit, 1.0 / height) for start in starts]
    found = search_from(in_blocks(x, y, len(starts[0].inducing_inputs)), scaled, kernel, jitter, search, free, watch)
    end = _moved(_in_units(found.fit.parameters, unit, height), origin)
    kept = _kept(end, starts[found.chosen], free, found.moved)
    return replace(found, fit=replace(found.fit, parameters=kept), start=starts[found.chosen])


def search_from(
    rows: Rows,
    starts: Sequence[Parameters],
    kernel: Kernel,
    jitter: float,
    search: Search,
    free: Free = (True, True, True),
    watch: Callable[[int], None] | None = None,
) -> PilotFit:
    """The same of rows that have a zero mean and unit variance, whoever holds them; arguments as in `fit_pilot`."""
    task = _Task(rows, kernel, jitter, search, free, watch)
    start = task.best(starts)
    found = task.searched(start)
    others = [other for other in starts if not np.array_equal(other.lengthscale, start.lengthscale)]
    if others and search.iterations >= 2 * GLANCE and task.overtakes(others, found.fit.bound):
        found = max(found, task.searched(task.best(others)), key=lambda of: of.fit.bound)
    return replace(found, chosen=next(i for i, candidate in enumerate(starts) if candidate is found.start))


@dataclass(frozen=True, eq=False)
class _Task:
    """What is searched for, and how; see `fit_pilot`."""

    rows: Rows
    kernel: Kernel
    jitter: float
    search: Search
    free: Free
    watch: Callable[[int], None] | None

    def best(self, starts: Sequence[Parameters]) -> Parameters:
        """The start with the largest bound."""
        return best_start(self.rows, starts, self.kernel, self.jitter)

    def searched(self, start: Parameters) -> PilotFit:
        """The search from one start; with fewer liberties where it collapses."""
        useful = LOST * self._explained(start)
        planned = (self.search.iterations, self.search.moves)
        attempts = dict.fromkeys([planned, (self.search.iterations, False), (0, False)])
        for iterations, moves in attempts:
            fit = self._fit(start, iterations, moves, self.watch)
            if not iterations or self._explained(fit.parameters) >= useful:
                break
        return PilotFit(fit=fit, start=start, moved=moves, collapsed=(iterations, moves) != planned)

    def overtakes(self, starts: Sequence[Parameters], bound: float) -> bool:
        """Whether a short search from one of these starts, below another at first, is above where that one's ended.

        The exact evidence of few rows can leave an input out that matters, and the search on the bound stays without
        it.
        """
        try:
            start = self.best(starts)
        except ValueError:
            return False
        return self._fit(start, GLANCE, self.search.moves).bound > bound

    def _fit(self, start: Parameters, iterations: int, moves: bool, watch: Callable[[int], None] | None = None) -> Fit:
        return maximise(
            self.rows,
            start,
            self.kernel,
            self.jitter,
            iterations,
            move_inputs=moves,
            free=self.free,
            tolerance=ENOUGH,
            watch=watch,
        )

    def _explained(self, at: Parameters) -> float:
        return explained_share(self.rows, at, self.kernel, self.jitter)


def _kept(end: Parameters, start: Parameters, free: Free, moves: bool) -> Parameters:
    """The end of a search, with the start's own numbers, to the bit, where these were not sought."""
    return Parameters(
        inducing_inputs=end.inducing_inputs if moves else start.inducing_inputs,
        lengthscale=end.lengthscale if free[0] else start.lengthscale,
        signal_variance=end.signal_variance if free[1] else start.signal_variance,
        noise_variance=end.noise_variance if free[2] else start.noise_variance,
    )


def _spread(values: Array) -> Array:
    """Standard deviation of each column ``[D]``, 1 of a column that is constant but for rounding."""
    deviation = values.std(axis=0)
    return np.where(deviation > 1e-10 * np.abs(values).max(axis=0), deviation, 1.0)


def _moved(at: Parameters, by: Array) -> Parameters:
    """The same parameters where inputs are counted from an origin that lies so far ``[D]`` below."""
    return replace(at, inducing_inputs=at.inducing_inputs + by)


def _in_units(at: Parameters, unit: Array, height: float) -> Parameters:
    """The same parameters where inputs are counted in so many ``[D]`` and targets in so many of the new units."""
    return Parameters(
        inducing_inputs=at.inducing_inputs * unit,
        lengthscale=at.lengthscale * unit,
        signal_variance=at.signal_variance * height**2,
        noise_variance=at.noise_variance * height**2,
    )
