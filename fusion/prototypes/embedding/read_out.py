"""Three ways to read classes out of prototypes at drawn styles: by votes, by their mean, or by their evidence.

Axes: ``n`` styles, ``m`` concepts, ``Q`` queries, ``C`` classes of the task, ``D`` inputs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax

from coolgp.agents.base.arrays import Array, Booleans
from coolgp.fusion.prototypes.embedding.forms import Embedded
from coolgp.fusion.prototypes.embedding.normals import drawn, halves

__all__ = ["READ_OUTS", "ReadOut", "log_joint", "log_joint_near", "mixture", "soft", "vote"]

CHUNK = 4_000_000
"""Numbers of decoded images at a time."""
INFLATED = 4.0
"""Variance of a proposal over the encoder's, so that no region of weight is missed."""

ReadOut = Callable[[Array], Array]
"""From ``log Σ_i p(x|w_j,z_i) s_c(z_i) [n, Q, C]`` to probabilities ``[Q, C]``."""


def log_joint(embedding: Embedded, x: Array, within: Booleans, noise: Array) -> Array:
    """``log Σ_i p(x|w_j,z_i) s_c(z_i)``, nats ``[n, Q, C]``, at x ``[Q, D]``, for styles of noise ``[n, d]``."""
    nets, numbers = embedding.nets, embedding.numbers
    logits, _ = nets.forward(numbers, "head", embedding.concepts)
    answers = log_softmax(logits, axis=1)[:, within]  # [m, C]
    each = []
    for style in drawn(embedding.styles.mean, embedding.styles.log_variance, noise):
        pairs = np.hstack([np.broadcast_to(style, (len(embedding.concepts), len(style))), embedding.concepts])
        images, _ = nets.forward(numbers, "decoder", pairs)
        logs = x @ images.T - np.logaddexp(0.0, images).sum(axis=1)  # [Q, m]
        each.append(np.stack([logsumexp(logs + column, axis=1) for column in answers.T], axis=1))
    return np.stack(each)


def log_joint_near(embedding: Embedded, x: Array, within: Booleans, noise: Array, draws: Array) -> Array:
    """`log_joint` by importance sampling, an estimate of the same integral from few concepts for each query.

    Concepts come from a proposal: what the encoder says of x ``[Q, D]`` and an answer that prefers no class of the
    task, with `INFLATED` times the variance; draws ``[S, d_z]``: standard normal, the same for all queries. They weigh
    ``p(z) / proposal(z)``. Where inputs are many, of concepts from the prior only the nearest image counts.
    """
    size = max(CHUNK // (len(draws) * x.shape[1]), 1)
    parts = [x[start : start + size] for start in range(0, len(x), size)]
    return np.concatenate([_near(embedding, part, within, noise, draws) for part in parts], axis=1)


def _near(embedding: Embedded, x: Array, within: Booleans, noise: Array, draws: Array) -> Array:
    nets, numbers = embedding.nets, embedding.numbers
    concepts, weights = proposed(embedding, x, within, draws)  # [Q, S, d_z], [Q, S]
    logits, _ = nets.forward(numbers, "head", concepts)
    answers = log_softmax(logits, axis=2)[:, :, within] + weights[:, :, None]
    each = []
    for style in drawn(embedding.styles.mean, embedding.styles.log_variance, noise):
        pairs = np.concatenate([np.broadcast_to(style, (*weights.shape, len(style))), concepts], axis=2)
        images, _ = nets.forward(numbers, "decoder", pairs)
        logs = np.einsum("qd,qsd->qs", x, images) - np.logaddexp(0.0, images).sum(axis=2)
        each.append(logsumexp(logs[:, :, None] + answers, axis=1))
    return np.stack(each)


def proposed(embedding: Embedded, x: Array, within: Booleans, draws: Array) -> tuple[Array, Array]:
    """Concepts ``[Q, S, d_z]`` of the proposal for each query, and ``log p(z) - log proposal(z) [Q, S]``."""
    flat = np.broadcast_to(within / within.sum(), (len(x), len(within)))
    outputs, _ = embedding.nets.forward(embedding.numbers, "concept", x, flat)
    mean, log_variance, _ = halves(outputs)
    wide = log_variance + np.log(INFLATED)
    concepts = drawn(mean[:, None], wide[:, None], draws)
    by_prior, by_proposal = np.square(concepts), np.square(draws) + wide[:, None]
    return concepts, 0.5 * (by_proposal - by_prior).sum(axis=2)


def soft(logs: Array) -> Array:
    """The mean of what prototypes say: its Gibbs loss is the loss of this model."""
    return np.asarray(softmax(logs, axis=2).mean(axis=0))


def vote(logs: Array) -> Array:
    """The share of prototypes whose most likely class it is, as printed (equation 12)."""
    best = logs.argmax(axis=2)[:, :, None] == np.arange(logs.shape[2])
    shares: Array = best.mean(axis=0)
    return shares


def mixture(logs: Array) -> Array:
    """Prototypes weigh by their evidence for x (equation 9)."""
    return np.asarray(softmax(logsumexp(logs, axis=0), axis=1))


READ_OUTS: dict[str, ReadOut] = {"soft": soft, "vote": vote, "mixture": mixture}
"""By the name that users give."""
