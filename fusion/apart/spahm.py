"""SPAHM over a graph: sparse Gaussian processes of all owners, fused through inducing inputs that they match.

Inducing inputs and hyper-parameters are handed on from neighbour to neighbour, and everybody matches all of them alike.
The evidence about the matched inputs is then a row of each owner, and any rule that sums rows adds it up.
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
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.matching.gps.agreement import common_prior
from coolgp.fusion.matching.gps.evidence import evidence_rows, fused_from_row
from coolgp.fusion.matching.gps.fused import Form, fused_pairs
from coolgp.fusion.matching.gps.outline import Outline, outline_of, packed, packed_size, unpacked
from coolgp.fusion.matching.gps.selection import Inputs, Selection, Selector
from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.fusion.sums.base import FITTED
from coolgp.fusion.sums.carrier import CarriedRule
from coolgp.fusion.sums.flood import Flood
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
    others. seed: of k-means and of a random choice. via: the rule that carries the sums, once inputs are matched.
    handing: hands inducing inputs on.
    """

    form: Form = "evidence"
    noise_variance: Above = 0.01
    mass: Above = 1.0
    leftover: bool = False
    nugget: Above = 1e-3
    inputs: Inputs = "matched"
    max_inputs: AtLeastOne | None = None
    seed: int = 0
    handing: Flood = field(default_factory=Flood, metadata=FITTED)

    def fit(self, topology: Topology, faults: Faults) -> Self:
        """See `ApartRule`. Raises ValueError on a network that fails: all owners must match the same inputs."""
        require_perfect("spahm", faults)
        return super().fit(topology, faults)

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """The carrier's, of the evidence about the matched inputs."""
        return self.carrier.guarantee(topology, faults)

    def check(self, task: Task) -> None:
        """See `ApartRule`."""
        if task.labels:
            raise ValueError('fusion.rule: "spahm" fuses regression models; the data have classes')

    def init(self, members: Members, transport: Transport) -> Matched:
        """Hand on what is matched, until everybody has all of it, and match. Collective."""
        owners = _sparse_gps(members, transport)
        outlines = self._handed(owners, transport)
        columns, priors = [outline.columns for outline in outlines], [outline.prior for outline in outlines]
        matcher = SPAHM(self.noise_variance, 1.0, learn=False, mass=self.mass)
        selection = Selector(self.inputs, self.max_inputs, self.seed).selected(columns, priors, matcher)
        if self.form == "published":
            return Matched(fused_pairs(priors, selection.rows, self.nugget), selection)
        union = common_prior(priors, selection.rows)
        rows = evidence_rows(owners, union, self.leftover)
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

    def _handed(self, owners: list[SparseGP], transport: Transport) -> list[Outline]:
        """What all agents hand over ``[N]``, by global id."""
        outlines = [outline_of(owner, self.form) for owner in owners]
        length = int(known_to_all([float(packed_size(outline)) for outline in outlines], transport).max())
        rows = np.stack([packed(outline, length) for outline in outlines])
        state = self.handing.settle(self.handing.begin(rows, transport), rows, transport)
        inputs, kernel = len(owners[0].parameters.lengthscale), owners[0].kernel
        return [unpacked(row, inputs, self.form, kernel) for row in state.values[0]]


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
