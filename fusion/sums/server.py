"""A central server to which agents report over lines that fail, to compare decentralised rules with.

With reports that are sent once it is the server of the paper's comparison (dDTC in COOL-GP, AAAI-19, experiments): it
adds what reaches it, and what is lost on the way is lost for good.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coolgp.fusion.guarantee import FaultTolerance, Guarantee, Rows
from coolgp.fusion.sums.base import SumRule
from coolgp.network.base.arrays import Array
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.row_axes import PerAgent
from coolgp.network.transport import Transport

__all__ = ["Server", "ServerState"]

AWAY = "an agent that is away does not report, and uses the last answer that it received"
STANDS = FaultTolerance(
    reaches="exact",
    why="a server that nothing is lost on the way to adds up",
    stands=dict.fromkeys(("delay", "bandwidth", "moving links", "one-way links", "byzantine agents"), ""),
    breaks={
        "total loss": "no report ever arrives",
        "loss": "every report is sent once: what is lost on the way is lost for good",
        "churn": AWAY,
        "absence": AWAY,
    },
)
"""The lines between agents and server lose messages, and carry none of an agent that is away; nothing else fails."""
REPORTED_AGAIN = (
    "every agent reports all it has in each round, until the server has received it and the agent the answer"
)


@dataclass(frozen=True)
class ServerState:
    """Both ends of each agent's line.

    reported ``[A, P]``: what the agent has sent; heard ``[A, P]``: what of it the server received; answer ``[A, P]``:
    the last sum that the agent received, before that its own contribution; answered ``[A]`` bool.
    """

    reported: PerAgent
    heard: PerAgent
    answer: PerAgent
    answered: PerAgent


@dataclass(frozen=True)
class Server(SumRule):
    """Every agent reports to a server, which adds up and answers each: two messages an agent and round.

    repeat: whether an agent reports all it has in each round, and the server keeps its newest report; if not, it
    reports once what is new since its last report. An agent that is away neither reports nor receives.
    """

    repeat: bool = False

    def stands(self) -> FaultTolerance:
        """Losses too, where reports are repeated."""
        return replace(STANDS, stands={**STANDS.stands, "loss": REPORTED_AGAIN}) if self.repeat else STANDS

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """Exact while nothing is lost, or is reported again."""
        kind, why = self.stands().under(faults)
        return Guarantee(
            kind,
            why,
            rounds=1,
            messages=2.0 * topology.size,
            exchanging=Rows(12.0),
            settling=Rows(12.0 if self.repeat and not faults.perfect else 10.0),
        )

    def begin(self, values: Array, transport: Transport) -> ServerState:
        """The server has received nothing."""
        nothing = np.zeros_like(values)
        return ServerState(nothing, nothing, values.copy(), np.zeros(len(values), dtype=bool))

    def round(self, state: ServerState, values: Array, transport: Transport) -> ServerState:
        """One report up and one answer down for every agent."""
        present = transport.present
        reported, answered_now = present & transport.reached("report"), present & transport.reached("answer")
        _count(transport, values, present, reported, answered_now)
        # Exactly 0 while nothing was lost, so that what the server has is then what the agent has, to the bit.
        missed = np.zeros_like(values) if self.repeat else state.reported - state.heard
        heard = np.where(reported[:, None], values - missed, state.heard)
        answered = state.answered | answered_now
        alone = np.where(answered[:, None], state.answer, values)
        return ServerState(
            reported=np.where(present[:, None], values, state.reported),
            heard=heard,
            answer=np.where(answered_now[:, None], transport.allsum(heard), alone),
            answered=answered,
        )

    def settle(self, state: ServerState, values: Array, transport: Transport) -> ServerState:
        """One round, since nothing would be new in another; where reports are repeated, rounds until all arrived."""
        if self.repeat and not transport.faultless:
            settled: ServerState = super().settle(state, values, transport)
            return settled
        transport.meter.rounds += 1
        return self.round(state, values, transport)

    def sums(self, state: ServerState) -> Array:
        """The last answer."""
        return state.answer


def _count(transport: Transport, values: Array, present: Array, reported: Array, answered: Array) -> None:
    """Meter a message each way for every agent that is there; a server is no rank: its lines are in memory."""
    messages = 2 * int(np.count_nonzero(present))
    size = messages * values.shape[1] * values.itemsize
    transport.meter.sent(messages, size)
    transport.meter.moved(size)
    transport.meter.lost += messages - int(np.count_nonzero(reported)) - int(np.count_nonzero(answered))
