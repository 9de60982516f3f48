"""What agents observe in a round: rows in memory, or rows made a few agents at a time, where they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.blocks import FEW, map_slices, slices_of

__all__ = ["Batch", "Deferred", "Observations", "StandIn", "gathered", "joined", "map_batches", "stood_in"]

Result = TypeVar("Result")

JOINED = 8
"""Blocks whose rows are made and joined at once, where blocks are many: for each alone it would be 5 % of folding."""


@dataclass(frozen=True)
class StandIn:
    """Gaussian rows that stand for others: target ``[A, B]``, and root ``[A, B]``, the square roots of their weights.

    A row of weight ``w`` has the noise variance ``σ_η² / w``.
    """

    target: Array
    root: Array

    def __getitem__(self, agents: slice | Indices) -> StandIn:
        return StandIn(self.target[agents], self.root[agents])


@dataclass(frozen=True)
class Batch:
    """New observations of ``A`` agents: x ``[A, B, D]``, y ``[A, B]``, mask ``[A, B]`` (one where a row is real).

    Agents may get batches of different sizes, or none: rows with mask zero count for nothing. stand_in: the Gaussian
    rows that stand for these, where the likelihood is another; None where they stand for themselves.
    """

    x: Array
    y: Array
    mask: Array
    stand_in: StandIn | None = None

    def __post_init__(self) -> None:
        if not (self.x.ndim == 3 and self.x.shape[:2] == self.y.shape == self.mask.shape):
            raise ValueError(
                "a batch needs x [A,B,D], y [A,B] and mask [A,B]; "
                f"got {self.x.shape}, {self.y.shape} and {self.mask.shape}"
            )

    def __getitem__(self, agents: slice | Indices) -> Batch:
        return Batch(self.x[agents], self.y[agents], self.mask[agents], self.stand_in and self.stand_in[agents])

    @property
    def target(self) -> Array:
        """The targets that sums are of, ``[A, B]``."""
        return self.stand_in.target if self.stand_in else self.y

    @property
    def scale(self) -> Array:
        """What features and targets of rows are multiplied by, ``[A, B]``: 0 where there is no row."""
        return self.mask * self.stand_in.root if self.stand_in else self.mask

    def cast(self, dtype: np.dtype[Any]) -> Batch:
        """The same numbers in another precision; the mask stays double, for sums of it are counts."""
        return replace(self, x=self.x.astype(dtype, copy=False), y=self.y.astype(dtype, copy=False))

    @property
    def rows(self) -> int:
        """``B``."""
        return int(self.y.shape[1])

    @property
    def cuts(self) -> None:
        """Rows that are there can be divided anywhere, see :class:`Observations`."""
        return

    @property
    def count(self) -> Array:
        """Observations per agent ``[A]``."""
        count: Array = self.mask.sum(-1)
        return count


class Observations(Protocol):
    """New observations of ``A`` agents: a :class:`Batch`, or one that is yet to be made."""

    @property
    def rows(self) -> int:
        """``B``."""

    @property
    def count(self) -> Array:
        """Observations per agent ``[A]``."""

    @property
    def cuts(self) -> Indices | None:
        """Agents ``[C]``, ascending, the last one ``A``: rows up to one of them are best made together; None: any."""

    def __getitem__(self, agents: slice | Indices) -> Batch:
        """The rows of some agents."""

    def cast(self, dtype: np.dtype[Any]) -> Self:
        """The same numbers in another precision."""


@dataclass(frozen=True)
class Deferred:
    """A batch that is made when it is asked for, again each time. Fields as in :class:`Observations`.

    make: returns the rows of some agents. dtype: precision in which they are handed out, None for their own.
    """

    rows: int
    count: Array
    make: Callable[[slice | Indices], Batch]
    cuts: Indices | None = None
    dtype: np.dtype[Any] | None = None

    def __getitem__(self, agents: slice | Indices) -> Batch:
        made = self.make(agents)
        return made if self.dtype is None else made.cast(self.dtype)

    def cast(self, dtype: np.dtype[Any]) -> Self:
        """The same numbers in another precision."""
        return replace(self, dtype=dtype)


def joined(batches: Sequence[Observations], agents: slice | Indices) -> Batch:
    """The rows of several batches one after another, for some agents."""
    made = [batch[agents] for batch in batches]
    if len(made) == 1:
        return made[0]
    stand_ins = [batch.stand_in for batch in made if batch.stand_in]
    stand_in = StandIn(*_columns(stand_ins, "target", "root")) if stand_ins else None
    x, y, mask = _columns(made, "x", "y", "mask")
    return Batch(x, y, mask, stand_in)


def _columns(parts: Sequence[Any], *names: str) -> Iterator[Array]:
    return (np.concatenate([getattr(part, name) for part in parts], axis=1) for name in names)


def stood_in(batches: Sequence[Batch], stand_in: StandIn) -> tuple[Batch, ...]:
    """The batches with the Gaussian rows that stand for theirs, which come one batch after another ``[A, ΣB]``."""
    ends = np.cumsum([batch.rows for batch in batches])[:-1]
    targets, roots = (np.split(of, ends, axis=1) for of in (stand_in.target, stand_in.root))
    return tuple(replace(batch, stand_in=StandIn(*of)) for batch, *of in zip(batches, targets, roots, strict=True))


def map_batches(
    work: Callable[[slice, Batch], Result], batches: Sequence[Observations], agents: int, size: int
) -> list[Result]:
    """Apply ``work`` to slices of agents, of which each needs ``size`` bytes, and their rows; results in order.

    Rows are made once, for slices between two cuts together.
    """

    def between_cuts(piece: slice) -> list[Result]:
        made = joined(batches, piece)
        blocks = slices_of(piece.stop - piece.start, size)
        return [work(slice(piece.start + block.start, piece.start + block.stop), made[block]) for block in blocks]

    pieces = _between(next((batch.cuts for batch in batches if batch.cuts is not None), None), agents, size)
    return [result for results in map_slices(between_cuts, pieces) for result in results]


def gathered(batch: Observations, agents: int) -> Batch:
    """All rows at once, made side by side on this rank's cores: for who looks at them more than once."""
    if isinstance(batch, Batch):
        return batch
    one = batch[:1]
    x, y, mask = (np.empty((agents, *of.shape[1:]), dtype=of.dtype) for of in (one.x, one.y, one.mask))

    def put(some: slice, rows: Batch) -> None:
        x[some], y[some], mask[some] = rows.x, rows.y, rows.mask

    map_batches(put, [batch], agents, max(1, one.x[:1].nbytes))
    return Batch(x, y, mask)


def _between(cuts: Indices | None, agents: int, size: int) -> list[slice]:
    """Slices that end at cuts, each of about as many agents as fit a block, or of the fewest that cuts allow.

    Without cuts each is of a few whole blocks, as long as that leaves enough slices for all cores.
    """
    plain = slices_of(agents, size)
    if len(plain) < 2:
        return plain
    if cuts is None:
        width = plain[0].stop * max(1, min(JOINED, len(plain) // (4 * FEW)))
        return [slice(start, min(start + width, agents)) for start in range(0, agents, width)]
    width = plain[0].stop
    ends = cuts[np.append(np.diff((cuts - 1) // width) > 0, True)].tolist()
    return [slice(start, stop) for start, stop in zip([0, *ends[:-1]], ends, strict=True)]
