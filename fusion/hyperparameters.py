"""Modes of learning hyper-parameters: not at all, each agent from its own data, or all together.

``fixed`` keeps the starting values. In both other modes an agent takes the gradient of its own batch at the fused
posterior, so that its length-scales fit the evidence of all agents. Under ``local`` (the paper's) an agent steps along
its own gradient. Under ``collective`` it announces gradient and hyper-parameters, and steps from their averages: all
agents follow the stochastic gradient of one bound, that of all data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.base.failures import Indefinite
from coolgp.agents.batches import Batch, Observations, map_batches
from coolgp.agents.learning import Adam, gradient, step
from coolgp.agents.population import Population
from coolgp.agents.statistics import Evidence
from coolgp.fusion.rule import FusionRule, State, has_evidence, teaches_from

__all__ = ["MODES", "Collective", "Fixed", "Local", "Mode", "training_evidence_of"]

EvidenceOf = Callable[[slice], Evidence]
GRAIN = 2.0**-30
"""Averages are rounded to this, far below any step, so that agents that agree have the same bits; single precision
rounds them more coarsely."""


class Mode(Protocol):
    """When hyper-parameters move, around the exchange of a round.

    rereads: whether a batch that was observed is looked at again, for gradients.
    """

    rereads: ClassVar[bool]

    def start(self, population: Population) -> Population:
        """Before the first round: what agents will announce takes its place in the messages."""
        ...

    def adopt(self, population: Population, average: Array) -> Population:
        """Before a batch: use the average ``[A, C]`` of what was announced last."""
        ...

    def propose(self, population: Population, batch: Observations, evidence: EvidenceOf) -> Population:
        """After a batch was observed: step, or announce; ``evidence`` gives the fused evidence of a block of agents."""
        ...


@dataclass(frozen=True)
class Fixed:
    """Hyper-parameters keep their starting values, and are not announced."""

    rereads: ClassVar[bool] = False
    adam: Adam

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
        """Step at once.

        What is common decides where the variances are learned. Where it is ``f`` itself, others scaled their evidence
        by noise variances of theirs: an agent's own statistics alone have its own scale. Where it is ``u``, ``σ_s`` is
        part of the map from ``u`` to the agent's ``f`` and must fit the ``u`` that all agree on.
        """
        own = population.evidence if population.model.basis.moves else None
        slope = _slopes(population, batch, evidence, own)
        return step(population, self.adam, population.theta, slope)


@dataclass(frozen=True)
class Collective:
    """All agents one setting, by averaging over the same graph that evidence travels."""

    rereads: ClassVar[bool] = True
    adam: Adam

    def start(self, population: Population) -> Population:
        """Announce where all start, and no gradient."""
        return _announcing(population, np.zeros_like(population.theta))

    def adopt(self, population: Population, average: Array) -> Population:
        """Step from the average hyper-parameters along the average gradient."""
        grain = max(GRAIN, 32 * float(np.finfo(population.dtype).eps))
        theta, slope = np.split(np.round(average / grain) * grain, 2, axis=1)
        return step(population, self.adam, theta, slope)

    def propose(self, population: Population, batch: Observations, evidence: EvidenceOf) -> Population:
        """Announce hyper-parameters and the batch's gradient at the fused posterior."""
        slope = _slopes(population, batch, evidence)
        return _announcing(population, slope)


def training_evidence_of(rule: FusionRule, state: State, population: Population) -> EvidenceOf:
    """The evidence at which agents take gradients: the rule's training evidence, its fused evidence, or their own."""
    if teaches_from(rule):
        return lambda agents: rule.training_evidence(state, population, agents)
    if has_evidence(rule):
        return lambda agents: rule.fused_evidence(state, population, agents)
    return population.evidence


MODES: dict[str, Callable[[Adam], Mode]] = {"fixed": Fixed, "local": Local, "collective": Collective}


def _announcing(population: Population, slope: Array) -> Population:
    return replace(population, announced=np.concatenate([population.theta, slope], axis=1))


def _slopes(population: Population, batch: Observations, evidence: EvidenceOf, own: EvidenceOf | None = None) -> Array:
    def of(agents: slice, rows: Batch) -> Array:
        alone = own(agents) if own else None
        try:
            return gradient(population.model, population.theta[agents], evidence(agents), rows, alone)
        except Indefinite as failure:
            raise Indefinite(agents.start + failure.row, failure.lowest) from None

    blocks = map_batches(of, [batch], population.size, 8 * population.model.inducing**2)
    return np.concatenate(blocks) if blocks else np.zeros_like(population.theta)
