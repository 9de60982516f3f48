"""Committees of models that were trained apart: products of their predictive distributions, over the graph.

Each is a few sums over agents for each query, by the formulas of ``coolgp.fusion.committees``, where experts are this
project's own GPs. Here any model with a standard deviation is an expert. Its prior is what the rows of all owners say
of a new target before any input is looked at: their mean and variance, a sum over agents like that of scaling, which
is not counted as messages. Class probabilities are multiplied likewise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Gt, Lt

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.members import Fused, Members, known_to_all
from coolgp.fusion.apart.summed import SummedRule, counted, of_all_models
from coolgp.fusion.committees.base import FLOOR, Committee, Experts
from coolgp.fusion.committees.gpoe import GPoE
from coolgp.fusion.committees.poe import PoE
from coolgp.fusion.committees.rbcm import RBCM
from coolgp.network.transport import Transport

__all__ = ["GeneralisedProduct", "Product", "RobustCommittee", "prior_of"]


@dataclass(frozen=True)
class CommitteeOfModels(SummedRule, ABC):
    """A rule that multiplies predictive distributions, each to a power.

    least: a class has at least this probability under every model, or who has never seen it would veto it.
    """

    leaves_out: ClassVar[bool] = True

    least: Annotated[float, Gt(0), Lt(0.1)] = 1e-3

    @property
    @abstractmethod
    def committee(self) -> Committee:
        """How numbers are combined."""

    def rows(self, members: Members, transport: Transport) -> Array:
        """Terms of each agent's answers, and a one ``[A, P]``. Raises ValueError for models without a variance."""
        if members.task.labels:
            return counted(self._class_terms(members.answers).reshape(len(members.answers), -1))
        terms = self.committee.terms(_experts(members, transport))
        return counted(terms.reshape(len(terms), -1))

    def read(self, sums: Array, members: Members, transport: Transport) -> Fused:
        """The product of all answers that are in the sum."""
        with np.errstate(all="ignore"):
            if members.task.labels:
                shape = (len(sums), -1, *members.answers.shape[1:])
                combined = self._classes(sums[:, :-1].reshape(shape), sums[:, -1:, None])
            else:
                combined = self._numbers(sums, members, transport)
        return of_all_models(combined, members, transport)

    def _numbers(self, sums: Array, members: Members, transport: Transport) -> Array:
        centre, _ = prior_of(members, transport)
        terms = sums[:, :-1].reshape(len(sums), -1, len(members.queries))
        mean, variance = self.committee.combined(terms, _experts(members, transport), sums[:, -1:])
        sound = np.isfinite(mean) & (variance > 0)
        return np.stack([np.where(sound, mean + centre, np.nan), variance], axis=2)

    def _class_terms(self, answers: Array) -> Array:
        """What each agent adds ``[A, T, Q, K]``."""
        return self._logarithms(answers)[:, None]

    def _classes(self, sums: Array, count: Array) -> Array:
        """Probabilities ``[A, Q, K]`` from sums ``[A, T, Q, K]`` over so many models ``[A, 1, 1]``."""
        return _normalised(sums[:, 0])

    def _logarithms(self, answers: Array) -> Array:
        return np.log(np.maximum(answers, self.least))


@dataclass(frozen=True)
class Product(CommitteeOfModels):
    """The product of all predictive distributions: sure of itself, for it takes all errors to be independent.

    Precisions add up, and means are weighted by them; log probabilities of classes add up. least: a class has at least
    this probability under every model, or who has never seen it would veto it.
    """

    @property
    def committee(self) -> Committee:
        """See `CommitteeOfModels`."""
        return PoE()


@dataclass(frozen=True)
class GeneralisedProduct(CommitteeOfModels):
    """The product of all predictive distributions to powers that sum to one: as sure as models are on average.

    weights: powers that are all alike ("uniform"), or in proportion to how much less a model is in doubt at a query
    than before it saw any row ("entropy"). least: as of "poe".
    """

    weights: Literal["uniform", "entropy"] = "uniform"

    @property
    def committee(self) -> Committee:
        """See `CommitteeOfModels`."""
        return GPoE(weights=self.weights)

    def _class_terms(self, answers: Array) -> Array:
        """Weighted log probabilities, and weights."""
        logarithms = self._logarithms(answers)
        doubt = -(answers * logarithms).sum(axis=2, keepdims=True)
        gain = np.maximum(np.log(answers.shape[2]) - doubt, self.least)
        power = gain if self.weights == "entropy" else np.ones_like(gain)
        return np.stack([power * logarithms, np.broadcast_to(power, answers.shape)], axis=1)

    def _classes(self, sums: Array, count: Array) -> Array:
        return _normalised(sums[:, 0] / sums[:, 1])


@dataclass(frozen=True)
class RobustCommittee(CommitteeOfModels):
    """The robust Bayesian committee machine: models weigh by information at a query, the prior where none has any."""

    @property
    def committee(self) -> Committee:
        """See `CommitteeOfModels`."""
        return RBCM()

    def check(self, task: Task) -> None:
        """Numbers alone: the prior of classes is not in its formula."""
        if task.labels:
            raise ValueError('fusion.rule: "rbcm" combines means and variances; take "gpoe" for classes')


def prior_of(members: Members, transport: Transport) -> tuple[float, float]:
    """Mean and variance of the targets of all owners' rows; not metered. Collective."""
    own = np.array([[len(rows.y), rows.y.sum(), np.square(rows.y).sum()] for rows in members.rows]).reshape(-1, 3)
    count, total, square = transport.allsum(own)
    mean = total / count
    return float(mean), float(max(square / count - mean**2, FLOOR * (1.0 + mean**2)))


def _experts(members: Members, transport: Transport) -> Experts:
    """The answers as deviations from the prior's mean. Raises ValueError on all ranks where one has no variance."""
    mean, variance = members.answers[:, :, 0], members.answers[:, :, 1]
    silent = ~np.isfinite(variance).all(axis=1)
    lacking = known_to_all((members.present & silent).astype(float).tolist(), transport)
    if lacking.any():
        agent = int(np.flatnonzero(lacking)[0])
        raise ValueError(
            f"fusion.rule: a committee weighs models by their standard deviation; that of agent {agent} tells none: "
            'take experts.folds = 5 where the kind has it, or fusion.rule = "ensemble"'
        )
    centre, prior = prior_of(members, transport)
    return Experts(mean - centre, np.maximum(variance, FLOOR * prior), np.full((len(mean), 1), prior))


def _normalised(logarithms: Array) -> Array:
    shares = np.exp(logarithms - logarithms.max(axis=-1, keepdims=True))
    normalised: Array = shares / shares.sum(axis=-1, keepdims=True)
    return normalised
