"""Hidden Markov models fitted apart: groups share some states and have others alone.

Sequences are drawn here; models are fitted and state paths decoded by hmmlearn. Source of the experiment: Yurochkin et
al. (NeurIPS 2019), section 4.3, on motion capture, with HDP-HMMs as local models.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.network.base.randomness import generator

__all__ = ["FittedStates", "Recording", "agreement", "drawn_recordings", "fitted_states", "pooled_covariances", "rand"]

SPREAD = 3.0
"""Standard deviation of state means in each dimension, where observations within a state have a variance of about 1."""
STAY = 0.95
"""Probability that a state lasts for another step."""
STEPS, TOLERANCE = 200, 1e-2
"""Of expectation maximisation: at most so many, until the log likelihood gains less."""


@dataclass(frozen=True)
class Recording:
    """What one group recorded.

    sequences: arrays ``[T, D]``; states ``[sum T]``: the true ones.
    """

    sequences: tuple[Array, ...]
    states: Indices

    @property
    def count(self) -> int:
        """How many states it was in."""
        return len(np.unique(self.states))


@dataclass(frozen=True)
class FittedStates:
    """A fitted Gaussian HMM of ``k`` states.

    means ``[k, D]``, covariances ``[k, D, D]``, path: the most probable states ``[sum T]``.
    """

    means: Array
    covariances: Array
    path: Indices

    @property
    def rows(self) -> Array:
        """Steps of the path in each state ``[k]``."""
        return np.bincount(self.path, minlength=len(self.means)).astype(float)


def drawn_recordings(
    seed: int,
    *,
    groups: int,
    sequences: int,
    length: int,
    dimensions: int,
    shared: int,
    own: int,
    noise: float,
) -> list[Recording]:
    """Recordings of groups that have ``shared`` states in common and ``own`` ones of their own.

    noise: standard deviation, in each dimension, of a group's copy of the mean of a state.
    """
    rng = generator(seed, "hidden states of groups")
    count = shared + groups * own
    means = SPREAD * rng.normal(size=(count, dimensions))
    factors = rng.normal(size=(count, dimensions, 2 * dimensions)) / np.sqrt(2 * dimensions)
    recordings = []
    for group in range(groups):
        ids = np.concatenate([np.arange(shared), shared + group * own + np.arange(own)])
        copies = means + noise * rng.normal(size=means.shape)
        paths = [ids[_path(len(ids), length, rng)] for _ in range(sequences)]
        observed = tuple(_observed(path, copies, factors, rng) for path in paths)
        recordings.append(Recording(observed, np.concatenate(paths)))
    return recordings


def fitted_states(sequences: Sequence[Array], count: int, starts: int, seed: int, kind: str) -> FittedStates:
    """The Gaussian HMM with so many states that is most likely, of several starts.

    kind: of covariances, "full" or "diag". Raises ImportError: hmmlearn.
    """
    from hmmlearn.hmm import GaussianHMM

    rows, lengths = np.concatenate(sequences), [len(sequence) for sequence in sequences]
    with _quiet():
        models: list[Any] = [
            GaussianHMM(
                count, covariance_type=kind, n_iter=STEPS, tol=TOLERANCE, random_state=(seed * starts + start) % 2**32
            )
            for start in range(starts)
        ]
        scores = [model.fit(rows, lengths).score(rows, lengths) for model in models]
        best = models[int(np.argmax(scores))]
        path = best.predict(rows, lengths)
    return FittedStates(np.asarray(best.means_), np.asarray(best.covars_), np.asarray(path))


def pooled_covariances(models: Sequence[FittedStates], labels: Sequence[Indices], atoms: Array) -> Array:
    """Covariances ``[L, D, D]`` of matched states: within the states and between their means, weighted by steps.

    labels: J arrays ``[k_j]``, the atom of each state; atoms ``[L, D]``. A state that no path visits counts as a step.
    """
    total, weights = np.zeros((len(atoms), atoms.shape[1], atoms.shape[1])), np.zeros(len(atoms))
    for model, own in zip(models, labels, strict=True):
        offset, steps = model.means - atoms[own], np.maximum(model.rows, 1.0)
        scatter = model.covariances + offset[:, :, None] * offset[:, None, :]
        np.add.at(total, own, steps[:, None, None] * scatter)
        np.add.at(weights, own, steps)
    return np.asarray(total / weights[:, None, None])


def agreement(truth: Indices, labels: Indices) -> float:
    """Share of steps with the true state, under the best one-to-one naming: 1 less the normalised Hamming distance.

    >>> agreement(np.array([0, 0, 1, 1]), np.array([7, 7, 7, 3]))
    0.75
    """
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics.cluster import contingency_matrix

    table = contingency_matrix(truth, labels)
    return float(table[linear_sum_assignment(table, maximize=True)].sum() / len(truth))


def rand(truth: Indices, labels: Indices) -> float:
    """The adjusted Rand index of two labellings, 1 where they are the same partition and about 0 by chance."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(truth, labels))


def _path(count: int, length: int, rng: np.random.Generator) -> Indices:
    """A path of states ``[length]`` that begins anywhere; a state that ends is followed by another with equal odds."""
    changes = rng.random(length) > STAY
    steps = rng.integers(1, max(count, 2), size=length)
    return np.asarray((rng.integers(count) + np.cumsum(changes * steps)) % count)


def _observed(path: Indices, means: Array, factors: Array, rng: np.random.Generator) -> Array:
    drawn = rng.normal(size=(len(path), factors.shape[2]))
    return np.asarray(means[path] + np.einsum("tdk,tk->td", factors[path], drawn))


@contextmanager
def _quiet() -> Iterator[None]:
    """hmmlearn logs every step that loses a rounding error of log likelihood: leave that out for a while."""
    log = logging.getLogger("hmmlearn")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
