"""What becomes of old statistics when hyper-parameters move: three answers, one file (COOL-GP §3).

``transport`` re-expresses them by a congruence, ``importance`` keeps one sum per projection sampled from the prior and
reweights (the paper's), ``stale`` keeps what was encoded. A new encoding is a class here and one line in ENCODINGS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.basis import Geometry, LatentBasis
from coolgp.agents.kernels import Array, project, squared_exponential
from coolgp.agents.model import Batch, Model
from coolgp.agents.statistics import Evidence, Statistics

__all__ = ["ENCODINGS", "TRUSTED_SAMPLES", "Importance", "Stale", "Transport", "effective_sample_size"]

ANCHOR_TOLERANCE = 0.05
"""A latent anchor is moved once some entry of ``W W_anchor⁻¹`` is this far from the identity: each move projects."""


TRUSTED_SAMPLES = 2.0
"""Effective sample size below which importance weights are worth a warning."""


@dataclass(frozen=True)
class Transport:
    """Statistics follow the hyper-parameters: exact in what they say of ``f(X_u)``, a projection for a latent basis."""

    def zeros(self, model: Model, agents: int) -> Statistics:
        """Statistics of agents that have seen nothing."""
        return _zeros(model.inducing, agents)

    def encode(self, model: Model, theta: Array, batch: Batch) -> Statistics:
        """Sums of a batch in common coordinates."""
        return _encode(model, theta, batch, common=True)

    def evidence(self, model: Model, theta: Array, statistics: Statistics) -> Evidence:
        """Sums are in common coordinates already: scale them."""
        return _scaled(model, theta, statistics)

    def move(self, model: Model, statistics: Statistics, anchor: Array, theta: Array) -> tuple[Statistics, Array]:
        """``G ← TᵀGT``, ``b ← Tᵀb`` for the agents whose projection has left its anchor; in place."""
        old, new = model.layout.projection(anchor), model.layout.projection(theta)
        turned = np.abs(new @ np.linalg.inv(old) - np.eye(old.shape[-1])).max(axis=(-2, -1))
        far = np.flatnonzero(turned > ANCHOR_TOLERANCE)
        carry = model.basis.carry(old[far], new[far]) if far.size else None
        if carry is None:
            return statistics, anchor
        statistics.gram[far] = carry.swapaxes(-1, -2) @ statistics.gram[far] @ carry
        statistics.cross[far] = (statistics.cross[far, None, :] @ carry)[:, 0]
        moved = anchor.copy()
        moved[far] = theta[far]
        return statistics, moved


@dataclass(frozen=True)
class Stale:
    """Keep whitened sums as they were encoded, and read them as if they had been encoded now. For comparison only."""

    def zeros(self, model: Model, agents: int) -> Statistics:
        """Statistics of agents that have seen nothing."""
        return _zeros(model.inducing, agents)

    def encode(self, model: Model, theta: Array, batch: Batch) -> Statistics:
        """Sums of a batch in whitened coordinates of the moment."""
        return _encode(model, theta, batch, common=False)

    def evidence(self, model: Model, theta: Array, statistics: Statistics) -> Evidence:
        """Sums taken to common coordinates as if today's hyper-parameters had always held."""
        geometry = model.geometry(theta)
        gram = geometry.gram_to_common(statistics.gram)
        cross = geometry.rows_to_common(statistics.cross[:, None, :])[:, 0]
        return _scaled(model, theta, Statistics(gram, cross, statistics.square, statistics.count))

    def move(self, model: Model, statistics: Statistics, anchor: Array, theta: Array) -> tuple[Statistics, Array]:
        """Nothing moves."""
        return statistics, anchor


@dataclass(frozen=True)
class Importance:
    """One sum per projection ``W_s`` drawn once from the prior, reweighted by ``q(W_s)/p(W_s)``: the paper's answer.

    COOL-GP (AAAI-19), equations 5 and 6.
    draws ``[S, width]``: entries of ``W`` drawn from the standard normal prior, the same for all agents and all time.
    Unbiased, and degenerate once ``q`` leaves the prior: see :func:`effective_sample_size`.
    """

    draws: Array

    def zeros(self, model: Model, agents: int) -> Statistics:
        """Statistics of agents that have seen nothing, one sum per draw."""
        samples, m = self.draws.shape[0], model.inducing
        return Statistics(
            np.zeros((agents, samples, m, m)), np.zeros((agents, samples, m)), np.zeros(agents), np.zeros(agents)
        )

    def encode(self, model: Model, theta: Array, batch: Batch) -> Statistics:
        """Sums of a batch under every draw; the hyper-parameters of the moment play no part."""
        layout = model.layout
        projection = (
            self.draws.reshape(-1, layout.inputs, layout.inputs)
            if layout.full
            else self.draws[:, :, None] * np.eye(layout.inputs)
        )
        geometry = model.basis.geometry(projection)
        kappa = squared_exponential(project(batch.x[:, None], projection), geometry.points)
        phi = geometry.rows_to_common(geometry.whitened(kappa))
        return _sums(phi, batch.y[:, None], batch.mask[:, None], batch)

    def evidence(self, model: Model, theta: Array, statistics: Statistics) -> Evidence:
        """The reweighted mean of the sums, scaled."""
        weight = np.exp(self.log_weights(model, theta)) / self.draws.shape[0]
        gram = np.einsum("as,asjk->ajk", weight, statistics.gram)
        cross = np.einsum("as,asj->aj", weight, statistics.cross)
        return _scaled(model, theta, Statistics(gram, cross, statistics.square, statistics.count))

    def move(self, model: Model, statistics: Statistics, anchor: Array, theta: Array) -> tuple[Statistics, Array]:
        """Nothing moves: the weights do."""
        return statistics, anchor

    def log_weights(self, model: Model, theta: Array) -> Array:
        """``log q(W_s) - log p(W_s)``, ``[A, S]``."""
        width = model.layout.width
        mean = theta[:, None, :width] if model.layout.full else np.exp(theta[:, None, :width])
        log_spread = theta[:, None, width : 2 * width]
        z = (self.draws - mean) * np.exp(-log_spread)
        log_weights: Array = (-0.5 * np.square(z) - log_spread + 0.5 * np.square(self.draws)).sum(-1)
        return log_weights


def effective_sample_size(encoding: Importance, model: Model, theta: Array) -> Array:
    """``(Σω)²/Σω²`` of the importance weights per agent, ``[A]``, between 1 and the number of draws."""
    log_weights = encoding.log_weights(model, theta)
    weights = np.exp(log_weights - log_weights.max(axis=-1, keepdims=True))
    size: Array = weights.sum(-1) ** 2 / np.square(weights).sum(-1)
    return size


ENCODINGS = {"transport": Transport, "importance": Importance, "stale": Stale}


def _zeros(inducing: int, agents: int) -> Statistics:
    return Statistics(
        np.zeros((agents, inducing, inducing)), np.zeros((agents, inducing)), np.zeros(agents), np.zeros(agents)
    )


def _encode(model: Model, theta: Array, batch: Batch, *, common: bool) -> Statistics:
    layout, geometry = model.layout, model.geometry(theta)
    if model.expects:
        return _expected_sums(model, geometry, theta, batch)
    kappa = squared_exponential(project(batch.x, layout.projection(theta)), geometry.points)
    phi = geometry.whitened(kappa)
    return _sums(geometry.rows_to_common(phi) if common else phi, batch.y, batch.mask, batch)


def _expected_sums(model: Model, geometry: Geometry, theta: Array, batch: Batch) -> Statistics:
    """``Ψ = ΣE[κκᵀ]`` and ``ψ = ΣE[κ]y`` of equation 3, whitened."""
    assert isinstance(model.basis, LatentBasis)
    mean, spread = model.layout.projection(theta), model.layout.spread(theta)
    first, second = model.basis.expected(geometry, batch.x, mean, spread)
    gram = (second * batch.mask[..., None, None]).sum(-3)
    cross = ((batch.y * batch.mask)[..., None] * first).sum(-2)
    inverse = geometry.inverse
    whitened = inverse @ gram @ inverse.swapaxes(-1, -2)
    return Statistics(whitened, (inverse @ cross[..., None])[..., 0], *_scalars(batch))


def _sums(phi: Array, y: Array, mask: Array, batch: Batch) -> Statistics:
    phi = phi * mask[..., None]
    transposed = phi.swapaxes(-1, -2)
    return Statistics(transposed @ phi, (transposed @ y[..., None])[..., 0], *_scalars(batch))


def _scalars(batch: Batch) -> tuple[Array, Array]:
    return np.square(batch.y * batch.mask).sum(-1), batch.count


def _scaled(model: Model, theta: Array, statistics: Statistics) -> Evidence:
    quadratic, linear = model.scales(theta)
    return Evidence(
        statistics.gram * quadratic[:, None, None],
        statistics.cross * linear[:, None],
        statistics.square / model.layout.noise_variance(theta),
        statistics.count.copy(),
    )
