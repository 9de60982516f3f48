"""What a batch that nobody has learned says of the hyper-parameters in use and of those on trial.

Posteriors are formed once where all agents hold one sum in memory, as after a sweep of a tree; else for a block of
agents at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array
from coolgp.agents.base.failures import Indefinite
from coolgp.agents.batches import Batch, Observations, map_batches
from coolgp.agents.learning import FixedPosterior, fixed_posterior, gradient_at
from coolgp.agents.model import Model, agreed
from coolgp.agents.population import Population
from coolgp.agents.prediction import Posterior, posterior, shared
from coolgp.agents.statistics import Evidence, repeated
from coolgp.agents.trial import gains
from coolgp.agents.variances import best_variances

__all__ = ["Examined", "Judges", "Reading", "examined"]


@dataclass(frozen=True)
class Reading:
    """Evidence of some agents, read under what they use and under their candidates; for: what variances are best for.

    Both of the latter are scaled by the candidates' variances. start: read under the hyper-parameters of the start, in
    rounds in which what is in use is judged against these, and not the candidates against what is in use.
    """

    now: Evidence
    then: Evidence
    variances: Evidence | None
    start: Evidence | None = None

    @property
    def is_one(self) -> bool:
        """Whether all agents hold one and the same, in memory."""
        held = (self.now, self.then, self.variances or self.then, self.start or self.now)
        return all(repeated(getattr(evidence, of.name)) for evidence in held for of in fields(evidence))


@dataclass(frozen=True)
class Judges:
    """Which agents judge candidates, ``[A]``, and by how many rows of each."""

    agents: npt.NDArray[np.bool_]
    rows: int


@dataclass(frozen=True)
class Examined:
    """Of agents: candidates ``[A, K]``, gradients at them ``[A, K]``, and their gains ``[A, 2]``, 0 of who judges not.

    The gains are those of what is in use where that is judged. Candidates' variances have moved towards the best ones.
    """

    candidate: Array
    slope: Array
    gain: Array


@dataclass(frozen=True)
class _Formed:
    """Posteriors of some agents under what they use and under their candidates, and the candidates' best variances.

    Each ``A``, or one where all agree.
    """

    now: Posterior
    then: FixedPosterior
    variances: Array | None
    start: Posterior | None

    def of(self, agents: npt.NDArray[np.intp]) -> tuple[Posterior, Posterior]:
        """The two that are compared, of some of the agents."""
        if self.start is not None:
            return self.start.of(agents), self.now.of(agents)
        return self.now.of(agents), self.then.belief.of(agents)


def examined(
    population: Population, batch: Observations, read: Callable[[slice], Reading], judges: Judges, reach: float
) -> Examined:
    """Candidates on a batch that nobody has learned; variances move by at most ``reach`` times an agent's own factor.

    reach: 0 where variances stay. Raises Indefinite with the row of an agent whose precision is not positive definite.
    """
    model, tried = population.model, population.model.basis.moves
    formed = _formed_once(population, read, reach > 0)

    def of(agents: slice, seen: Batch) -> tuple[Array, Array, Array]:
        start, theta, candidate = (held[agents] for held in (population.start, population.theta, population.candidate))
        try:
            known = formed or _formed(model, (start, theta, candidate), read(agents), reach > 0)
        except Indefinite as failure:
            raise Indefinite(agents.start + failure.row, failure.lowest) from None
        gain = np.zeros((len(theta), 2))
        if tried and (judging := np.flatnonzero(judges.agents[agents])).size:
            shown, rows = seen[judging], slice(judges.rows)
            some = Batch(shown.x[:, rows], shown.y[:, rows], shown.mask[:, rows])
            informed = np.broadcast_to(known.then.count > 0, len(theta))[judging]
            one, other = (theta, candidate) if known.start is None else (start, theta)
            gained = gains(model, (one[judging], other[judging]), known.of(judging), some)
            gain[judging] = np.where(informed[:, None], gained, 0.0)
        slope = gradient_at(model, candidate, known.then, seen)
        if known.variances is None:
            return candidate, slope, gain
        most = reach * np.exp(population.trial[agents, 2:3])
        return _towards(candidate, known.variances, most), slope, gain

    blocks = map_batches(of, [batch], population.size, 8 * model.inducing**2)
    if not blocks:
        return Examined(population.candidate, np.zeros_like(population.theta), np.zeros((0, 2)))
    return Examined(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def _formed_once(population: Population, read: Callable[[slice], Reading], variances: bool) -> _Formed | None:
    """What is formed for all agents where they share all hyper-parameters, and their sums in memory; else None."""
    if population.size < 2:
        return None
    start, theta, candidate, told = map(
        agreed, (population.start, population.theta, population.candidate, population.told)
    )
    if len(start) + len(theta) + len(candidate) + len(told) > 4:
        return None
    reading = read(slice(0, 2))
    return _formed(population.model, (start, theta, candidate), _first(reading), variances) if reading.is_one else None


def _first(reading: Reading) -> Reading:
    variances, start = reading.variances, reading.start
    return Reading(reading.now[:1], reading.then[:1], variances and variances[:1], start and start[:1])


def _formed(model: Model, thetas: tuple[Array, Array, Array], reading: Reading, variances: bool) -> _Formed:
    """Of hyper-parameters ``[A, K]`` of the start, in use, and on trial."""
    start, theta, candidate = thetas
    best = _best_variances(model, candidate, reading.variances) if variances and reading.variances else None
    return _Formed(
        now=posterior(model, *shared(theta, reading.now)),
        then=fixed_posterior(model, candidate, reading.then),
        variances=best,
        start=None if reading.start is None else posterior(model, *shared(start, reading.start)),
    )


def _best_variances(model: Model, theta: Array, evidence: Evidence) -> Array:
    one, common = shared(theta, evidence)
    return model.cached(best_variances, one, common) if len(one) == 1 else best_variances(model, one, common)


def _towards(theta: Array, variances: Array, reach: Array) -> Array:
    moved = theta.copy()
    moved[:, -2:] += np.clip(variances - theta[:, -2:], -reach, reach)
    return moved
