"""Modes of learning hyper-parameters: not at all, each agent from its own data, or all together.

``fixed`` keeps the starting values. In both other modes agents learn a candidate: its length-scales from the gradient
of an agent's own batch at the fused posterior, so that they fit the evidence of all agents, its variances at the
maximum of the bound. It is put to use once it predicts rows that nobody has learned better than what is in use, see
:mod:`coolgp.agents.trial`. Under ``local`` (the paper's) every agent has its own candidate. Under ``collective`` agents
announce candidate, gradient and how well it predicts, and go on from their averages: all follow the stochastic gradient
of one bound, that of all data, and judge by the rows of all.

Evidence is told in a unit that no learning moves: under ``collective`` it is scaled by the variances of the start, and
each reader scales it by those that it holds. Under ``local`` it is scaled by the teller's own: noisy data count
for less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.batches import Observations
from coolgp.agents.population import Population
from coolgp.agents.statistics import Evidence
from coolgp.agents.trial import LONG, Adam, confirmed, judged, step
from coolgp.fusion.examination import Judges, Reading, examined
from coolgp.fusion.rule import FusionRule, State, has_evidence, teaches_from

__all__ = ["MODES", "Collective", "Fixed", "Local", "Mode", "training_evidence_of"]

EvidenceOf = Callable[[slice], Evidence]
JUDGED_ROWS = 256
"""Rows of all agents together by which candidates are judged in a round."""
VARIANCE_RATE = 2.0
OFTEN, SELDOM = 8, 8
"""Rounds in which variances are sought every time, and the most from one time to the next."""
GRAIN = 2.0**-30
"""Averages are rounded to this, far below any step, so that agents that agree have the same bits; single precision
rounds them more coarsely."""


class Mode(Protocol):
    """When hyper-parameters move, around the exchange of a round.

    rereads: whether a batch that will be observed is looked at before, for gradients.
    """

    rereads: ClassVar[bool]

    def start(self, population: Population) -> Population:
        """Before the first round: what agents will announce takes its place in the messages."""
        ...

    def adopt(self, population: Population, average: Array) -> Population:
        """Before a batch: use the average ``[A, C]`` of what was announced last."""
        ...

    def propose(self, population: Population, batch: Observations, evidence: EvidenceOf) -> Population:
        """Before a batch is observed: step, or announce; ``evidence`` gives the fused evidence of a block of agents."""
        ...


@dataclass(frozen=True)
class Fixed:
    """Hyper-parameters keep their starting values, and are not announced.

    agents: in all, on all ranks. ids ``[A]``: of this rank's agents; by default it has all.
    """

    rereads: ClassVar[bool] = False
    adam: Adam
    agents: int = 1
    ids: Indices | None = None

    def start(self, population: Population) -> Population:
        """Nothing to announce."""
        return population

    def adopt(self, population: Population, average: Array) -> Population:
        """Nothing to adopt."""
        return population

    def propose(self, population: Population, batch: Observations, evidence: EvidenceOf) -> Population:
        """Nothing to propose."""
        return population


@dataclass(frozen=True)
class Local(Fixed):
    """Each agent its own, from its newest batch and what it knows."""

    rereads: ClassVar[bool] = True

    def propose(self, population: Population, batch: Observations, evidence: EvidenceOf) -> Population:
        """Judge the candidates by the batch, and step.

        What is common decides where the variances are learned. Where it is ``f`` itself, others scaled their evidence
        by noise variances of theirs: an agent's own statistics alone have its own scale. Where it is ``u``, ``σ_s`` is
        part of the map from ``u`` to the agent's ``f`` and must fit the ``u`` that all agree on: a gradient leads.
        """
        everyone = Judges(_undecided(population), batch.rows)
        found = examined(
            population, batch, partial(_own_reading, population, evidence), everyone, _reach(population, self.adam)
        )
        moved = _decided(population, found.candidate, found.gain, np.inf)
        stepped = _stepped(moved, self.adam, found.candidate, found.slope)
        return replace(stepped, told=stepped.theta[:, -2:].copy())


@dataclass(frozen=True)
class Collective(Fixed):
    """All agents one setting, by averaging over the same graph that evidence travels."""

    rereads: ClassVar[bool] = True

    def start(self, population: Population) -> Population:
        """Announce where all start, and no gradient."""
        return _announcing(population, population.candidate, np.zeros_like(population.theta))

    def adopt(self, population: Population, average: Array) -> Population:
        """Judge the average candidate by the gains of all agents, and step from it along the average gradient."""
        grain = max(GRAIN, 32 * float(np.finfo(population.dtype).eps))
        candidate, slope = np.split(np.round(average / grain) * grain, 2, axis=1)
        moved = _decided(population, candidate, self.agents * slope[:, -2:])
        if population.model.basis.moves:
            slope[:, -2:] = 0.0
        return _stepped(moved, self.adam, candidate, slope)

    def propose(self, population: Population, batch: Observations, evidence: EvidenceOf) -> Population:
        """Announce the candidate, the batch's gradient at the fused posterior, and how much better it predicts.

        Where sums are about ``f``, its variances move to the maximum: the places of their gradients take the gains.
        """
        read, judges = partial(_common_reading, population, evidence), self._judges(population, batch.rows)
        found = examined(population, batch, read, judges, _reach(population, self.adam))
        last = found.gain if population.model.basis.moves else found.slope[:, -2:]
        return _announcing(population, found.candidate, np.concatenate([found.slope[:, :-2], last], axis=1))

    def _judges(self, population: Population, rows: int) -> Judges:
        """Some agents with all their rows, others in every round: one product of many rows is cheaper than many."""
        ids = np.arange(population.size) if self.ids is None else self.ids
        apart = max(1, self.agents * min(rows, JUDGED_ROWS) // JUDGED_ROWS)
        turn = (ids + population.steps // 2) % apart == 0
        return Judges(turn & _undecided(population), JUDGED_ROWS)


def training_evidence_of(rule: FusionRule, state: State, population: Population) -> EvidenceOf:
    """The evidence at which agents take gradients: the rule's training evidence, its fused evidence, or their own."""
    if teaches_from(rule):
        return lambda agents: rule.training_evidence(state, population, agents)
    if has_evidence(rule):
        return lambda agents: rule.fused_evidence(state, population, agents)
    return population.evidence


MODES: dict[str, Callable[..., Mode]] = {"fixed": Fixed, "local": Local, "collective": Collective}


def _announcing(population: Population, candidate: Array, slope: Array) -> Population:
    return replace(population, announced=np.concatenate([candidate, slope], axis=1))


def _confirms(population: Population) -> bool:
    """Whether this round is one of every two in which what is in use is judged, against the start."""
    return population.model.basis.moves and population.steps % 2 == 1


def _undecided(population: Population) -> npt.NDArray[np.bool_]:
    """Agents ``[A]`` with something to judge: what is the start itself gains nothing over it."""
    away = (population.theta != population.start).any(axis=1)
    return away if _confirms(population) else np.ones(population.size, dtype=bool)


def _decided(population: Population, candidate: Array, gain: Array, patience: float = LONG) -> Population:
    if _confirms(population):
        return confirmed(population, candidate, gain)
    return judged(population, candidate, gain, patience)


def _as_begun(population: Population, now: Evidence, agents: slice) -> Evidence | None:
    """Evidence of agents read under the start, where that is compared."""
    if not (_confirms(population) and _undecided(population)[agents].any()):
        return None
    return population.model.reread(now, population.theta[agents], population.start[agents])


def _stepped(population: Population, adam: Adam, candidate: Array, slope: Array) -> Population:
    """A step of candidates ``[A, K]``; the gradient at one that was sent back leads nowhere."""
    kept = (population.candidate == candidate).all(axis=1, keepdims=True)
    return step(population, adam, population.candidate, np.where(kept, slope, 0.0))


def _common_reading(population: Population, evidence: EvidenceOf, agents: slice) -> Reading:
    """All evidence is told in one unit, and read under the variances of who reads it."""
    now = evidence(agents)
    then = population.model.reread(now, population.theta[agents], population.candidate[agents])
    return Reading(now, then, then if population.model.basis.moves else None, _as_begun(population, now, agents))


def _own_reading(population: Population, evidence: EvidenceOf, agents: slice) -> Reading:
    """An agent's own evidence follows its candidate; that of others stays as they told it."""
    own = population.evidence(agents)
    others = (evidence(agents) - own).clipped()
    mine = population.model.reread(own, population.theta[agents], population.candidate[agents])
    begun, variances = _as_begun(population, own, agents), others + mine if population.model.basis.moves else None
    return Reading(others + own, others + mine, variances, begun and others + begun)


def _reach(population: Population, adam: Adam) -> float:
    """By how much the logarithms of variances may move in this round, 0 where they are not sought."""
    return _due(population.steps) * VARIANCE_RATE * adam.rate


def _due(steps: int) -> int:
    """Rounds for which variances move at once; 0: not now. In each of the first rounds, then more rarely."""
    every = min(max(1, steps // OFTEN), SELDOM)
    return 0 if steps % every else every
