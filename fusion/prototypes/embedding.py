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

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, log_softmax

from coolgp.agents.base.arrays import Array
from coolgp.fusion.prototypes.architecture import Architecture
from coolgp.fusion.prototypes.mlp import Adam, backward, forward
from coolgp.fusion.prototypes.normals import divergence, divergence_slopes, drawn, drawn_slopes, halves
from coolgp.fusion.prototypes.records import Records

__all__ = ["Critic", "Terms", "Training", "objective", "trained"]

Critic = Literal["rival", "printed"]


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


def objective(
    numbers: Array, nets: Architecture, records: Records, noise: tuple[Array, Array], leakage: float
) -> tuple[Terms, Array]:
    """Terms at all nets' numbers ``[P]``, and directions: of L - ζ F by all but the critic, of F by the critic.

    noise: standard normal draws for z ``[B, 5]`` and w ``[B, 2]``.
    """
    at, units, rows = nets.places, nets.units, len(records)
    gradient = np.zeros_like(numbers)

    def answer(net: str, *inputs: Array) -> tuple[Array, list[Array]]:
        return forward(numbers[at[net]], units[net], np.hstack(inputs))

    def back(net: str, entering: list[Array], slope: Array) -> Array:
        gradient[at[net]], by_inputs = backward(numbers[at[net]], units[net], entering, slope / rows)
        return by_inputs * rows

    encoded_z, into_concept = answer("concept", records.x, records.eta)
    encoded_w, into_style = answer("style", records.x, records.tau)
    prior, into_prior = answer("prior", records.tau)
    (mean_z, log_z, free_z), (mean_w, log_w, free_w) = halves(encoded_z), halves(encoded_w)
    prior_mean, prior_log, prior_free = halves(prior)
    z, w = drawn(mean_z, log_z, noise[0]), drawn(mean_w, log_w, noise[1])

    logits, into_decoder = answer("decoder", w, z)
    by_decoder = back("decoder", into_decoder, records.x - expit(logits))
    class_logits, into_head = answer("head", z)
    imitation, slope = _cross_entropy(records.eta, class_logits)
    by_head = back("head", into_head, slope)
    class_logits, into_critic = answer("critic", w)
    leak, slope = _cross_entropy(records.eta, class_logits)
    by_critic = back("critic", into_critic, slope)

    styles = nets.style
    draw_w = drawn_slopes(by_decoder[:, :styles] - leakage * by_critic, log_w, noise[1])
    draw_z = drawn_slopes(by_decoder[:, styles:] + by_head, log_z, noise[0])
    from_w = divergence_slopes(mean_w, log_w, prior_mean, prior_log)
    from_z = divergence_slopes(mean_z, log_z, 0.0, 0.0)
    back("style", into_style, np.hstack([draw_w[0] - from_w[0], (draw_w[1] - from_w[1]) * free_w]))
    back("concept", into_concept, np.hstack([draw_z[0] - from_z[0], (draw_z[1] - from_z[1]) * free_z]))
    back("prior", into_prior, -np.hstack([from_w[2], from_w[3] * prior_free]))

    reconstruction = (records.x * logits - np.logaddexp(0.0, logits)).sum(axis=1)
    terms = (
        reconstruction,
        imitation,
        divergence(mean_z, log_z, 0.0, 0.0),
        divergence(mean_w, log_w, prior_mean, prior_log),
        leak,
    )
    return Terms(*(float(term.mean()) for term in terms)), gradient


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


def _cross_entropy(eta: Array, logits: Array) -> tuple[Array, Array]:
    """``Σ η log softmax [B]``, and its slope by the logits ``[B, K]``."""
    logs = log_softmax(logits, axis=1)
    return (eta * logs).sum(axis=1), eta - eta.sum(axis=1, keepdims=True) * np.exp(logs)


def _mean(terms: list[Terms]) -> Terms:
    names = ("reconstruction", "imitation", "concept", "style", "critic")
    return Terms(**{name: float(np.mean([getattr(each, name) for each in terms])) for name in names})
