"""SPAHM over a graph: sparse Gaussian processes of all owners, fused through inducing inputs that they match.

Inducing inputs and hyper-parameters are handed on to everybody, or matched by messages along a tree. The evidence
about the matched inputs is then a row of each owner, and any rule that sums rows adds it up.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Self
from zlib import crc32

import numpy as np
from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.task import Task
from coolgp.agents.sparse.gp import SparseGP
from coolgp.agents.statistics import repeated
from coolgp.fusion.apart.members import Fused, Members, known_to_all, require_perfect
from coolgp.fusion.apart.ways.common import Matching
from coolgp.fusion.apart.ways.gps import GP_MATCHINGS, AmongAll, GPMatching, GPsToMatch
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.matching.gps.agreement import common_prior
from coolgp.fusion.matching.gps.evidence import Noise, evidence_rows, fused_from_row
from coolgp.fusion.matching.gps.fused import Form, fused_pairs
from coolgp.fusion.matching.gps.selection import Inputs, Selection, Selector
from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.fusion.sums.base import FITTED
from coolgp.fusion.sums.carrier import CarriedRule
from coolgp.fusion.sums.counted_once import counted_once
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["MatchedGPs"]

Above = Annotated[float, Field(gt=0)]
AtLeastOne = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Matched:
    """What follows once everybody has matched.

    model: the common prior about the selected inputs, and in the published form the fused model itself. selection: of
    inputs. rows ``[A, P]``: evidence about them; inner: what the carrying rule keeps. Both are None where nothing is
    summed.
    """

    model: SparseGP
    selection: Selection
    rows: Array | None = None
    inner: Any = None


@dataclass(frozen=True)
class MatchedGPs(CarriedRule):
    """Sparse GPs whose inducing inputs are matched; evidence about the matched inputs adds up (SPAHM).

    form: "evidence", or "published": pairs of inducing input and response are matched, and predictions are made from
    the matched pairs. noise_variance: of standardised columns; more of it means fewer inputs. mass: of the prior; more
    of it means more inputs. leftover: add the variance that the matched inputs leave unexplained. nugget: variance of a
    matched response, relative to the signal's. inputs: the fused model's: "matched", or, to compare, "k-means" centres
    or a "random" choice, as many as matching finds, or "all". max_inputs: at most so many, those that tell most of the
    others. noise: of the owners' rows; "floored" at the median of all owners, or "common" to all. seed: of k-means and
    of a random choice. matching: "everyone" matches all inputs; along a "tree" agents merge what their branches found;
    a "token" goes from agent to agent, who match in turn. sweeps: how often inputs are matched again, at most; by
    default 100 for "everyone", and 1, a walk of a token, for the others. via: the rule that carries the sums, once
    inputs are matched. way: how inputs are matched, fitted to the network.
    """

    form: Form = "evidence"
    noise_variance: Above = 0.01
    mass: Above = 1.0
    leftover: bool = False
    nugget: Above = 1e-3
    inputs: Inputs = "matched"
    max_inputs: AtLeastOne | None = None
    noise: Noise = "own"
    seed: int = 0
    matching: Matching = "everyone"
    sweeps: Annotated[int, Field(ge=0)] | None = None
    way: GPMatching = field(default_factory=AmongAll, metadata=FITTED)

    def __post_init__(self) -> None:
        chooses = self.inputs != "matched" or self.max_inputs is not None
        if chooses and self.matching != "everyone":
            raise ValueError(
                "spahm needs what all owners have where inputs or max_inputs choose among it: leave matching at "
                f'"everyone"; got "{self.matching}"'
            )

    def fit(self, topology: Topology, faults: Faults) -> Self:
        """See `ApartRule`. Raises ValueError on a network that fails: all owners must match the same inputs."""
        require_perfect("spahm", faults)
        fitted = super().fit(topology, faults)
        return replace(fitted, carrier=counted_once(fitted.carrier), way=GP_MATCHINGS[self.matching]().fit(topology))

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """The carrier's, of the evidence about the matched inputs."""
        carried = self.carrier.guarantee(topology, faults)
        return replace(carried, why="; ".join(filter(None, (carried.why, self.way.why))))

    def check(self, task: Task) -> None:
        """See `ApartRule`."""
        if task.labels:
            raise ValueError('fusion.rule: "spahm" fuses regression models; the data have classes')

    def init(self, members: Members, transport: Transport) -> Matched:
        """Hand on what is matched, until everybody has all of it, and match. Collective."""
        owners = _sparse_gps(members, transport)
        sweeps = self.way.usual_sweeps if self.sweeps is None else self.sweeps
        matcher = SPAHM(self.noise_variance, 1.0, learn=False, mass=self.mass, sweeps=sweeps)
        selector = Selector(self.inputs, self.max_inputs, self.seed)
        selection, priors = self.way.selected(GPsToMatch(owners, self.form, matcher, selector), transport)
        if self.form == "published":
            return Matched(fused_pairs(priors, selection.rows, self.nugget), selection)
        union = common_prior(priors, selection.rows)
        rows = evidence_rows(owners, union, self.leftover, self.noise)
        return Matched(union, selection, rows, self.carrier.begin(rows, transport))

    def exchange(self, state: Matched, members: Members, transport: Transport, rounds: int = 1) -> Matched:
        """See `ApartRule`."""
        if state.rows is None:
            return state
        return replace(state, inner=self.carrier.rounds(state.inner, state.rows, transport, rounds))

    def converge(self, state: Matched, members: Members, transport: Transport) -> Matched:
        """See `ApartRule`."""
        if state.rows is None:
            return state
        return replace(state, inner=self.carrier.settle(state.inner, state.rows, transport))

    def fused(self, state: Matched, members: Members, transport: Transport) -> Fused:
        """The predictions of each agent from what it has of the sum."""
        agents = len(members.experts)
        if state.rows is None:
            models, size = [state.model], state.model.size
        else:
            sums = self.carrier.sums(state.inner)
            alike = sums[:1] if repeated(sums) else sums
            models, size = [fused_from_row(state.model, row) for row in alike], state.model.size
        answers = np.stack([_answers(model, members.queries) for model in models])
        return Fused(
            answers=np.broadcast_to(answers, (agents, *answers.shape[1:])),
            parameters=np.full(agents, float(size)),
            inducing=len(state.selection.rows),
            dropped=state.selection.dropped,
        )


def _answers(model: SparseGP, x: Array) -> Array:
    mean, std = model.predict(x)
    return np.stack([mean, np.square(std)], axis=1)


def _sparse_gps(members: Members, transport: Transport) -> list[SparseGP]:
    """The sparse GPs ``[A]`` behind the agents' models. Raises ValueError on all ranks where one has none. Collective.

    Kernels have to be equal too.
    """
    gps = [expert.parameters for expert in members.experts]
    numbers = [float(crc32(gp.kernel.encode())) if isinstance(gp, SparseGP) else -1.0 for gp in gps]
    of_all = known_to_all(numbers, transport)
    if (of_all < 0).any():
        agent = int((of_all < 0).argmax())
        raise ValueError(
            'fusion.rule: "spahm" needs sparse Gaussian processes, whose inducing inputs it matches; the model of '
            f"agent {agent} is none{_because(agent, members, transport)}: take "
            'experts.model = "sparse-gp", or fusion.rule = "ensemble"'
        )
    if (of_all != of_all[0]).any():
        agent = int((of_all != of_all[0]).argmax())
        raise ValueError(f'fusion.rule: "spahm" needs one kernel; agent {agent} has another than agent 0')
    return gps


def _because(agent: int, members: Members, transport: Transport) -> str:
    """Why the model of an agent (global id) shows no parameters, on the rank that has it."""
    reasons = [getattr(expert, "closed", "") for expert in members.experts]
    own = dict(zip(transport.shard.agents.tolist(), reasons, strict=True)).get(agent, "")
    return f" ({own})" if own else ""
