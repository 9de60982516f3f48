"""Agents that draw what they observe as they go: sensors at fixed places, which read a random field in every round.

No table of all rows exists. A rank draws the rows of its own agents, keyed by block and round, so that a run is the
same on any number of ranks and may be of any length and size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coolgp.agents.blocks import map_tasks
from coolgp.agents.model import Batch
from coolgp.network.partition import block_size
from coolgp.network.randomness import generator
from coolgp.network.shard import Shard
from coolgp.scenarios.dataset import Dataset, Floats, Numbered, misshapen
from coolgp.scenarios.fields import draw_function, reflected, square_grid
from coolgp.scenarios.scaler import Scaler
from coolgp.scenarios.surface import Surface, surface_of

__all__ = ["Sensing", "SensingStream", "sensors"]

AT_ONCE = 1 << 14  # rows worked on at a time: they stay in the cache


@dataclass(frozen=True)
class Sensing:
    """Sensors that read a surface at points scattered about themselves, with noise; each reading is a new one."""

    surface: Surface
    positions: Floats
    """`[N,2]`, in the unit square."""
    spread: float
    """Standard deviation of a point about its sensor, before it is reflected into the square."""
    noise_std: float

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

    def pilot(self, count: int, seed: int) -> tuple[Floats, Floats]:
        """One reading of each of so many sensors drawn at random; these readings come in no batch."""
        rng = generator(seed, "sensors pilot")
        asked = rng.integers(len(self.positions), size=count)
        x, y = self.readings(self.positions[asked], rng.standard_normal((count, 1, 3)))
        return x[:, 0], y[:, 0]

    def stream(self, shard: Shard, scaler: Scaler, batch_size: int, seed: int) -> SensingStream:
        """See :class:`Training`."""
        return SensingStream(self, shard, scaler, batch_size, seed)

    def identity(self) -> tuple[NDArray[Any], ...]:
        """See :class:`Training`."""
        return self.surface.coefficients, self.positions, np.array([self.spread, self.noise_std])

    def problems(self, agents: int, width: int) -> list[str]:
        """See :class:`Training`."""
        found = misshapen({"positions": (self.positions, (agents, 2))})
        return found if width == 2 else [*found, f"features: needed 2 on a surface, got {width}"]


@dataclass(frozen=True)
class SensingStream:
    """What one rank's sensors read: every agent a whole batch in every round."""

    sensing: Sensing
    shard: Shard
    scaler: Scaler
    batch_size: int
    seed: int

    def batch(self, turn: int) -> Batch:
        """The batch of round ``turn`` (from 0), block by block of this rank's agents."""
        shape = (len(self.shard.agents), self.batch_size)
        x, y = np.empty((*shape, 2)), np.empty(shape)
        positions = self.sensing.positions[self.shard.agents]

        def fill(blocks: Sequence[tuple[int, int, int]]) -> None:
            drawn = [self._drawn(turn, *block) for block in blocks]
            rows = slice(blocks[0][1], blocks[-1][2])
            read = self.sensing.readings(positions[rows], np.concatenate(drawn))
            x[rows], y[rows] = self.scaler.inputs(read[0]), self.scaler.target(read[1])

        width = max(1, AT_ONCE // (self.batch_size * block_size(self.shard.size)))
        every = self.shard.blocks
        map_tasks(fill, [every[start : start + width] for start in range(0, len(every), width)])
        return Batch(x, y, np.ones(shape))

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
) -> Dataset:
    """Return a random field on the unit square (SE kernel, unit variance), read anew by its sensors in every round.

    Sensors sit uniformly at random and read points scattered about themselves (Gaussian, standard deviation `spread`,
    reflected into the square). Test rows are a regular `side × side` grid, `x0` running fastest; `truth` is the field
    itself there.
    """
    surface = surface_of(draw_function(seed, "sensors function", 2), lengthscale)
    positions = generator(seed, "sensors positions").uniform(0, 1, (agents, 2))
    x_test = square_grid(side)
    truth = surface(x_test)
    return Dataset(
        Sensing(surface, positions, spread, noise_std),
        x_test,
        truth + noise_std * generator(seed, "sensors test noise").standard_normal(side * side),
        features=("x0", "x1"),
        target="value",
        agents=Numbered(agents),
        positions=positions,
        truth=truth,
    )
