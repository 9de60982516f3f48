"""Which inducing inputs, or pairs of input and response, a fused model has, of all that its owners bring.

* "matched", the default: the means of those that match.
* "k-means": centres of clusters; "random": some of them; to compare, each as many as matching finds.
* "all": every one that is not there twice.

Where there are more than ``max_inputs``, those are kept that tell most of the others: one after another the one with
the largest prior variance given those before. In the form "evidence" the evidence of all owners is carried into what
is kept; in the published form a dropped pair is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.features.inducing import pivots
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.matching.core.sweeps import renumbered
from coolgp.fusion.matching.gps.agreement import common_prior
from coolgp.fusion.matching.gps.matched import Matcher, matched, standardised
from coolgp.network.base.randomness import generator
from coolgp.network.graphs.topology import Topology

__all__ = ["Inputs", "Selection", "Selector", "dropped_of", "label_means"]

Inputs = Literal["matched", "k-means", "random", "all"]
STARTS = 10
"""Of k-means."""
Choice = Callable[[Array, Array, int, int], Indices]
"""From distinct rows ``[U, E]``, how often each is there ``[U]``, how many to choose, and a seed, to labels ``[U]``."""


@dataclass(frozen=True)
class Selection:
    """rows ``[L, E]``, in original units. labels: J arrays ``[M_j]``, -1 where dropped.
    objective ``[T]``: of matching."""

    rows: Array
    labels: tuple[Indices, ...]
    objective: Array

    @property
    def dropped(self) -> int:
        """How many rows of the owners have none in their place."""
        return dropped_of(self.labels)


@dataclass(frozen=True)
class Selector:
    """How inducing inputs are selected. seed: of k-means and of random ones."""

    inputs: Inputs = "matched"
    max_inputs: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        known = ("matched", *CHOICES)
        if self.inputs not in known:
            raise ValueError(f"Inducing inputs are one of {', '.join(known)}; got {self.inputs!r}")
        if self.max_inputs is not None and self.max_inputs < 1:
            raise ValueError(f"A fused model needs at least one inducing input; got max_inputs = {self.max_inputs}")

    def selected(
        self, columns: Sequence[Array], owners: Sequence[SparseGP], matcher: Matcher, topology: Topology | None = None
    ) -> Selection:
        """Of J arrays ``[M_j, E]``, the columns of owners; topology: along whose tree they match."""
        labels, objective = matched(columns, matcher, topology)
        if self.inputs in CHOICES:
            labels, objective = self._chosen(columns, _count(labels)), np.zeros(0)
        if self.max_inputs is not None and _count(labels) > self.max_inputs:
            labels = _limited(columns, labels, owners, self.max_inputs)
        return Selection(label_means(columns, labels), labels, objective)

    def _chosen(self, columns: Sequence[Array], count: int) -> tuple[Indices, ...]:
        """Labels that are chosen in another way than by matching, as many as that."""
        rows, places, often = np.unique(
            np.concatenate(standardised(columns)), axis=0, return_inverse=True, return_counts=True
        )
        most = len(rows) if self.max_inputs is None else self.max_inputs
        labels = CHOICES[self.inputs](rows, often, min(count, most, len(rows)), self.seed)[places.ravel()]
        return _renumbered(np.split(labels, np.cumsum([len(own) for own in columns])[:-1]))


def dropped_of(labels: Sequence[Indices]) -> int:
    """How many labels of J arrays ``[M_j]`` are -1."""
    return sum(int((own < 0).sum()) for own in labels)


def label_means(columns: Sequence[Array], labels: Sequence[Indices]) -> Array:
    """Plain means ``[L, E]`` of the rows of J arrays that share a label; that of a single row is the row itself."""
    names, rows = np.concatenate(labels), np.concatenate(columns)
    kept = names >= 0
    names, rows = names[kept], rows[kept]
    shares = 1.0 / np.bincount(names)
    means = np.zeros((len(shares), rows.shape[1]))
    np.add.at(means, names, shares[names][:, None] * rows)
    return means


def _kmeans(rows: Array, often: Array, count: int, seed: int) -> Indices:
    from sklearn.cluster import KMeans  # for those that choose it alone

    clusters = KMeans(n_clusters=count, n_init=STARTS, random_state=seed).fit(rows, sample_weight=often)
    return np.asarray(clusters.labels_, dtype=np.intp)


def _random(rows: Array, often: Array, count: int, seed: int) -> Indices:
    labels = np.full(len(rows), -1, dtype=np.intp)
    labels[generator(seed, "random inducing inputs").permutation(len(rows))[:count]] = np.arange(count)
    return labels


def _all(rows: Array, often: Array, count: int, seed: int) -> Indices:
    return np.arange(len(rows))


CHOICES: dict[str, Choice] = {"k-means": _kmeans, "random": _random, "all": _all}
"""Ways to choose without matching, by name."""


def _limited(
    columns: Sequence[Array], labels: Sequence[Indices], owners: Sequence[SparseGP], most: int
) -> tuple[Indices, ...]:
    """Labels of so many of the labelled rows, those that tell most of the others."""
    inputs = label_means(columns, labels)[:, : owners[0].parameters.inducing_inputs.shape[1]]
    prior, order = common_prior(owners, inputs), np.lexsort(inputs.T)  # so that no name of an owner matters
    kept = order[pivots(inputs[order] / prior.parameters.lengthscale, most, KERNELS[prior.kernel])]
    names = np.full(len(inputs), -1, dtype=np.intp)
    names[kept] = np.arange(most)
    return _renumbered([np.where(own < 0, own, names[own]) for own in labels])


def _renumbered(labels: Sequence[Indices]) -> tuple[Indices, ...]:
    """Labels in the order in which they first occur, from 0; -1 stays."""
    numbered = renumbered([own[own >= 0] for own in labels])
    every = [np.full(len(own), -1, dtype=np.intp) for own in labels]
    for own, of_owner, numbers in zip(every, labels, numbered, strict=True):
        own[of_owner >= 0] = numbers
    return tuple(every)


def _count(labels: Sequence[Indices]) -> int:
    return int(np.concatenate(labels).max()) + 1
