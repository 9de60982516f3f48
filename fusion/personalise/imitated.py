"""The population of models that only answer: each is imitated by a surrogate, which is evidence about its task.

Surrogates are linear in features that all owners have in common, as in COLBI (Hoang et al., ICML 2019): whitened kernel
values at common inducing inputs. There an expert's answers ``m_u`` at inputs without targets are rows of its function,

    R = Σ φφᵀ / e_u²        r = Σ φ (m_u - c) / e_u²        e_u² = misfit² + (s_u² - min s²)

with the surrogate's misfit at inputs that it was not fitted to, and, where the expert states standard deviations
``s_u``, what these exceed their least by: there it knows less. How wrong an expert is nobody can ask; the population
takes it for a difference between tasks, and is the wider for it. Axes: ``A`` owners, ``U`` inputs, ``P`` features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.surrogates.features import LENGTHSCALE
from coolgp.agents.sparse.collapsed import Parameters
from coolgp.agents.sparse.gp import SparseGP
from coolgp.agents.statistics import Evidence
from coolgp.fusion.blackbox.imitation.gaussian import fitted
from coolgp.fusion.blackbox.imitation.settings import ImitationSettings, Pool
from coolgp.fusion.personalise.mixture import PersonalGP
from coolgp.fusion.personalise.population import Population

__all__ = ["Answers", "Imitation", "imitation", "one_task", "with_noise"]

INDUCING = 50
FACTORS = (0.125, 0.25, 0.5, 1.0)
"""Lengthscales to try, as multiples of what imitation takes where nothing else is said."""
FLAT = 0.9
"""Misfit of a surrogate, as a share of the spread of the answers, from which on it explains nothing."""
EXACT = 1e-6
"""Least misfit, as a share of the variance of all answers."""
NOISES = np.logspace(-4, 0, 17)
"""Noise variances of the newcomer's rows to try, as shares of the variance of the answers."""
USUAL, SPREAD = 1e-2, 1.5
"""What such a share is where no model states any, and by how many nats it may be off: a prior, log-normal."""


@dataclass(frozen=True)
class Answers:
    """Of one expert at inputs: mean ``[U]`` and standard deviation ``[U]``, NaN where it states none."""

    mean: Array
    std: Array

    @property
    def excess(self) -> Array:
        """Variance ``[U]`` beyond the least: zero where nothing is stated."""
        stated = np.where(np.isfinite(self.std) & (self.std > 0), np.square(self.std), np.nan)
        return np.zeros_like(self.mean) if np.isnan(stated).any() else stated - stated.min()

    @property
    def noise_variance(self) -> float:
        """The least variance that is stated; NaN where there is none."""
        return float(np.square(self.std).min()) if (self.std > 0).all() else float("nan")


@dataclass(frozen=True)
class Imitation:
    """What surrogates of A experts have in common. common: inducing inputs and hyper-parameters, without evidence.

    evidence: of each expert about the common weights. misfits ``[A]``: root mean square difference of surrogate and
    expert at inputs that were held out, and spreads ``[A]``: the standard deviation of the expert's answers there.
    noise_variance: of an observation, which experts state, the median; NaN where none does.
    """

    common: SparseGP
    evidence: Evidence
    misfits: Array
    spreads: Array
    noise_variance: float

    @property
    def imitated(self) -> Array:
        """Whether a surrogate explains anything of its expert ``[A]``; a constant is explained."""
        constant = self.spreads <= np.sqrt(EXACT * self.common.parameters.signal_variance)
        return np.asarray(constant | (self.misfits < FLAT * self.spreads))


def imitation(inputs: Array, answers: Sequence[Answers], seed: int = 0) -> Imitation:
    """Surrogates of A experts from their answers at inputs ``[n, D]``, of which a fifth are held out to test at.

    The lengthscale is the one under which surrogates predict best there.
    """
    pools = [_pool(inputs, factor, seed) for factor in FACTORS]
    places = _places(inputs, pools[0].asked), _places(inputs, pools[0].held_out)
    tried = [np.array([_misfit(pool, own, *places) for own in answers]) for pool in pools]
    spreads = np.array([own.mean[places[1]].std() for own in answers])
    scale = np.maximum(spreads, 1e-12 * max(float(spreads.max()), 1e-300))
    best = int(np.argmin([np.median(misfits / scale) for misfits in tried]))
    common = _common(pools[best], answers)
    floor = EXACT * common.parameters.signal_variance
    asked = places[0]
    features = common.whitened(common.covariance(inputs[asked])).T
    evidence = [
        _evidence(features, own.mean[asked] - common.center, misfit**2 + floor + own.excess[asked])
        for own, misfit in zip(answers, tried[best].tolist(), strict=True)
    ]
    precision, shift = (np.stack(parts) for parts in zip(*evidence, strict=True))
    stated = np.array([own.noise_variance for own in answers])
    noise = float(np.nanmedian(stated)) if np.isfinite(stated).any() else float("nan")
    known = Evidence(precision, shift, np.zeros(len(answers)), np.ones(len(answers)))
    return Imitation(common, known, tried[best], spreads, noise)


def one_task(population: Population, owners: int) -> Population:
    """The prior if the tasks of all owners and the newcomer's were one: what owners differ by are then errors.

    The error of their mean has a covariance that is smaller by their number, as errors of different rows have.
    """
    return Population(population.mean, population.covariance / owners)


def with_noise(start: PersonalGP, x: Array, y: Array, stated: float) -> PersonalGP:
    """The newcomer's model of its rows, with the noise variance that is most probable given these.

    Its prior is log-normal about what the owners' models state, or about a usual share of the signal's variance.
    """
    signal = start.common.parameters.signal_variance
    usual = stated if np.isfinite(stated) else USUAL * signal

    def log_posterior(noise: float) -> float:
        model = _observed(start, noise, x, y)
        squares = float(np.square(y - start.common.center).sum())
        constant = -0.5 * (len(y) * np.log(2.0 * np.pi * noise) + squares / noise)
        priors = np.log([candidate.weight for candidate in model.candidates])
        off = np.log(noise / usual) / SPREAD
        return float(logsumexp(priors + model.log_evidence) + constant - 0.5 * off**2)

    noises = np.unique(np.append(NOISES * signal, usual))
    best = max(noises.tolist(), key=log_posterior)
    return _observed(start, best, x, y)


def _observed(start: PersonalGP, noise_variance: float, x: Array, y: Array) -> PersonalGP:
    parameters = replace(start.common.parameters, noise_variance=noise_variance)
    return replace(start, common=replace(start.common, parameters=parameters)).observe(x, y)


def _pool(inputs: Array, factor: float, seed: int) -> Pool:
    """The same inputs to fit and to test at, whatever the lengthscale."""
    return Pool.of(inputs, ImitationSettings(inducing=INDUCING, lengthscale=factor * LENGTHSCALE, seed=seed))


def _places(inputs: Array, some: Array) -> Array:
    """Where rows stand among all; the first of equal ones."""
    place = {row.tobytes(): number for number, row in reversed(list(enumerate(inputs)))}
    return np.array([place[row.tobytes()] for row in some])


def _misfit(pool: Pool, answers: Answers, asked: Array, held_out: Array) -> float:
    std = np.ones(len(asked))
    surrogate = fitted(pool.features, pool.asked, answers.mean[asked], std)
    difference = surrogate.predict(pool.held_out)[0] - answers.mean[held_out]
    return float(np.sqrt(np.mean(np.square(difference))))


def _common(pool: Pool, answers: Sequence[Answers]) -> SparseGP:
    """The prior: the center and the variance of all answers."""
    means = np.stack([own.mean for own in answers])
    center, size = float(means.mean()), len(pool.features.inducing_inputs)
    variance = max(float(np.mean(np.square(means - center))), 1e-12 * max(center**2, 1e-300))
    at = Parameters(pool.features.inducing_inputs, pool.features.lengthscale, variance, USUAL * variance)
    return SparseGP(at, np.zeros((size, size)), np.zeros(size), center, pool.features.kernel)


def _evidence(features: Array, values: Array, variances: Array) -> tuple[Array, Array]:
    weighted = features / variances[:, None]
    return weighted.T @ features, weighted.T @ values
