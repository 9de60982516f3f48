"""The contract of a rule that fuses models trained apart.

A rule is a frozen dataclass of its own settings; its state is opaque to the runner. Agents speak through the transport
alone. A new rule is one file and one line in ``coolgp.fusion.apart.registry``.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, runtime_checkable

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.guarantee import Guarantee
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["ApartRule", "AsksAtInputs", "ByQueries", "KnownAfterwards", "LeavesOut", "State", "TrainsFurther"]

State = Any


class ApartRule(Protocol):
    """How models that were trained apart become one prediction."""

    def fit(self, topology: Topology, faults: Faults) -> ApartRule:
        """The rule as it goes on this network. Raises ValueError where it cannot."""
        ...

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """What the fitted rule guarantees on this network, of what it sums over the graph."""
        ...

    def links(self, topology: Topology) -> Topology:
        """The part of the graph that the rule speaks over."""
        ...

    def check(self, task: Task) -> None:
        """Raise ValueError where the rule does not fit what is predicted."""
        ...

    def init(self, members: Members, transport: Transport) -> State:
        """State before the first message. Raises ValueError for models that do not fit, on all ranks. Collective."""
        ...

    def exchange(self, state: State, members: Members, transport: Transport, rounds: int = 1) -> State:
        """So many communication rounds: in each, every agent speaks to its neighbours once. Collective."""
        ...

    def converge(self, state: State, members: Members, transport: Transport) -> State:
        """Communicate until the fixed point. Collective."""
        ...

    def fused(self, state: State, members: Members, transport: Transport) -> Fused:
        """What every agent predicts now. Collective."""
        ...


@runtime_checkable
class KnownAfterwards(Protocol):
    """A rule that looks at the test rows: no method, but what others are measured against."""

    def chosen(self, losses: Array) -> int:
        """The agent whose model everybody takes, by the losses ``[N]`` of all models on the test rows."""
        ...


@runtime_checkable
class LeavesOut(Protocol):
    """A rule that goes on where some experts failed: ``leaves_out = True``. Others are refused then.

    Answers of such an agent are NaN, and ``members.present`` says who is there.
    """

    leaves_out: ClassVar[bool]


@runtime_checkable
class ByQueries(Protocol):
    """A rule that knows experts by queries alone, ``by_queries = True``: these are capped where no number is given."""

    by_queries: ClassVar[bool]


@runtime_checkable
class AsksAtInputs(Protocol):
    """A rule that asks experts at inputs without targets that were set aside, at least so many (``least_inputs``)."""

    least_inputs: ClassVar[int]

    @property
    def inputs(self) -> int | None:
        """How many it asks at, at most; None for all that were set aside."""
        ...


@runtime_checkable
class TrainsFurther(Protocol):
    """A rule whose agents train on from what was fused, after each round but the last."""

    @property
    def local_epochs(self) -> int:
        """Passes of each agent over its rows; 0 where it trains no further."""
        ...

    def further(self, state: State, members: Members, transport: Transport, round: int) -> Members:
        """The members with models that were trained on; their answers are still the old ones. Collective."""
        ...

    def again(self, state: State, members: Members, transport: Transport) -> State:
        """The state before the first message of the next round. Collective."""
        ...
