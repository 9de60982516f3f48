"""A new task for an embedding: PAC-Bayes over prototypes, in closed derivatives.

A prototype is the decoder and the head at a style w: with draws z_i of the concept, kept throughout, it answers::

    r_i(x) = softmax_i log p(x|w,z_i)        etabar_w(x) = Σ_i r_i(x) softmax(head(z_i))

Styles of a new task are drawn from ``q = N(mean, exp log_variance)``, whose prior is what the embedding says of the
task's descriptor. Over M examples, with loss ``1 - etabar_y`` in [0, 1]::

    F_R(q) = E_q[loss] + sqrt((KL(q || prior) + log(M / δ)) / (2 M - 1))

With probability 1 - δ over independent examples the expected loss is at most F_R, as long as nets do not depend on
the examples. Source: equations 15 to 18 of the embedding's paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit, logsumexp, softmax

from coolgp.agents.base.arrays import Array, Booleans, Indices
from coolgp.fusion.prototypes.certificate import width
from coolgp.fusion.prototypes.embedding.architecture import Architecture
from coolgp.fusion.prototypes.embedding.normals import divergence, divergence_slopes, drawn, drawn_slopes, halves

__all__ = ["Examples", "Risk", "Slopes", "Styles", "prior_of", "risk", "slopes"]


@dataclass(frozen=True)
class Examples:
    """Rows ``x [M, D]`` of a new task with the places ``y [M]`` of their classes among all K; tau ``[T]``: its
    descriptor; within ``[K]``: which classes it has; delta: how often the certificate may fail.
    """

    x: Array
    y: Indices
    tau: Array
    within: Booleans
    delta: float = 0.05


@dataclass(frozen=True)
class Styles:
    """A normal distribution of styles, each ``[d]``."""

    mean: Array
    log_variance: Array


@dataclass(frozen=True)
class Risk:
    """loss: of a drawn prototype, mean; divergence: from the prior, nats; width: the root.

    effective: concepts that explain an example, ``1 / Σ r²``, median.
    """

    loss: float
    divergence: float
    width: float
    effective: float

    @property
    def bound(self) -> float:
        """F_R."""
        return self.loss + self.width


@dataclass(frozen=True)
class Slopes:
    """Derivatives of F_R by all nets ``[P]`` and by the styles' mean and log variance, each ``[d]``."""

    numbers: Array
    mean: Array
    log_variance: Array


def prior_of(numbers: Array, nets: Architecture, tau: Array) -> Styles:
    """What the embedding says of styles in a task with descriptor tau ``[T]``."""
    outputs, _ = nets.forward(numbers, "prior", tau[None])
    mean, log_variance, _ = halves(outputs[0])
    return Styles(mean, log_variance)


@dataclass(frozen=True)
class _Answers:
    """Prototypes at n styles with m concepts, asked about M examples of a task.

    images ``[n, m, D]``: logits of the decoder; shares ``[n, M, m]``: r; classes ``[m, K]``: the head's answers.
    """

    numbers: Array
    nets: Architecture
    examples: Examples
    styles: Array
    concepts: Array

    @cached_property
    def decoded(self) -> tuple[Array, list[Array]]:
        pairs = np.hstack(
            [self.styles.repeat(len(self.concepts), axis=0), np.tile(self.concepts, (len(self.styles), 1))]
        )
        return self.nets.forward(self.numbers, "decoder", pairs)

    @cached_property
    def headed(self) -> tuple[Array, list[Array]]:
        return self.nets.forward(self.numbers, "head", self.concepts)

    @cached_property
    def images(self) -> Array:
        return self.decoded[0].reshape(len(self.styles), len(self.concepts), -1)

    @cached_property
    def classes(self) -> Array:
        return np.asarray(softmax(self.headed[0], axis=1))

    @cached_property
    def shares(self) -> Array:
        logs = self.examples.x @ self.images.swapaxes(1, 2) - np.logaddexp(0.0, self.images).sum(axis=2)[:, None]
        return np.asarray(np.exp(logs - logsumexp(logs, axis=2, keepdims=True)))

    @cached_property
    def mass(self) -> Array:
        """Of the task's classes ``[n, M]``."""
        return self.shares @ (self.classes @ self.examples.within)

    @cached_property
    def right(self) -> Array:
        """Share of the right class among the task's, ``[n, M]``."""
        of_right = np.einsum("nbi,bi->nb", self.shares, self.classes[:, self.examples.y].T)
        shares: Array = of_right / self.mass
        return shares

    def by_images(self) -> Array:
        """Derivatives of the mean loss by the decoder's logits ``[n m, D]``."""
        own = self.classes[:, self.examples.y].T - self.right[:, :, None] * (self.classes @ self.examples.within)
        by_logs = -self.shares * own / self.mass[:, :, None] / self.right.size  # [n, M, m]
        slopes = by_logs.swapaxes(1, 2) @ self.examples.x - by_logs.sum(axis=1)[:, :, None] * expit(self.images)
        flat: Array = slopes.reshape(-1, slopes.shape[2])
        return flat

    def by_head(self) -> Array:
        """Derivatives of the mean loss by the head's logits ``[m, K]``."""
        scaled = self.shares / self.mass[:, :, None] / self.right.size
        by_classes = np.einsum("nbi,nb->i", scaled, self.right)[:, None] * self.examples.within
        np.add.at(by_classes.T, self.examples.y, -scaled.sum(axis=0))
        inner = (by_classes * self.classes).sum(axis=1, keepdims=True)
        slopes: Array = self.classes * (by_classes - inner)
        return slopes


def risk(numbers: Array, nets: Architecture, examples: Examples, styles: Styles, noise: Array, concepts: Array) -> Risk:
    """F_R for standard normal noise ``[n, d]`` and concepts ``[m, d_z]``."""
    drawn_styles = drawn(styles.mean, styles.log_variance, noise)
    answers = _Answers(numbers, nets, examples, drawn_styles, concepts)
    prior = prior_of(numbers, nets, examples.tau)
    apart = float(divergence(styles.mean, styles.log_variance, prior.mean, prior.log_variance))
    root = width(apart, len(examples.y), examples.delta)
    effective = np.median(1.0 / np.square(answers.shares).sum(axis=2))
    return Risk(float(1.0 - answers.right.mean()), apart, root, float(effective))


def slopes(
    numbers: Array, nets: Architecture, examples: Examples, styles: Styles, noise: Array, concepts: Array
) -> Slopes:
    """Derivatives of `risk`, by hand."""
    gradient = np.zeros_like(numbers)
    answers = _Answers(numbers, nets, examples, drawn(styles.mean, styles.log_variance, noise), concepts)
    nets.backward(numbers, "head", answers.headed[1], answers.by_head(), gradient)
    by_pairs = nets.backward(numbers, "decoder", answers.decoded[1], answers.by_images(), gradient)
    by_styles = by_pairs[:, : nets.style].reshape(len(noise), len(concepts), -1).sum(axis=1)
    mean, log_variance = (slope.sum(axis=0) for slope in drawn_slopes(by_styles, styles.log_variance, noise))
    by_mean, by_log_variance = _by_width(numbers, nets, examples, styles, gradient)
    return Slopes(gradient, mean + by_mean, log_variance + by_log_variance)


def _by_width(
    numbers: Array, nets: Architecture, examples: Examples, styles: Styles, gradient: Array
) -> tuple[Array, Array]:
    """Derivatives of the root in F_R by the styles' mean and log variance; those by the prior go into the gradient."""
    outputs, entering = nets.forward(numbers, "prior", examples.tau[None])
    prior_mean, prior_log, free = halves(outputs[0])
    pair = styles.mean, styles.log_variance, prior_mean, prior_log
    root = width(float(divergence(*pair)), len(examples.y), examples.delta)
    scale = 0.5 / (root * (2 * len(examples.y) - 1))
    by_mean, by_log_variance, by_prior, by_prior_log = (scale * slope for slope in divergence_slopes(*pair))
    nets.backward(numbers, "prior", entering, np.hstack([by_prior, by_prior_log * free])[None], gradient)
    return by_mean, by_log_variance
