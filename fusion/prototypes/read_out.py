"""Three ways to read classes out of prototypes at drawn styles: by votes, by their mean, or by their evidence.

Axes: ``n`` styles, ``m`` concepts, ``Q`` queries, ``C`` classes of the task, ``D`` inputs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax

from coolgp.agents.base.arrays import Array, Booleans
from coolgp.fusion.prototypes.forms import Embedded
from coolgp.fusion.prototypes.normals import drawn

__all__ = ["READ_OUTS", "ReadOut", "log_joint", "mixture", "soft", "vote"]

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
