"""How far the order matters in which owners match: all at once beside trees of merges, walks of a token, and both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge

from coolgp.agents.base.arrays import Indices
from coolgp.fusion.matching.core.atoms import posterior
from coolgp.fusion.matching.core.gains import Criterion
from coolgp.fusion.matching.core.rooted import rooted_tree
from coolgp.fusion.matching.core.sweeps import Partition, matched
from coolgp.fusion.matching.core.vectors import Vectors, uniform_vectors
from coolgp.fusion.matching.messages.matching import STARTS, Owners, matched_by_messages
from coolgp.fusion.matching.messages.passes import TreeLinks, Underway
from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.fusion.matching.studies.outcome import COPY, Outcome, StudyDraw
from coolgp.fusion.matching.studies.simulated import PRIOR_MEAN, PRIOR_VARIANCE, Copies, drawn_copies
from coolgp.network.base.randomness import generator
from coolgp.network.graphs.topology import from_edges
from coolgp.network.serial import SerialTransport

__all__ = ["OrdersStudy", "trees"]

WAYS = {
    "balanced": ("balanced tree", "tree", 0),
    "chain": ("chain", "tree", 0),
    "random_tree": ("random tree", "tree", 0),
    "balanced_walk": ("balanced tree", "tree", 1),
    "chain_walk": ("chain", "tree", 1),
    "random_walk": ("random tree", "tree", 1),
    "token": ("chain", "token", 0),
    "token_again": ("chain", "token", 1),
}
"""By method: the tree, how atoms come to be, and how many walks improve them."""


@dataclass(frozen=True)
class OrdersStudy:
    """Noisy copies of atoms, matched by messages in several orders; everybody knows the variances.

    groups: that have copies, and are the nodes of the trees. atoms: that are drawn, of which a group has some.
    dimensions: of a vector.
    """

    measures: ClassVar[tuple[str, ...]] = ("label_rand", "bytes", "atoms")
    facts: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[tuple[str, ...]] = ()
    level: ClassVar[str] = COPY
    truth: ClassVar[str] = "true ones"
    methods: ClassVar[tuple[str, ...]] = ("spahm", *WAYS)
    remarks: ClassVar[tuple[str, ...]] = (
        "SPAHM sees the vectors of all groups at once. In a tree every group merges what its branches found, in one "
        "assignment problem a branch; a walk of a token then lets each group match again. A token alone goes along the "
        "chain. Of SPAHM bytes are those that hand every vector to everybody along a tree.",
    )

    groups: Annotated[int, Ge(2)] = 16
    atoms: Annotated[int, Ge(10)] = 40
    dimensions: Annotated[int, Ge(1)] = 10

    def drawn(self, noise: float, seed: int, settings: SPAHM) -> StudyDraw:
        """See `SetsStudy`."""
        copies = drawn_copies(seed, self.groups, noise, self.atoms, self.dimensions)
        vectors, criterion = _vectors(copies, noise), settings.criterion
        started = perf_counter()
        together = matched(vectors, criterion, settings.sweeps, seed)[0]
        handed = (self.groups - 1) * sum(values.nbytes for values in copies.groups)
        outcomes = {"spahm": _outcome(copies, together.labels, handed, perf_counter() - started)}
        parents = trees(self.groups, seed)
        for name, (tree, start, walks) in WAYS.items():
            outcomes[name] = _by_messages(copies, vectors, criterion, parents[tree], start, walks)
        return StudyDraw(len(copies.atoms), outcomes, {}, _arrays(vectors, together))


def trees(groups: int, seed: int) -> dict[str, list[int]]:
    """Parents ``[J]`` of a balanced binary tree, a chain, and a random tree."""
    rng = generator(seed, "random tree")
    return {
        "balanced tree": [(group - 1) // 2 if group else -1 for group in range(groups)],
        "chain": list(range(-1, groups - 1)),
        "random tree": [int(rng.integers(group)) if group else -1 for group in range(groups)],
    }


def _by_messages(
    copies: Copies, vectors: Vectors, criterion: Criterion, parents: list[int], start: str, walks: int
) -> Outcome:
    """What owners on a tree end with, and what they sent."""
    started = perf_counter()
    transport = SerialTransport(from_edges(np.arange(1, len(parents)), parents[1:], len(parents)))
    agents = transport.shard.agents.tolist()
    own = [_only(vectors, agent) for agent in agents]
    owners = Owners([own], [criterion], TreeLinks(rooted_tree(parents), transport))
    (found,) = Underway(matched_by_messages(owners, STARTS[start], walks)).settle()
    labels = [found.labels[place] for place in np.argsort(agents)]
    return _outcome(copies, labels, transport.meter.bytes, perf_counter() - started)


def _outcome(copies: Copies, labels: Sequence[Indices], size: int, seconds: float) -> Outcome:
    """Adjusted Rand index of labels, J arrays ``[L_j]``, with the true ones; bytes that were sent; atoms."""
    from sklearn.metrics import adjusted_rand_score

    joint = np.concatenate(labels)
    agreement = float(adjusted_rand_score(np.concatenate(copies.labels), joint))
    return Outcome({"label_rand": agreement, "bytes": float(size), "atoms": float(len(np.unique(joint)))}, seconds)


def _vectors(copies: Copies, noise: float) -> Vectors:
    size = copies.atoms.shape[1]
    values = [own - PRIOR_MEAN for own in copies.groups]
    precision, prior = np.full(1, noise**-2), np.full(1, 1.0 / PRIOR_VARIANCE)
    return uniform_vectors(values, precision, prior, np.array([size], dtype=np.intp))


def _only(vectors: Vectors, group: int) -> Vectors:
    own = slice(group, group + 1)
    return replace(vectors, values=vectors.values[own], precision=vectors.precision[own])


def _arrays(vectors: Vectors, partition: Partition) -> dict[str, np.ndarray]:
    mean, variance = posterior(partition.atoms, vectors)
    return {"atoms": mean + PRIOR_MEAN, "variances": variance, "counts": partition.atoms.counts}
