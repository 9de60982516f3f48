"""The embedding of black boxes: inputs and answers, explained by a concept and a style, and its training.

A record is an input x, an expert's answer η and the descriptor τ of its task. The concept z is all that η depends on,
and has one prior; the style w has a prior that depends on τ. With ψ a critic that tries to tell η from w, nets are
trained on a game::

    max over all but ψ:  E[ L - ζ F ]    L = E log p(x|w,z) + E log p(η|z) - KL(q(z|x,η) || N(0,I)) - KL(q(w|x,τ) || p(w|τ))
    max over ψ:          E[ F ]          F = E log q_ψ(η|w) <= -H(η|w)

Source: Hoang, Lam, Low & Jaillet, "Learning Task-Agnostic Embedding of Multiple Black-Box Experts for Multi-Task Model
Fusion", ICML 2020, equations 3 to 14. As printed, ψ goes down F with all the others, and F falls without bound; that
is ``critic="printed"``, for the test that shows it.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, log_softmax

from coolgp.agents.base.arrays import Array
from coolgp.fusion.prototypes.embedding.architecture import Architecture
from coolgp.fusion.prototypes.embedding.mlp import Adam
from coolgp.fusion.prototypes.embedding.normals import divergence, divergence_slopes, drawn, drawn_slopes, halves
from coolgp.fusion.prototypes.embedding.records import Records

__all__ = ["Critic", "Terms", "Training", "objective", "trained"]

Critic = Literal["rival", "printed"]
Scored = Callable[[Array, Array], tuple[Array, Array]]
"""From what is to be answered and logits, both ``[B, O]``, to log likelihoods ``[B]`` and slopes by the logits."""


@dataclass(frozen=True)
class Terms:
    """Means over records, nats: what the game is about. style: divergence of w from its prior."""

    reconstruction: float
    imitation: float
    concept: float
    style: float
    critic: float

    @property
    def bound(self) -> float:
        """L, but for the constant log p(τ)."""
        return self.reconstruction + self.imitation - self.concept - self.style


@dataclass(frozen=True)
class Training:
    """How nets are trained. leakage: ζ, what it costs that w tells of answers. rate, batch: of Adam."""

    epochs: int = 40
    rate: float = 2e-3
    batch: int = 64
    leakage: float = 1.0
    critic: Critic = "rival"


@dataclass(frozen=True)
class _Normal:
    """What a network answers of z or w: mean and log variance ``[B, d]``, and where the latter was not held."""

    net: str
    mean: Array
    log_variance: Array
    free: Array
    entering: list[Array]

    def drawn(self, noise: Array) -> Array:
        return drawn(self.mean, self.log_variance, noise)


@dataclass(frozen=True)
class _Pass:
    """Through the networks and back, on B records: derivatives of means over these gather in the gradient ``[P]``."""

    numbers: Array
    nets: Architecture
    gradient: Array
    rows: int

    def normal(self, net: str, *inputs: Array) -> _Normal:
        outputs, entering = self.nets.forward(self.numbers, net, *inputs)
        return _Normal(net, *halves(outputs), entering)

    def likelihood(self, net: str, scored: Scored, target: Array, *inputs: Array) -> tuple[Array, Array]:
        """Log likelihood ``[B]`` of what a network is to answer, and its derivatives by the inputs."""
        outputs, entering = self.nets.forward(self.numbers, net, *inputs)
        values, slope = scored(target, outputs)
        return values, self._back(net, entering, slope)

    def back(self, normal: _Normal, by_mean: Array, by_log_variance: Array) -> None:
        """Derivatives by what a network answers of z or w go into the gradient."""
        self._back(normal.net, normal.entering, np.hstack([by_mean, by_log_variance * normal.free]))

    def back_draw(self, normal: _Normal, noise: Array, by_draw: Array, by_divergence: Sequence[Array]) -> None:
        """Those by a draw, less those of its divergence from the prior."""
        by_mean, by_log_variance = drawn_slopes(by_draw, normal.log_variance, noise)
        self.back(normal, by_mean - by_divergence[0], by_log_variance - by_divergence[1])

    def _back(self, net: str, entering: list[Array], slope: Array) -> Array:
        return self.nets.backward(self.numbers, net, entering, slope / self.rows, self.gradient) * self.rows


def objective(
    numbers: Array, nets: Architecture, records: Records, noise: tuple[Array, Array], leakage: float
) -> tuple[Terms, Array]:
    """Terms at all nets' numbers ``[P]``, and directions: of L - ζ F by all but the critic, of F by the critic.

    noise: standard normal draws for z ``[B, 5]`` and w ``[B, 2]``.
    """
    steps = _Pass(numbers, nets, np.zeros_like(numbers), len(records))
    concept, style = steps.normal("concept", records.x, records.eta), steps.normal("style", records.x, records.tau)
    prior = steps.normal("prior", records.tau)
    z, w = concept.drawn(noise[0]), style.drawn(noise[1])
    reconstruction, by_pair = steps.likelihood("decoder", _bernoulli, records.x, w, z)
    imitation, by_z = steps.likelihood("head", _cross_entropy, records.eta, z)
    leak, by_w = steps.likelihood("critic", _cross_entropy, records.eta, w)

    of_concept = concept.mean, concept.log_variance, 0.0, 0.0
    of_style = style.mean, style.log_variance, prior.mean, prior.log_variance
    from_z, from_w = divergence_slopes(*of_concept), divergence_slopes(*of_style)
    steps.back_draw(style, noise[1], by_pair[:, : nets.style] - leakage * by_w, from_w)
    steps.back_draw(concept, noise[0], by_pair[:, nets.style :] + by_z, from_z)
    steps.back(prior, -from_w[2], -from_w[3])
    terms = reconstruction, imitation, divergence(*of_concept), divergence(*of_style), leak
    return Terms(*(float(term.mean()) for term in terms)), steps.gradient


def directions(gradient: Array, nets: Architecture, training: Training) -> Array:
    """Where nets go ``[P]``: the critic up its own F, or, as printed, up -ζ F."""
    if training.critic == "rival":
        return gradient
    turned = gradient.copy()
    turned[nets.places["critic"]] *= -training.leakage
    return turned


def trained(
    numbers: Array, nets: Architecture, records: Records, training: Training, random: np.random.Generator
) -> tuple[Array, list[Terms]]:
    """Nets after some epochs from these ``[P]``, and the mean terms of each epoch."""
    adam, history = Adam(training.rate), []
    for _ in range(training.epochs):
        terms = []
        for batch, noise in batches(records, nets, training.batch, random):
            of_batch, gradient = objective(numbers, nets, batch, noise, training.leakage)
            move, adam = adam.step(directions(gradient, nets, training))
            numbers = numbers + move
            terms.append(of_batch)
        history.append(_mean(terms))
    return numbers, history


def batches(
    records: Records, nets: Architecture, size: int, random: np.random.Generator
) -> Iterator[tuple[Records, tuple[Array, Array]]]:
    """One pass over the records in random order, with noise for each."""
    order = random.permutation(len(records))
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        noise = random.normal(size=(len(chosen), nets.concept)), random.normal(size=(len(chosen), nets.style))
        yield records[chosen], noise


def _bernoulli(x: Array, logits: Array) -> tuple[Array, Array]:
    """``Σ x log p + (1 - x) log(1 - p) [B]`` for p the logistic function of the logits, and its slope by these."""
    return (x * logits - np.logaddexp(0.0, logits)).sum(axis=1), x - expit(logits)


def _cross_entropy(eta: Array, logits: Array) -> tuple[Array, Array]:
    """``Σ η log softmax [B]``, and its slope by the logits ``[B, K]``."""
    logs = log_softmax(logits, axis=1)
    return (eta * logs).sum(axis=1), eta - eta.sum(axis=1, keepdims=True) * np.exp(logs)


def _mean(terms: list[Terms]) -> Terms:
    names = ("reconstruction", "imitation", "concept", "style", "critic")
    return Terms(**{name: float(np.mean([getattr(each, name) for each in terms])) for name in names})
