"""Prediction from evidence: the one place where the prior enters.

In common coordinates the posterior precision is ``Λ = E + P`` with evidence ``E`` and the prior's precision ``P``. At a
query, ``φ = L⁻¹κ(x*)``; the mean is ``σ_s κᵀα`` and the latent variance ``σ_s²(1 - φᵀφ + ‖Yκ‖²)``, with weights ``α``
and reach ``Y`` formed once. Under an uncertain projection, expectations of ``κ`` and ``κκᵀ`` and the law of total
variance take their place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.base.failures import Indefinite, NotFinite
from coolgp.agents.base.triangular import inverse_of_lower, product_with_lower
from coolgp.agents.blocks import map_tasks
from coolgp.agents.features.basis import LatentBasis
from coolgp.agents.features.geometry import Geometry
from coolgp.agents.kernels.base import expectations_of
from coolgp.agents.model import Model, agreed
from coolgp.agents.readout import FEW, Readout, column_squares, needs_explained, readout_of_few
from coolgp.agents.statistics import Evidence, repeated

__all__ = [
    "Belief",
    "Posterior",
    "Prediction",
    "function_rows",
    "posterior",
    "predict",
    "predict_from_rows",
    "prior_precision",
    "query_rows",
]

QUERY_BLOCK = 1000
"""Queries evaluated at a time, so that their features stay in the cache."""
At: TypeAlias = Callable[[Model, Array, Array], Iterator[tuple[Array, Array]]]
"""Of a model, ``θ [A, K]`` and queries ``[Q, D]``: mean and variance ``[Q]`` of ``f / σ_s`` by agent."""


@dataclass(frozen=True)
class Prediction:
    """Latent mean and variance ``[..., Q]``, and the noise variance ``[...]`` that an observation adds.

    belief: the fused evidence that it was read from, where a rule keeps that for who asks more of the same agents.
    forged ``[...]`` bool: what rests on sums that honest agents cannot make; None where nobody looked.
    """

    mean: Array
    variance: Array
    noise_variance: Array
    belief: Belief | None = None
    forged: npt.NDArray[np.bool_] | None = None

    def checked(self) -> Prediction:
        """The same. Raises NotFinite with the first row of agents that predicts what is no finite number."""
        finite = np.isfinite(self.mean).all(axis=-1) & np.isfinite(self.variance).all(axis=-1)
        if not finite.all():
            raise NotFinite(int(np.flatnonzero(~finite)[0]))
        return self


@dataclass(frozen=True)
class Belief:
    """Evidence of ``A`` agents, and their posteriors: ``A``, or one where all agents agree."""

    evidence: Evidence
    posterior: Posterior


@dataclass(frozen=True)
class Posterior:
    """Posteriors of ``A`` agents.

    mean ``[A, M]`` and log_determinant ``[A]`` of ``Λ`` relative to the prior's: in common coordinates. weights
    ``α [A, M]`` and reach ``Y [A, M, M]``: of kernel values, see the module. size ``[A]``: squared norm of the mean
    under the prior.
    """

    theta: Array
    geometry: Geometry
    mean: Array
    log_determinant: Array
    weights: Array
    reach: Array
    size: Array

    def of(self, agents: slice | Indices) -> Posterior:
        """Those of some of the agents: this one where all agree."""
        if len(self.mean) == 1:
            return self
        held = (self.mean, self.log_determinant, self.weights, self.reach, self.size)
        return Posterior(self.theta[agents], self.geometry.of(agents), *(part[agents] for part in held))

    @cached_property
    def shrink(self) -> Array:
        """``F = K⁻¹ - YᵀY [A, M, M]``: the reduction of the prior variance by data, a quadratic form in ``κ``."""
        return self.geometry.precision - self.reach.swapaxes(-1, -2) @ self.reach


def posterior(model: Model, theta: Array, evidence: Evidence) -> Posterior:
    """Posteriors of agents with hyper-parameters ``θ [A, K]`` given evidence ``[A]``.

    Raises Indefinite, a ValueError, naming the worst agent (its row) whose precision is not positive definite.
    """
    if len(theta) == len(evidence.shift) == 1:
        return model.cached(_formed, theta, evidence)
    return _formed(model, theta, evidence)


def _formed(model: Model, theta: Array, evidence: Evidence) -> Posterior:
    geometry = model.geometry(theta)
    amplitude = model.basis.amplitude(model.layout.signal_variance(theta))
    prior = prior_precision(model, theta)
    factor = _factor(evidence.precision + prior)
    inverse = inverse_of_lower(factor)
    mean = (inverse.swapaxes(-1, -2) @ (inverse @ evidence.shift[..., None]))[..., 0]
    log_determinant = 2.0 * np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(-1)
    log_determinant -= geometry.prior_log_determinant - 2.0 * mean.shape[-1] * np.log(amplitude)
    reach = product_with_lower(inverse, geometry.carrier.swapaxes(-1, -2))
    reach /= amplitude[:, None, None]
    return Posterior(
        theta=theta,
        geometry=geometry,
        mean=mean,
        log_determinant=log_determinant,
        weights=(geometry.carrier @ mean[..., None])[..., 0] / amplitude[:, None],
        reach=reach,
        size=((prior @ mean[..., None])[..., 0] * mean).sum(-1),
    )


def prior_precision(model: Model, theta: Array) -> Array:
    """Prior precision ``[., M, M]`` of common coordinates under ``θ [A, K]``; one where all agents agree."""
    amplitude = model.basis.amplitude(model.layout.signal_variance(agreed(theta)))
    precision: Array = model.geometry(theta).prior / np.square(amplitude)[:, None, None]
    return precision


def query_rows(model: Model, theta: Array, x: Array) -> tuple[Array, Array]:
    """The function at queries ``x [Q, D]`` as ``aᵀv`` and an independent remainder, under one ``θ [1, K]``.

    Rows ``a [Q, M]`` for common coordinates ``v``, and the remainder's variance ``[Q]``.
    """
    rows, explained = function_rows(model, theta, x[None])
    unknown = model.layout.signal_variance(theta) - np.square(explained[0]).sum(-1)
    return rows[0], np.maximum(unknown, 0.0)


def function_rows(model: Model, theta: Array, x: Array) -> tuple[Array, Array]:
    """The function at each agent's own inputs ``x [A, B, D]`` as ``aᵀv`` and a remainder, under ``θ [A, K]``.

    Rows ``a [A, B, M]`` for common coordinates ``v``, and ``σ_s L⁻¹κ [A, B, M]``, whose inner products are the part
    of the function's covariance that the inducing inputs explain.
    """
    geometry, signal = model.geometry(theta), model.layout.signal_variance(theta)
    kappa = model.basis.values(geometry.points, model.layout.projection(agreed(theta)), x).swapaxes(-1, -2)
    deviation = np.sqrt(signal)[:, None, None]
    scale = deviation / model.basis.amplitude(signal)[:, None, None]
    return scale * (kappa @ geometry.carrier), deviation * (kappa @ geometry.inverse.swapaxes(-1, -2))


def shared(theta: Array, evidence: Evidence) -> tuple[Array, Evidence]:
    """The first row of ``θ [A, K]`` and evidence ``[A]`` where all agents have the same to the bit, else all rows."""
    one = agreed(theta)
    fields = (evidence.shift, evidence.count, evidence.square, evidence.precision)  # cheapest first
    if len(one) == 1 and all(repeated(field) or (field == field[:1]).all() for field in fields):
        return one, evidence[:1]
    return theta, evidence


def predict(model: Model, theta: Array, evidence: Evidence, x: Array, *, keeps_belief: bool = False) -> Prediction:
    """Predictions of ``A`` agents with ``θ [A, K]`` and evidence ``[A]`` at queries ``x [Q, D]``.

    keeps_belief: whether evidence and posteriors are part of what is returned.
    """
    agents, (one, common) = theta.shape[0], shared(theta, evidence)
    formed = posterior(model, one, common)
    at = partial(_uncertain_at, formed) if model.expects else partial(_certain_at, formed.geometry, _readouts(formed))
    answer = _answered(model, one, at, x)
    every = (agents, x.shape[0])
    return Prediction(
        mean=np.broadcast_to(answer.mean, every),
        variance=np.broadcast_to(answer.variance, every),
        noise_variance=np.broadcast_to(answer.noise_variance, agents),
        belief=Belief(evidence, formed) if keeps_belief else None,
    )


def predict_from_rows(model: Model, theta: Array, evidence: Evidence, x: Array) -> Prediction:
    """The same for evidence that is the sum over rows of data of each agent, which may be few.

    An agent with fewer rows than inducing inputs takes a shorter way, see :mod:`coolgp.agents.readout`.
    """
    few = evidence.count < FEW * model.inducing
    if model.expects or not few.any():
        return predict(model, theta, evidence, x)
    geometry, amplitude = model.geometry(theta), model.basis.amplitude(model.layout.signal_variance(theta))
    readouts: list[Readout] = []
    for agent in range(len(theta)):
        own, sums = geometry.of(slice(agent, agent + 1)), evidence[agent : agent + 1]
        short = readout_of_few(own, float(amplitude[agent]), sums.precision[0], sums.shift[0]) if few[agent] else None
        readouts.append(short or _readouts(_formed(model, theta[agent : agent + 1], sums))[0])
    return _answered(model, theta, partial(_certain_at, geometry, readouts), x)


def _readouts(belief: Posterior) -> list[Readout]:
    return [Readout(weights, reach, lowers=False) for weights, reach in zip(belief.weights, belief.reach, strict=True)]


def _answered(model: Model, theta: Array, at: At, x: Array) -> Prediction:
    """What ``at`` says of blocks of queries, for the agents' signal variances."""
    signal, noise = model.layout.signal_variance(theta), model.layout.noise_variance(theta)
    mean, variance = (np.empty((theta.shape[0], x.shape[0])) for _ in range(2))

    def fill(start: int) -> None:
        rows = slice(start, start + QUERY_BLOCK)
        for agent, answer in enumerate(at(model, theta, x[rows])):
            mean[agent, rows], variance[agent, rows] = answer

    map_tasks(fill, range(0, x.shape[0], QUERY_BLOCK))
    mean *= np.sqrt(signal)[:, None]
    return Prediction(mean, np.maximum(variance, 0.0) * signal[:, None], noise)


def _certain_at(
    geometry: Geometry, readouts: Sequence[Readout], model: Model, theta: Array, x: Array
) -> Iterator[tuple[Array, Array]]:
    """Mean and variance by agent; what depends on hyper-parameters alone is computed once where all share them."""
    projection, explained = model.layout.projection(agreed(theta)), needs_explained(readouts)
    for agent, readout in enumerate(readouts):
        if agent < len(projection):
            own = agent if len(geometry.points) > 1 else 0
            kappa = model.basis.values(geometry.points[own], projection[agent], x)  # [M, Q]
            unexplained = 1.0 - column_squares(product_with_lower(geometry.inverse[own], kappa)) if explained else None
        yield readout.at(kappa, unexplained)


def _uncertain_at(belief: Posterior, model: Model, theta: Array, x: Array) -> Iterator[tuple[Array, Array]]:
    """``E[κ]ᵀα`` and ``1 + tr(E[κκᵀ](ααᵀ - F)) - (E[κ]ᵀα)²`` by agent."""
    assert isinstance(model.basis, LatentBasis)
    kernel = expectations_of(model.basis.kernel)
    means, spreads = model.layout.projection(theta), model.layout.spread(theta)
    for agent, alpha in enumerate(belief.weights):
        points = belief.geometry.points[agent if len(belief.geometry.points) > 1 else 0]
        form = np.outer(alpha, alpha) - belief.shrink[agent]
        mean, variance = np.empty(x.shape[0]), np.empty(x.shape[0])
        step = max(1, 2**21 // points.shape[0] ** 2)
        for start in range(0, x.shape[0], step):
            rows = slice(start, start + step)
            first, second = kernel.expected(x[rows], points, means[agent], spreads[agent])
            mean[rows] = first @ alpha
            variance[rows] = 1.0 + (second * form).sum((-2, -1)) - np.square(mean[rows])
        yield mean, variance


def _factor(precision: Array) -> Array:
    try:
        return np.linalg.cholesky(precision)
    except np.linalg.LinAlgError:
        lowest = np.linalg.eigvalsh(precision)[:, 0]
        row = int(np.argmin(lowest))
        raise Indefinite(row, float(lowest[row])) from None
