"""Topics of owners' images, matched by SPAHM and by baselines: what the paper does with vectors of words in books.

Owners have images of digits, each of few classes mostly, and scanners that add noise to every pixel. A topic is a
centre of k-means of an owner's images. How much a centre varies is known: as the images of its cluster, over their
number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.networks.shards import Shard
from coolgp.fusion.matching.sets.spahm import SPAHM, MatchedAtoms
from coolgp.fusion.matching.studies.outcome import Outcome, StudyDraw
from coolgp.fusion.matching.studies.simulated import STARTS, kmeans
from coolgp.fusion.matching.studies.training import CLASSES, dealt, loaded
from coolgp.network.base.randomness import generator

__all__ = ["Topics", "TopicsStudy", "topics_of"]

FLOOR = 1e-6
"""Least variance of a pixel of a centre: of pixels that are black in all images of an owner."""


@dataclass(frozen=True)
class Topics:
    """Of one owner: centres ``[k, D]``, and the variance of every pixel of them ``[k, D]``."""

    centres: Array
    variances: Array


@dataclass(frozen=True)
class TopicsStudy:
    """Topics of handwritten digits, each owner's found by k-means of its own images.

    groups: owners. concentration: of the shares of each class; the smaller, the fewer classes an owner has. topics: of
    an owner, at most half as many as it has images.
    """

    measures: ClassVar[tuple[str, ...]] = ("topic_accuracy", "topic_distance", "topics")
    facts: ClassVar[tuple[str, ...]] = ("noise_found", "seconds_training")
    extra: ClassVar[tuple[str, ...]] = ()
    level: ClassVar[str] = "standard deviation of a pixel's noise"
    truth: ClassVar[str] = "digits"
    methods: ClassVar[tuple[str, ...]] = (
        *("spahm", "spahm_variances", "greedy", "kmeans_alike", "random_alike", "all", "own", "kmeans_rows"),
    )
    remarks: ClassVar[tuple[str, ...]] = (
        "An image has the digit that is most frequent among training images with the same nearest topic. More topics "
        "are nearer to images: methods are to be compared at their numbers of topics.",
        "Both k-means and the random choice are told how many topics SPAHM finds; k-means of all images sees the "
        "images themselves.",
        "“Variances of the means” takes the variance of each centre to be known: that within its cluster, over its "
        "images.",
    )

    groups: Annotated[int, Ge(2)] = 10
    concentration: Annotated[float, Gt(0)] = 0.5
    topics: Annotated[int, Ge(1)] = 15

    def drawn(self, noise: float, seed: int, settings: SPAHM) -> StudyDraw:
        """See `SetsStudy`."""
        (x, y), test = loaded("digits", seed)
        rows = dealt(y, self.groups, self.concentration, seed)
        x = x + noise * generator(seed, "noise of scanners").normal(size=x.shape)
        started = perf_counter()
        owners = [topics_of(x[own], self.topics, seed) for own in rows]
        training, started = perf_counter() - started, perf_counter()
        matched = settings.match([own.centres for own in owners])
        seconds = perf_counter() - started
        outcomes = {"spahm": _outcome([matched.atoms], (x, y), test, seconds)}
        for name, method in _baselines(owners, settings, x, len(matched.counts), seed).items():
            started = perf_counter()
            found = method()
            outcomes[name] = _outcome(found, (x, y), test, perf_counter() - started)
        facts = {"noise_found": float(np.sqrt(matched.noise_variance.mean())), "seconds_training": training}
        return StudyDraw(CLASSES, outcomes, facts, _arrays(matched))


def topics_of(rows: Array, count: int, seed: int) -> Topics:
    """Topics of rows ``[n, D]``: centres of k-means, and their variances, pooled over clusters."""
    from sklearn.cluster import KMeans

    clusters = KMeans(min(count, len(rows) // 2), n_init=STARTS, random_state=seed).fit(rows)
    centres, labels = np.asarray(clusters.cluster_centers_), np.asarray(clusters.labels_)
    within = np.square(rows - centres[labels]).sum(axis=0) / (len(rows) - len(centres))
    return Topics(centres, np.maximum(within, FLOOR) / np.bincount(labels)[:, None])


def _baselines(
    owners: Sequence[Topics], settings: SPAHM, x: Array, count: int, seed: int
) -> dict[str, Callable[[], list[Array]]]:
    """Sets of topics by method: one, or one of each owner."""
    centres, greedy = [own.centres for own in owners], replace(settings, solver="greedy", sweeps=0)
    together = np.concatenate(centres)
    some = generator(seed, "random topics").permutation(len(together))[:count]
    return {
        "spahm_variances": lambda: [settings.match(centres, [own.variances for own in owners]).atoms],
        "greedy": lambda: [greedy.match(centres).atoms],
        "kmeans_alike": lambda: [kmeans(together, count, seed, STARTS)],
        "random_alike": lambda: [together[some]],
        "all": lambda: [together],
        "own": lambda: centres,
        "kmeans_rows": lambda: [kmeans(x, count, seed, STARTS)],
    }


def _outcome(found: Sequence[Array], train: Shard, test: Shard, seconds: float) -> Outcome:
    """The mean scores of sets of topics."""
    scores = np.mean([_scores(atoms, train, test) for atoms in found], axis=0)
    return Outcome(dict(zip(TopicsStudy.measures, map(float, scores), strict=True)), seconds)


def _scores(atoms: Array, train: Shard, test: Shard) -> tuple[float, float, float]:
    """Share of test rows with the right digit, root mean square distance from their topics, and number of topics."""
    counts = np.zeros((len(atoms), CLASSES))
    np.add.at(counts, (_distances(train[0], atoms).argmin(axis=1), train[1]), 1.0)
    distances = _distances(test[0], atoms)
    right = counts.argmax(axis=1)[distances.argmin(axis=1)] == test[1]
    return float(right.mean()), float(np.sqrt(distances.min(axis=1).mean())), float(len(atoms))


def _distances(x: Array, atoms: Array) -> Array:
    """Squared, of every row from every topic."""
    squares = np.square(x).sum(axis=1)[:, None] - 2.0 * x @ atoms.T + np.square(atoms).sum(axis=1)
    distances: Array = np.maximum(squares, 0.0)
    return distances


def _arrays(matched: MatchedAtoms) -> dict[str, Array | Indices]:
    """Matched topics, owners that have each, and the topic of every local one, owner by owner."""
    return {"atoms": matched.atoms, "counts": matched.counts, "labels": np.concatenate(matched.labels)}
