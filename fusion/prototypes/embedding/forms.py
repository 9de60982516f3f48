"""Three ways in which a new task moves an embedding: its styles alone, the head's last layer too, or all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.prototypes.embedding.adaptation import Examples, Styles, prior_of, slopes
from coolgp.fusion.prototypes.embedding.architecture import Architecture
from coolgp.fusion.prototypes.embedding.mlp import Adam
from coolgp.fusion.prototypes.embedding.records import Records
from coolgp.fusion.prototypes.embedding.training import Training, batches, directions, objective

__all__ = ["FORMS", "Embedded", "Form", "Moves", "embedded", "joint", "styles_alone", "styles_and_head"]


@dataclass(frozen=True)
class Embedded:
    """An embedding and the styles of one task. numbers ``[P]``: of all nets; concepts ``[m, d_z]``: draws of z."""

    nets: Architecture
    numbers: Array
    styles: Styles
    concepts: Array


@dataclass(frozen=True)
class Moves:
    """How far a task moves it. steps, rate: of Adam on styles and head. styles: draws of w in each step.

    joint_epochs, joint_rate, joint_styles_rate: of the joint form; weight: ρ of F_R there; joint_concepts,
    joint_draws: fresh draws of z and w in each of its steps.
    """

    steps: int = 60
    rate: float = 0.05
    draws: int = 8
    joint_epochs: int = 8
    joint_rate: float = 1e-3
    joint_styles_rate: float = 0.02
    weight: float = 5.0
    joint_concepts: int = 200
    joint_draws: int = 4


@dataclass(frozen=True)
class Context:
    """What an embedding was trained on, and how, with the random numbers of this task."""

    records: Records
    training: Training
    moves: Moves
    random: np.random.Generator


Form = Callable[[Embedded, Examples, Context], Embedded]


def embedded(numbers: Array, nets: Architecture, tau: Array, concepts: Array) -> Embedded:
    """Before any example: styles are drawn from their prior."""
    return Embedded(nets, numbers, prior_of(numbers, nets, tau), concepts)


def styles_alone(start: Embedded, examples: Examples, context: Context) -> Embedded:
    """Nets stay as they are, so that the certificate holds."""
    return _descended(start, examples, context, slice(0, 0))


def styles_and_head(start: Embedded, examples: Examples, context: Context) -> Embedded:
    """The last layer of the head learns classes that no expert knows. No certificate."""
    return _descended(start, examples, context, start.nets.last_layer)


def joint(start: Embedded, examples: Examples, context: Context) -> Embedded:
    """All nets go on with the records and the examples, up ``mean(L - ζ F) - ρ F_R``. No certificate."""
    nets, moves, random = start.nets, context.moves, context.random
    numbers, styles = start.numbers, np.concatenate([start.styles.mean, start.styles.log_variance])
    by_nets, by_styles = Adam(moves.joint_rate), Adam(moves.joint_styles_rate)
    for _ in range(moves.joint_epochs):
        for batch, noise in batches(context.records, nets, context.training.batch, random):
            _, gradient = objective(numbers, nets, batch, noise, context.training.leakage)
            concepts = random.normal(size=(moves.joint_concepts, nets.concept))
            draws = random.normal(size=(moves.joint_draws, nets.style))
            down = slopes(numbers, nets, examples, _styles(styles), draws, concepts)
            up = directions(gradient, nets, context.training) - moves.weight * down.numbers
            move, by_nets = by_nets.step(up)
            shift, by_styles = by_styles.step(-np.concatenate([down.mean, down.log_variance]))
            numbers, styles = numbers + move, styles + shift
    return Embedded(nets, numbers, _styles(styles), start.concepts)


FORMS: dict[str, Form] = {"lambda": styles_alone, "lambda+head": styles_and_head, "joint": joint}
"""By the name that users give."""


def _descended(start: Embedded, examples: Examples, context: Context, free: slice) -> Embedded:
    """Steps down F_R in the styles and in some of the nets' numbers."""
    numbers, count = start.numbers.copy(), len(start.styles.mean)
    values = np.concatenate([start.styles.mean, start.styles.log_variance, numbers[free]])
    adam = Adam(context.moves.rate)
    for _ in range(context.moves.steps):
        noise = context.random.normal(size=(context.moves.draws, count))
        down = slopes(numbers, start.nets, examples, _styles(values[: 2 * count]), noise, start.concepts)
        move, adam = adam.step(-np.concatenate([down.mean, down.log_variance, down.numbers[free]]))
        values = values + move
        numbers[free] = values[2 * count :]
    return Embedded(start.nets, numbers, _styles(values[: 2 * count]), start.concepts)


def _styles(values: Array) -> Styles:
    mean, log_variance = np.split(values, 2)
    return Styles(mean, log_variance)
