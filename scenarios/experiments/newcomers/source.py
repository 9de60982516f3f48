"""What a source of tasks is: owners whose evidence is known, and newcomers with few rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from coolgp.agents.base.arrays import Array
from coolgp.fusion.personalise.learning import learn
from coolgp.fusion.personalise.starting import Learner, StartingPoint

__all__ = ["Newcomer", "TaskSource", "Tasks"]


@dataclass(frozen=True)
class Newcomer:
    """A task with rows x ``[n, D]``, y ``[n]`` to learn from, as many as are ever seen, and others to predict.

    observed: whether y_test are rows with noise, or else values of the function.
    """

    name: str
    x: Array
    y: Array
    x_test: Array
    y_test: Array
    observed: bool


@dataclass(frozen=True)
class Tasks:
    """A draw. start: what newcomers start from."""

    start: StartingPoint
    newcomers: tuple[Newcomer, ...]


class TaskSource(Protocol):
    """Where tasks come from: its fields are its settings."""

    extra: ClassVar[tuple[str, ...]]
    """Packages that it needs and the package comes without, by the name of the extra that brings them."""
    paired_by: ClassVar[Literal["draw", "newcomer"]]
    """What differences between methods are averaged in before their interval is formed."""
    error_words: ClassVar[str]
    """What the error is of, with its unit."""
    remarks: ClassVar[tuple[str, ...]]
    """What has to be said of its tasks, in sentences."""

    @property
    def owners(self) -> int:
        """How many there are, in every draw."""
        ...

    @property
    def groups(self) -> tuple[str, ...]:
        """Relations of the tasks, by name: each is drawn and scored by itself."""
        ...

    def drawn(self, group: str, seed: int, examples: int, learner: Learner = learn) -> Tasks:
        """Draw tasks of a group, whose newcomers have so many rows at most; learner: of the owners' population.

        Raises ValueError where they cannot, on all ranks alike. Collective.
        """
        ...
