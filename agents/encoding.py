"""How old statistics are re-expressed when hyper-parameters change: three encodings (COOL-GP §3).

``transport`` re-expresses them by a congruence, ``importance`` keeps one sum per projection sampled from the prior and
reweights (the paper's), ``stale`` keeps what was encoded. A new encoding is a class here and one line in ENCODINGS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.batches import Batch
from coolgp.agents.features.basis import LatentBasis
from coolgp.agents.features.geometry import Geometry
from coolgp.agents.features.lens import packed_sums
from coolgp.agents.model import Encoding, Model
from coolgp.agents.statistics import Evidence, Statistics, packed_length

__all__ = ["ENCODINGS", "TRUSTED_SAMPLES", "Importance", "Stale", "Transport", "effective_sample_size"]

ANCHOR_TOLERANCE = 0.05
"""A latent anchor is moved once some entry of ``W W_anchor⁻¹`` is this far from the identity: each move projects."""


TRUSTED_SAMPLES = 2.0
"""Effective sample size of importance weights below which a run warns."""


@dataclass(frozen=True)
class Transport(Encoding):
    """Statistics follow the hyper-parameters: exactly for ``f(X_u)``, by a projection for a latent basis."""

    def zeros(self, model: Model, agents: int, dtype: type[np.floating[Any]] = np.float64) -> Statistics:
        """Statistics of agents without data."""
        return _zeros(model.inducing, (agents,), dtype)

    def encode(self, model: Model, theta: Array, batch: Batch) -> Statistics:
        """Sums of a batch in common coordinates."""
        return _encode(model, theta, batch, common=True)

    def packed(self, model: Model, theta: Array, statistics: Statistics, out: Array | None = None) -> Array:
        """Sums are in common coordinates already: scale them."""
        return _scaled(model, theta, statistics.rows, out)

    def move(self, model: Model, statistics: Statistics, anchor: Array, theta: Array) -> tuple[Statistics, Array]:
        """``G ← TᵀGT``, ``b ← Tᵀb`` for the agents whose projection has left its anchor; in place."""
        before, after = model.layout.projection(anchor), model.layout.projection(theta)
        turned = np.abs(after @ np.linalg.inv(before) - np.eye(before.shape[-1])).max(axis=(-2, -1))
        far = np.flatnonzero(turned > ANCHOR_TOLERANCE)
        carry = model.basis.carry(before[far], after[far]) if far.size else None
        if carry is None:
            return statistics, anchor
        old = statistics[far]
        gram, cross = carry.swapaxes(-1, -2) @ old.gram @ carry, (old.cross[:, None, :] @ carry)[:, 0]
        statistics.rows[far] = Evidence(gram, cross, old.square, old.count).pack()
        moved = anchor.copy()
        moved[far] = theta[far]
        return statistics, moved


@dataclass(frozen=True)
class Stale(Encoding):
    """Keep whitened sums as they were encoded, and read them as if they had been encoded now. For comparison only."""

    def zeros(self, model: Model, agents: int, dtype: type[np.floating[Any]] = np.float64) -> Statistics:
        """Statistics of agents without data."""
        return _zeros(model.inducing, (agents,), dtype)

    def encode(self, model: Model, theta: Array, batch: Batch) -> Statistics:
        """Sums of a batch in whitened coordinates of the current hyper-parameters."""
        return _encode(model, theta, batch, common=False)

    def packed(self, model: Model, theta: Array, statistics: Statistics, out: Array | None = None) -> Array:
        """Sums taken to common coordinates as if today's hyper-parameters had always held."""
        geometry = model.geometry(theta)
        gram = geometry.gram_to_common(statistics.gram)
        cross = geometry.rows_to_common(statistics.cross[:, None, :])[:, 0]
        rows = Evidence(gram, cross, statistics.square, statistics.count).pack()
        return _scaled(model, theta, rows.astype(statistics.rows.dtype, copy=False), out)

    def move(self, model: Model, statistics: Statistics, anchor: Array, theta: Array) -> tuple[Statistics, Array]:
        """Nothing moves."""
        return statistics, anchor


@dataclass(frozen=True)
class Importance(Encoding):
    """One sum per projection ``W_s`` drawn once from the prior, reweighted by ``q(W_s)/p(W_s)``: the paper's answer.

    COOL-GP (AAAI-19), equations 5 and 6.
    draws ``[S, width]``: entries of ``W`` drawn from the standard normal prior, the same for all agents and all time.
    Unbiased, and degenerate once ``q`` leaves the prior: see :func:`effective_sample_size`.
    """

    draws: Array

    def zeros(self, model: Model, agents: int, dtype: type[np.floating[Any]] = np.float64) -> Statistics:
        """Statistics of agents without data, one sum per draw."""
        return _zeros(model.inducing, (agents, self.draws.shape[0]), dtype)

    def encode(self, model: Model, theta: Array, batch: Batch) -> Statistics:
        """Sums of a batch under every draw, whatever the current hyper-parameters are."""
        layout = model.layout
        projection = (
            self.draws.reshape(-1, layout.inputs, layout.inputs)
            if layout.full
            else self.draws[:, :, None] * np.eye(layout.inputs)
        )
        lens = model.basis.lens(projection, model.basis.geometry(projection), batch.x.dtype, common=True)
        features = lens.features(batch.x[:, None], batch.target[:, None], batch.scale[:, None])
        return Statistics(packed_sums(features, batch.count[:, None]))

    def packed(self, model: Model, theta: Array, statistics: Statistics, out: Array | None = None) -> Array:
        """The reweighted mean of the sums, scaled; squares and counts are the same under every draw."""
        weight = np.exp(self.log_weights(model, theta)) / self.draws.shape[0]
        rows = np.einsum("as,asp->ap", weight.astype(statistics.rows.dtype), statistics.rows)
        rows[:, -2:] = statistics.rows[:, 0, -2:]
        return _scaled(model, theta, rows, out)

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


def _zeros(inducing: int, lead: tuple[int, ...], dtype: type[np.floating[Any]]) -> Statistics:
    return Statistics(np.zeros((*lead, packed_length(inducing)), dtype=dtype))


def _encode(model: Model, theta: Array, batch: Batch, *, common: bool) -> Statistics:
    if model.expects:
        return _expected_sums(model, model.geometry(theta), theta, batch)
    lens = model.lens(theta, batch.x.dtype, common=common)
    return Statistics(packed_sums(lens.features(batch.x, batch.target, batch.scale), batch.count))


def _expected_sums(model: Model, geometry: Geometry, theta: Array, batch: Batch) -> Statistics:
    """``Ψ = ΣE[κκᵀ]`` and ``ψ = ΣE[κ]y`` of equation 3, whitened."""
    assert isinstance(model.basis, LatentBasis)
    mean, spread = model.layout.projection(theta), model.layout.spread(theta)
    first, second = model.basis.expected(geometry, batch.x, mean, spread)
    gram = (second * batch.mask[..., None, None]).sum(-3)
    target = batch.y * batch.mask
    inverse = geometry.inverse
    whitened = inverse @ gram @ inverse.swapaxes(-1, -2)
    cross = (inverse @ (target[..., None] * first).sum(-2)[..., None])[..., 0]
    return Statistics(Evidence(whitened, cross, np.square(target).sum(-1), batch.count).pack())


def _scaled(model: Model, theta: Array, rows: Array, out: Array | None) -> Array:
    """Unscaled sums ``[A, P]`` as packed evidence, into ``out`` of any width from ``P`` on."""
    quadratic, linear = model.scales(theta)
    room = np.empty_like(rows) if out is None else out[:, : rows.shape[1]]
    square = 1.0 / model.layout.noise_variance(theta)
    if np.array_equal(quadratic, linear) and np.array_equal(linear, square):
        np.multiply(rows, square.astype(rows.dtype)[:, None], out=room)
    else:
        size = rows.shape[1] - model.inducing - 2
        for columns, scale in ((slice(size), quadratic), (slice(size, -2), linear), (slice(-2, -1), square)):
            np.multiply(rows[:, columns], scale.astype(rows.dtype)[:, None], out=room[:, columns])
    room[:, -1] = rows[:, -1]
    return room
