"""What newcomers start from: common inducing inputs, the owners' evidence about them, and their population."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import cached_property

import numpy as np

from coolgp.agents.sparse.gp import SparseGP
from coolgp.agents.statistics import Evidence
from coolgp.fusion.personalise.learning import Learned, learn
from coolgp.fusion.personalise.mixture import Candidate, PersonalGP, candidates_of
from coolgp.fusion.personalise.population import Population

__all__ = ["Learner", "StartingPoint"]

Learner = Callable[[Evidence], Learned]
"""Learns the population of all owners, from the evidence of all of them."""


@dataclass(frozen=True)
class StartingPoint:
    """What newcomers start from: common inducing inputs, the owners' evidence about them, and what is learned of it."""

    common: SparseGP
    evidence: Evidence
    learned: Learned

    @property
    def population(self) -> Population:
        """What the owners' tasks have in common."""
        return self.learned.populations[0]

    def of(self, place: int) -> StartingPoint:
        """What newcomers start from beside one of the owners, where each learned for itself."""
        learned = self.learned.of(place)
        return self if learned is self.learned else StartingPoint(self.common, self.evidence, learned)

    def candidates(self, experts: bool = False) -> tuple[Candidate, ...]:
        """Priors of a newcomer; experts: the owners' own models too."""
        return candidates_of(self.population, self.posteriors if experts else (), self.learned.pooled)

    @cached_property
    def posteriors(self) -> tuple[Population, ...]:
        """Of each owner's function, under the population."""
        return tuple(Population(*each) for each in zip(*self.population.posterior(self.evidence), strict=True))

    @cached_property
    def alone(self) -> tuple[Population, ...]:
        """Of each owner's function, from its own rows alone."""
        standard = Population.standard(len(self.population.mean))
        return tuple(Population(*each) for each in zip(*standard.posterior(self.evidence), strict=True))

    def newcomer(self, experts: bool = False) -> PersonalGP:
        """A newcomer's model before its first row; see :meth:`candidates`."""
        return self.mixture(self.candidates(experts))

    def join(self, newcomer: PersonalGP, learner: Learner = learn) -> StartingPoint:
        """What the next newcomer starts from, once this one is an owner among others.

        It hands over the evidence of its own rows alone: what it took from others is not counted again. learner: learns
        the population of all owners, the newcomer the last of them; in one place where not given. Raises ValueError
        for a newcomer without rows, and for one that started from others.
        """
        own, here = newcomer.common, self.common
        if not newcomer.rows:
            raise ValueError("join needs a newcomer with rows of its own; it has observed none")
        if not _alike(own, here):
            raise ValueError("join needs a newcomer that started here: inducing inputs or hyper-parameters differ")
        more = Evidence(own.precision[None], own.shift[None], np.zeros(1), np.ones(1))
        both = Evidence.unpack(np.concatenate([self.evidence.pack(), more.pack()]), len(own.shift))
        return StartingPoint(here, both, learner(both))

    def mixture(self, candidates: tuple[Candidate, ...]) -> PersonalGP:
        """A mixture before any row."""
        return PersonalGP(candidates, self.common)

    def only(self, prior: Population) -> PersonalGP:
        """A model with one prior."""
        return self.mixture((Candidate("prior", 1.0, prior),))


def _alike(one: SparseGP, other: SparseGP) -> bool:
    """Whether evidence of both is about the same weights."""
    settings = ((each.center, each.kernel, each.jitter) for each in (one, other))
    pairs = zip(astuple(one.parameters), astuple(other.parameters), strict=True)
    return len(set(settings)) == 1 and all(np.array_equal(*pair) for pair in pairs)
