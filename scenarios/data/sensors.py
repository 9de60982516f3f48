"""Agents that draw what they observe as they go: sensors at fixed places, which read a random field in every round.

No table of all rows exists. A rank draws the rows of its own agents, keyed by block and round, so that a run is the
same on any number of ranks and may be of any length and size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coolgp.agents.batches import Batch, Deferred
from coolgp.network.base.randomness import generator
from coolgp.network.partition import block_size
from coolgp.network.shard import Shard
from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.fields import agent_positions, on_the_square, reflected, square_grid
from coolgp.scenarios.data.functions import UnitFunction, draw_function
from coolgp.scenarios.data.scaler import Scaler
from coolgp.scenarios.data.surface import Surface, surface_of
from coolgp.scenarios.data.table import misshapen

__all__ = ["AT_ONCE", "Drifting", "Sensing", "SensingStream", "load_sensors", "sensors"]

AT_ONCE = 1 << 13
"""Rows drawn at a time: with a thousand each row takes a sixth longer, and many more do not fit in the cache."""
BUNDLES = 32
"""At least so many parts in which a rank draws its rows, where it has as many blocks."""


@dataclass(frozen=True)
class Drifting:
    """A field that changes from round to round: a draw of a GP with an SE kernel over place and time.

    Its phases move on at rates that are drawn from a normal distribution (random Fourier features of time), so that
    fields `n` rounds apart correlate by `exp(-½ (n·drift)²)`.
    """

    function: UnitFunction
    rate: Floats
    """`[F]`, radians in a round."""
    lengthscale: float

    def at(self, turn: int) -> Surface:
        """The field of round `turn`, from 0."""
        moved = replace(self.function, phase=self.function.phase + turn * self.rate)
        return surface_of(moved, self.lengthscale)


@dataclass(frozen=True)
class Sensing:
    """Sensors that read a surface at points scattered about themselves, with noise; each reading is a new one."""

    surface: Surface
    positions: Floats
    """`[N,2]`, in the unit square."""
    spread: float
    """Standard deviation of a point about its sensor, before it is reflected into the square."""
    noise_std: float
    drifting: Drifting | None = None
    """How the surface changes from that of the first round on, where it does."""

    @property
    def most(self) -> None:
        """Readings never end."""
        return

    def readings(self, positions: Floats, drawn: Floats) -> tuple[Floats, Floats]:
        """Return readings, `x [A,count,2]` and `y [A,count]`, of each sensor at `positions [A,2]`.

        drawn: `[A,count,3]` standard normal numbers.
        """
        x = reflected(positions[:, None] + self.spread * drawn[..., :2])
        return x, self.surface(x.reshape(-1, 2)).reshape(x.shape[:2]) + self.noise_std * drawn[..., 2]

    @property
    def in_order(self) -> bool:
        """See :class:`Training`."""
        return False

    def pilot(self, count: int, seed: int) -> tuple[Floats, Floats, Ints]:
        """One reading of each of so many sensors drawn at random; these readings come in no batch."""
        rng = generator(seed, "sensors pilot")
        asked = rng.integers(len(self.positions), size=count)
        x, y = self.readings(self.positions[asked], rng.standard_normal((count, 1, 3)))
        return x[:, 0], y[:, 0], asked

    def own_rows(self, agents: int, count: int, seed: int) -> Iterator[Floats]:
        """So many readings of each sensor; these readings come in no batch."""
        rng = generator(seed, "sensors own rows")
        for position in self.positions[:, None]:
            yield self.readings(position, rng.standard_normal((1, count, 3)))[0][0]

    def stream(self, shard: Shard, scaler: Scaler, batch_size: int, seed: int) -> SensingStream:
        """See :class:`Training`."""
        return SensingStream(sensing=self, shard=shard, scaler=scaler, batch_size=batch_size, seed=seed)

    def identity(self) -> tuple[NDArray[Any], ...]:
        """See :class:`Training`."""
        rates = () if self.drifting is None else (self.drifting.rate,)
        return self.surface.coefficients, self.positions, np.array([self.spread, self.noise_std]), *rates

    def at(self, turn: int) -> Sensing:
        """The same sensors, which read the surface of round `turn` (from 0)."""
        return self if self.drifting is None else replace(self, surface=self.drifting.at(turn))

    def problems(self, agents: int, width: int) -> list[str]:
        """See :class:`Training`."""
        problems = misshapen({"positions": (self.positions, (agents, 2))})
        return problems if width == 2 else [*problems, f"features: needed 2 on a surface, got {width}"]


@dataclass(frozen=True)
class SensingStream:
    """What the sensors of one rank read: a full batch of each agent in every round."""

    sensing: Sensing
    shard: Shard
    scaler: Scaler
    batch_size: int
    seed: int

    def batch(self, turn: int) -> Deferred:
        """The batch of round ``turn`` (from 0), drawn block by block of this rank's agents where it is observed."""
        count = np.broadcast_to(float(self.batch_size), len(self.shard.agents))
        make = partial(self._read, turn, self.sensing.at(turn))
        return Deferred(rows=self.batch_size, count=count, make=make, cuts=self._cuts)

    @cached_property
    def _stops(self) -> Ints:
        """Where each block ends."""
        return np.array([stop for _, _, stop in self.shard.blocks], dtype=np.int64)

    @cached_property
    def _cuts(self) -> Ints:
        """Where bundles of blocks end: of enough rows to be drawn at little cost each, of few enough for all cores."""
        enough = AT_ONCE // (self.batch_size * block_size(self.shard.size))
        bundle = max(1, min(enough, len(self._stops) // BUNDLES))
        return np.append(self._stops[bundle - 1 : -1 : bundle], self._stops[-1:])

    def _read(self, turn: int, sensing: Sensing, agents: slice | Ints) -> Batch:
        """The rows of some agents: their blocks are drawn in full, and the rows of these agents taken from them."""
        chosen = np.arange(*agents.indices(len(self.shard.agents))) if isinstance(agents, slice) else agents
        block = np.searchsorted(self._stops, chosen, side="right")
        blocks = [self.shard.blocks[number] for number in np.unique(block).tolist()]
        places = np.concatenate([np.arange(start, stop) for _, start, stop in blocks] or [chosen[:0]])
        numbers = [self._drawn(turn, *block) for block in blocks]
        drawn = np.concatenate(numbers or [np.empty((0, self.batch_size, 3))])[np.searchsorted(places, chosen)]
        x, y = sensing.readings(sensing.positions[self.shard.agents[chosen]], drawn)
        return Batch(self.scaler.inputs(x), self.scaler.target(y), np.ones(y.shape))

    def _drawn(self, turn: int, number: int, start: int, stop: int) -> Floats:
        """The standard normal numbers `[A,count,3]` behind one block's readings."""
        return generator(self.seed, "sensors readings", number, turn).standard_normal(
            (stop - start, self.batch_size, 3)
        )


def sensors(
    seed: int,
    agents: int = 2000,
    noise_std: float = 0.1,
    *,
    lengthscale: float = 0.15,
    spread: float = 0.1,
    side: int = 60,
    drift: float = 0.0,
    rounds: int = 1,
) -> Dataset:
    """Return a random field on the unit square (SE kernel, unit variance), read anew by its sensors in every round.

    Sensors sit uniformly at random and read points scattered about themselves (Gaussian, standard deviation `spread`,
    reflected into the square). Test rows are a regular `side × side` grid, `x0` running fastest; `truth` is the field
    itself there.

    drift: by how much of its length-scale in time the field changes in a round, see `Drifting`; test rows are then of
    the field in the last of so many `rounds`.
    """
    function = draw_function(seed, "sensors function", 2)
    rate = drift * generator(seed, "sensors drift").standard_normal(function.phase.shape)
    drifting = Drifting(function, rate, lengthscale) if drift else None
    surface = surface_of(function, lengthscale)
    positions = agent_positions("sensors", seed, agents)
    x_test = square_grid(side)
    sensing = Sensing(surface, positions, spread, noise_std, drifting)
    truth = sensing.at(rounds - 1).surface(x_test)
    return on_the_square("sensors", seed, sensing, positions, x_test, truth, noise_std)


def load_sensors(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Dataset:
    """The source ``sensors``, see :func:`sensors`."""
    rounds = 1 if run.rounds == "all" else run.rounds  # refused before anything runs
    return sensors(run.seed, agents.count, drift=data.drift or 0.0, rounds=rounds)
