"""Hyper-parameters on trial: candidates replace those in use once they predict better what nobody has learned.

A candidate follows the bound: its projection by steps of Adam along the gradient, its variances at the maximum. Before
rows are learned, they are predicted under both settings from the same sums. The log of the ratio of both predictive
densities adds up over rounds; by the chain rule it is the log ratio of the evidence of all these rows. At ``ACCEPT``
nats the candidate takes over and its steps grow; at ``-ACCEPT`` it starts again from what is in use, by shorter steps.
Were the present hyper-parameters true, another candidate would take over with a probability of at most
``exp(-ACCEPT)``, however often it is looked at (Ville's inequality): a candidate is chosen before the rows are seen, so
that the ratio is a test martingale.

What predicts better when little is known may predict worse once much is. So what is in use stays on trial itself,
against the start: in every other round rows are predicted under these two, and at ``-ACCEPT`` nats agents go back.

Columns of ``trial [A, 7]``: the log ratio; how much smaller squared errors are, in the same unit, which must not be
larger either; the logarithm of a factor of the steps; rounds of the trial; by how much its rows told the two apart,
whichever was better; and the first two of what is in use against the start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array
from coolgp.agents.batches import Batch
from coolgp.agents.model import Model
from coolgp.agents.population import Population
from coolgp.agents.prediction import Posterior
from coolgp.agents.predictive_scores import log_loss, predict_rows_at, square_loss

__all__ = ["Adam", "confirmed", "gains", "judged", "promoted", "step"]

ACCEPT = 3.0
"""Nats by which a candidate must be better, or worse, for a decision; better by more, the shorter steps have become:
after each trial that was lost it is less likely that chance alone lets one win."""
LEEWAY = 0.5
"""Nats that squared errors may seem larger by, as they do by chance."""
LONG = 8
"""Rounds after which a trial that decides nothing ends, and another begins by shorter steps."""
IDLE = 1.0
"""Nats below which a trial decides nothing by then."""
ALIKE = 0.5
"""Nats below which rows tell nothing apart, one way or the other: the candidate takes over, for the bound is above."""
MOST = 1.0
"""Nats that one round can add: outliers of a single round decide nothing."""
LONGER, SHORTER = np.log(1.25), np.log(0.6)
LONGEST, SHORTEST = np.log(4.0), np.log(1.0 / 16.0)
FACTOR = np.eye(7)[2]
"""The column of the factor."""


@dataclass(frozen=True)
class Adam:
    """Steps of about ``rate`` in log units along the gradient (Kingma & Ba, ICLR-15)."""

    rate: float
    decay: float = 0.9
    decay_square: float = 0.99
    floor: float = 1e-8


def gains(model: Model, thetas: tuple[Array, Array], beliefs: tuple[Posterior, Posterior], batch: Batch) -> Array:
    """By how much the second of two hyper-parameters ``[A, K]`` predicts each agent's rows better, ``[A, 2]``.

    Each with its posteriors, ``A`` or one where all agree: difference of log densities, and of squared errors in units
    of twice the first's noise variance; summed over the rows of the batch.
    """
    now, then = (predict_rows_at(model, *asked, batch.x) for asked in zip(thetas, beliefs, strict=True))
    scale = 0.5 / now.noise_variance[:, None]
    closer = scale * (square_loss(now, batch.y) - square_loss(then, batch.y))
    gain = np.stack([log_loss(now, batch.y) - log_loss(then, batch.y), closer], axis=-1)
    summed: Array = np.where(batch.mask[..., None] > 0, gain, 0.0).sum(-2)
    return summed


def step(population: Population, adam: Adam, candidate: Array, slope: Array) -> Population:
    """Move candidates from ``[A, K]`` along gradients ``[A, K]``."""
    steps = population.steps + 1
    first = adam.decay * population.moments[:, 0] + (1 - adam.decay) * slope
    second = adam.decay_square * population.moments[:, 1] + (1 - adam.decay_square) * np.square(slope)
    corrected = first / (1 - adam.decay**steps)
    scale = np.sqrt(second / (1 - adam.decay_square**steps)) + adam.floor
    rate = adam.rate * np.exp(population.trial[:, 2:3])
    moved = population.model.layout.bounded(candidate + rate * corrected / scale, population.origin)
    return replace(population, candidate=moved, moments=np.stack([first, second], axis=1), steps=steps)


def judged(population: Population, candidate: Array, gain: Array, patience: float = LONG) -> Population:
    """Count gains ``[A, 2]`` of candidates ``[A, K]``, and take in those that won and send back those that lost.

    patience: rounds of a trial after which it ends where it decides nothing. Where sums are not about ``f`` itself, old
    sums do not show what a candidate is worth: it takes over at once.
    """
    if not population.model.basis.moves:
        moved = promoted(population, candidate, np.ones(population.size, dtype=bool))
        return replace(moved, candidate=candidate)
    known, counted = population.trial, np.clip(gain, -MOST, MOST)
    scores, rounds = known[:, :2] + counted, known[:, 3] + gain.any(axis=1)
    told = known[:, 4] + np.abs(counted).max(axis=1)
    lost = np.asarray((scores <= -ACCEPT).any(axis=1))
    won = ~lost & (scores[:, 0] >= ACCEPT - np.minimum(known[:, 2], 0.0)) & (scores[:, 1] >= -LEEWAY)
    late = ~lost & ~won & (rounds >= patience) & (scores[:, 0] < IDLE)
    alike = late & (told < ALIKE)
    factor = known[:, 2] + np.where(won, LONGER, np.where(lost | late, SHORTER, 0.0))
    run = np.where((lost | won | late)[:, None], 0.0, np.column_stack([scores, rounds, told]))
    trial = np.column_stack([run[:, :2], np.clip(factor, SHORTEST, LONGEST), run[:, 2:], known[:, 5:]])
    moved = promoted(population, candidate, won | alike)
    return _sent_back(replace(moved, candidate=candidate, trial=trial), lost | late)


def confirmed(population: Population, candidate: Array, gain: Array) -> Population:
    """Count gains ``[A, 2]`` of what is in use over the start; agents go back to it where it predicts better.

    candidate ``[A, K]``: what agents have on trial meanwhile. Gains count up to `ACCEPT` alone: what predicted better
    when little was known does not make up for what predicts worse later.
    """
    scores = np.minimum(population.trial[:, 5:] + np.clip(gain, -MOST, MOST), ACCEPT)
    back = np.asarray((scores <= -ACCEPT).any(axis=1))
    trial = np.concatenate([population.trial[:, :5], scores], axis=1)
    trial[back] = np.maximum(population.trial[back, 2:3] + SHORTER, SHORTEST) * FACTOR
    counted = replace(population, candidate=candidate, trial=trial)
    return _sent_back(promoted(counted, population.start, back), back)


def _sent_back(population: Population, lost: npt.NDArray[np.bool_]) -> Population:
    """Candidates of some agents ``[A]`` are what these use again."""
    return replace(
        population,
        candidate=np.where(lost[:, None], population.theta, population.candidate),
        moments=np.where(lost[:, None, None], 0.0, population.moments),
    )


def promoted(population: Population, theta: Array, won: npt.NDArray[np.bool_]) -> Population:
    """Agents of which some ``[A]`` use other hyper-parameters ``[A, K]`` from now on; their sums are taken along."""
    if not won.any():
        return population
    model, moved = population.model, np.where(won[:, None], theta, population.theta)
    statistics, anchor = model.encoding.move(model, population.statistics, population.anchor, moved)
    return replace(population, statistics=statistics, theta=moved, anchor=anchor)
