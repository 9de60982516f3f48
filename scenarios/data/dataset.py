"""What agents observe: rows that were dealt to them, or others that are drawn in each round; and test rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, overload

from numpy.typing import NDArray

from coolgp.agents.batches import Observations
from coolgp.network.shard import Shard
from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.data.scaler import Scaler
from coolgp.scenarios.data.table import misshapen

__all__ = ["Dataset", "Numbered", "SetAside", "Stream", "Training"]


class Stream(Protocol):
    """What one rank's agents observe. It has no state: a round's batch is the same whenever it is asked for."""

    def batch(self, turn: int) -> Observations:
        """Return the batch of round ``turn`` (from 0), in scaled units."""


class Training(Protocol):
    """What agents learn from, in original units: rows dealt to them beforehand, or drawn in each round."""

    @property
    def most(self) -> int | None:
        """Rows of the agent that has most; None where they never end."""

    @property
    def in_order(self) -> bool:
        """Whether the pilot consists of the first rows, and not of random ones."""

    def pilot(self, count: int, seed: int) -> tuple[Floats, Floats, Ints]:
        """Return at most `count` random rows that all agents are given: `x [n,D]`, `y [n]`, agents `[n]`."""

    def own_rows(self, agents: int, count: int, seed: int) -> Iterator[Floats]:
        """Yield for each of so many agents at most `count` rows of its own, `x [n,D]`."""

    def stream(self, shard: Shard, scaler: Scaler, batch_size: int, seed: int) -> Stream:
        """Open what the agents of a shard observe."""

    def identity(self) -> tuple[NDArray[Any], ...]:
        """Return arrays that differ wherever what is observed differs, apart from the scenario's settings."""

    def problems(self, agents: int, width: int) -> list[str]:
        """Return the reasons why so many agents cannot learn from it with so many inputs."""


class Numbered(Sequence[str]):
    """The names "0", "1", ... of `size` agents, like a tuple of them, without making any.

    >>> names = Numbered(1_000_000)
    >>> len(names), names[-1], names[2:4], names.index("17"), "1000000" in names
    (1000000, '999999', ('2', '3'), 17, False)
    >>> Numbered(3) == ("0", "1", "2")
    True
    """

    def __init__(self, size: int) -> None:
        self._numbers = range(size)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        chosen = self._numbers[place]
        return tuple(map(str, chosen)) if isinstance(chosen, range) else str(chosen)

    def __iter__(self) -> Iterator[str]:
        return map(str, self._numbers)

    def __contains__(self, name: object) -> bool:
        plain = isinstance(name, str) and name.isascii() and name.isdecimal()
        return plain and int(str(name)) in self._numbers and str(int(str(name))) == name

    def index(self, name: str, start: int = 0, stop: int | None = None) -> int:
        """Return the place of a name; raise ValueError where there is none, as of a tuple."""
        if name not in self or int(name) not in self._numbers[start:stop]:
            raise ValueError(f"no agent is called {name!r}: they are numbered 0 to {len(self) - 1}")
        return int(name)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Numbered):
            return len(self) == len(other)
        return isinstance(other, tuple) and len(self) == len(other) and all(map(str.__eq__, self, other))

    def __hash__(self) -> int:
        return hash(self._numbers)

    def __repr__(self) -> str:
        return f"Numbered({len(self)})"


@dataclass(frozen=True)
class SetAside:
    """Rows that nobody trains on or is tested on, known to all agents; original units."""

    x_labelled: Floats
    """`[H,D]`"""
    y_labelled: Floats
    """`[H]`"""
    x_unlabelled: Floats
    """`[U,D]`, whose targets nobody knows."""


@dataclass(frozen=True)
class Dataset:
    """What agents observe, and test rows; original units, nothing scaled."""

    training: Training
    x_test: Floats
    """`[Q,D]`"""
    y_test: Floats
    """`[Q]`, noisy like what agents observe."""
    features: tuple[str, ...]
    target: str
    agents: Sequence[str]
    """`[N]`, what the agents are called: a tuple, or :class:`Numbered`."""
    positions: Floats | None = None
    """`[N,2]`"""
    truth: Floats | None = None
    """`[Q]`, without noise, where it is known."""
    views: Floats | None = None
    """`[V,D]`, inputs that show the whole domain at a glance, where test rows would not."""
    test_owner: Ints | None = None
    """`[Q]`, the agent that each test row belongs to; None where all agents are tested on all rows."""
    classes: tuple[str, ...] = ()
    """Labels of the classes, where the target is the number of one, from 0."""
    aside: SetAside | None = None
    """Rows set aside, where there are any."""
    notes: tuple[str, ...] = ()
    """What the user should know of how the rows were read."""

    def __post_init__(self) -> None:
        rows, width = len(self.y_test), len(self.features)
        tests = {"x_test": (self.x_test, (rows, width)), "y_test": (self.y_test, (rows,))}
        problems = self.training.problems(len(self.agents), width) + misshapen(tests)
        if problems:
            raise DataError(*problems)
