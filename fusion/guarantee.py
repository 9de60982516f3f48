"""What a fusion rule guarantees on a network: how near its sums come, under which faults, and what that costs.

A rule states the faults that it stands, in a :class:`FaultTolerance`; under any other fault, also one that was added
after the rule was written, it is ``approximate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from coolgp.network.links.faults import Faults, faults_present

__all__ = ["SUMMED_BYTES", "Conflict", "FaultTolerance", "Guarantee", "Kind", "Rows", "Schedule"]

Kind = Literal["exact", "asymptotic", "approximate"]
SUMMED_BYTES = 64e6
"""Of the rows that a committee sums at a time: as many queries as these hold."""


LIARS = "byzantine agents"
UNPROTECTED = (
    "false values are taken in as they are, whatever their size: one agent that lies can make fused predictions far "
    "worse than those before fusion"
)
"""Said before a run of any rule that does not stand agents that lie."""


@dataclass(frozen=True)
class Conflict:
    """Faults that a rule stands one without the other: with one of each group it is approximate, and why."""

    one: frozenset[str]
    other: frozenset[str]
    why: str


@dataclass(frozen=True)
class FaultTolerance:
    """How near a rule comes to the sum on a network without faults, and under which faults it still does.

    reaches: the kind of its guarantee there, and why. stands: by the name of each fault under which it reaches the
    same, the reason there, or an empty text where the reason is the same too. breaks: by the name of a fault that it
    does not stand, the reason, the most serious first; faults that stand in neither are not stood. conflicts: pairs of
    faults that it does not stand together.
    """

    reaches: Kind
    why: str
    stands: Mapping[str, str] = field(default_factory=dict)
    breaks: Mapping[str, str] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()

    def under(self, faults: Faults) -> tuple[Kind, str]:
        """The kind of guarantee under these faults, and the reason.

        >>> FaultTolerance("exact", "sums add up", stands={"delay": ""}).under(Faults(delay=2))
        ('exact', 'sums add up')
        >>> FaultTolerance("exact", "sums add up").under(Faults(delay=2))[1]
        'nothing is guaranteed under delay: messages are 2 communication rounds late each'
        """
        if self.reaches == "approximate":
            return self.reaches, self.why
        present = faults_present(faults)
        broken = [name for name in (*self.breaks, *present) if name in present and name not in self.stands]
        if broken:
            unknown = f"nothing is guaranteed under {broken[0]}: {present[broken[0]].words(faults)}"
            why = self.breaks.get(broken[0], unknown)
            return "approximate", f"{why}; {UNPROTECTED}" if LIARS in broken else why
        for conflict in self.conflicts:
            if conflict.one & present.keys() and conflict.other & present.keys():
                return "approximate", conflict.why
        return self.reaches, next((self.stands[name] for name in present if self.stands[name]), self.why)


@dataclass(frozen=True)
class Rows:
    """How many rows, as long as its messages, a rule has in memory at its peak: old state, new state, messages.

    The contributions of both rounds are among them and the agents' own sums are not. per_agent, per_edge: of each agent
    and each directed edge that the rule uses; per_pair: of each agent for each of all N. columns: of each agent
    on each core besides. observed: rows of data that a rule which needs them keeps of each agent, infinite for all.
    """

    per_agent: float
    per_edge: float = 0.0
    per_pair: float = 0.0
    columns: int = 0
    observed: float = 0.0

    def count(self, agents: float, edges: float, total: float | None = None) -> float:
        """Rows of so many agents and directed edges of one rank; total: agents of all ranks, default the same.

        >>> Rows(2.0, 0.5, 1.0).count(10, 20), Rows(2.0, 0.5, 1.0).count(10, 20, total=100)
        (130.0, 1030.0)
        """
        return self.per_agent * agents + self.per_edge * edges + self.per_pair * agents * (total or agents)


@dataclass(frozen=True)
class Schedule:
    """Memory of a schedule of messages that a rule makes for its network, over all ranks together.

    agent_bytes: for each agent. bytes: besides, however many agents there are.
    """

    agent_bytes: float = 0.0
    bytes: float = 0.0


@dataclass(frozen=True)
class Guarantee:
    """What a rule guarantees on a network, stated before a run.

    kind: ``exact``: every agent's sum is the true one after finitely many communication rounds; ``asymptotic``: it
    tends to the true one; ``approximate``: it need not. why: in words. rounds: communication rounds predicted to the
    rule's tolerance where nothing fails, and gap: the spectral gap that says so; None where there is no such number.
    messages: of one communication round, all agents together, of one row each; a tree sum counts as one round.
    exchanging, settling: rows in memory during communication rounds, and on the way to the fixed point. schedule:
    memory of the rule's schedule. asking: numbers of each agent for each query, where all agents predict; summing:
    likewise, of as many queries as are summed at a time.
    """

    kind: Kind
    why: str
    rounds: int | None = None
    gap: float | None = None
    messages: float = 0.0
    exchanging: Rows = Rows(10.0, 3.0)
    settling: Rows = Rows(12.0, 3.0)
    schedule: Schedule = Schedule()
    asking: float = 0.0
    summing: float = 0.0
