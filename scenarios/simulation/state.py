"""Records of a run: its parts, the state from one round to the next, and what the root records of a round."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.batches import StandIn
from coolgp.agents.features.basis import Basis
from coolgp.agents.population import Population
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.rule import FusionRule, State
from coolgp.network.delivery import Meter
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport
from coolgp.scenarios.base.arrays import Ints
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.metrics.scores import Forecast
from coolgp.scenarios.simulation.initialisation import SharedStart

__all__ = ["Kept", "Probed", "Record", "RunState", "Simulation", "Step", "sent_so_far"]


@dataclass(frozen=True, kw_only=True)
class Probed:
    """The probes' answers on the root, in the order of their ids.

    pre: from their own statistics alone; post: after the exchange. theta ``[probes, K]``; bound ``[probes]``: nats per
    observation that they know of; evidence ``[probes, P]``: packed; counted ``[probes]``: agents that each has counted,
    itself among them; NaN for a rule without any; sample_size ``[probes]``: effective, of importance weights, NaN
    elsewhere; forged ``[probes]``: 1 where sums hold false messages, NaN where nobody looked; uncovered ``[probes]``:
    share of the round's rows that the inducing inputs cover too little; basis: these, as they are now; tested ``[Q]``:
    the test rows that they were asked at, ascending, of all that there are; seconds: what asking them took, on this
    rank.
    """

    pre: Forecast
    post: Forecast
    theta: Array
    bound: Array
    evidence: Array
    counted: Array
    sample_size: Array
    forged: Array
    uncovered: Array
    basis: Basis
    tested: Ints
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a few probes predict after a round at inputs that show the domain, kept to be drawn.

    agents ``[kept]``: their global ids; x ``[V, D]``: the inputs, in original units; pre, post as of `Probed`.
    """

    agents: Ints
    x: Array
    pre: Forecast
    post: Forecast


@dataclass(frozen=True, kw_only=True)
class Record:
    """A round after which the probes were evaluated, as the root sees it.

    round: from 1, of ``rounds``. observations: by all agents so far. sent: by all agents since the last record, what
    probes asked of others to predict among it. present: agents in the network. error: how far agents are from the sum
    of all they know, see :class:`EvidenceRule`; NaN without sums. seconds: of learning and fusion since the last
    record; evaluating the probes is not in it. probed: answers of the probes, or None in an older record.
    spanned: rounds since the last record, or since the run was resumed. kept: predictions to be drawn, where the
    scenario asks for them; None in an older record.
    """

    round: int
    rounds: int
    observations: int
    probed: Probed | None
    sent: Meter
    present: int
    error: float
    seconds: float
    spanned: int = 1
    kept: Kept | None = None


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """All parts of a run, on this rank.

    links: of the topology, those that the rule uses. probes: global ids ``[probes]`` over all ranks, ascending. tested
    ``[Q']``: the test rows that they are asked at in rounds before the last, see `tested_rows`.
    """

    scenario: Scenario
    dataset: Dataset
    shared_start: SharedStart
    topology: Topology
    links: Topology
    transport: Transport
    rule: FusionRule
    probes: Ints
    tested: Ints
    guarantee: Guarantee
    faults: Faults

    @property
    def rounds(self) -> int:
        """Of learning."""
        scenario = self.scenario
        return scenario.run.learning_rounds(self.dataset.training.most, scenario.agents.batch_size)


@dataclass(frozen=True, kw_only=True)
class RunState:
    """What one round hands to the next, on this rank; the state of the transport goes with it.

    turn: the next round, from 0. seen: observations by all agents so far. waiting: how many of the last batches are not
    yet part of the population's sums; stand_in: the Gaussian rows that stand for theirs ``[A, ΣB]``, None where they
    stand for themselves. The loop reuses the arrays: they are valid until the next round.
    """

    turn: int
    seen: int
    population: Population
    state: State
    waiting: int = 0
    stand_in: StandIn | None = None


@dataclass(frozen=True)
class Step:
    """Between two rounds: the record of the last one, on the root (None elsewhere), and the state for the next."""

    record: Record | None
    run_state: RunState


def sent_so_far(transport: Transport) -> Meter:
    """What all agents have sent so far; rounds are counted on each rank alike. Collective."""
    own = asdict(transport.meter)
    counts = transport.total(np.array(list(own.values()))).tolist()
    return Meter(**dict(zip(own, counts, strict=True)) | {"rounds": transport.meter.rounds})
