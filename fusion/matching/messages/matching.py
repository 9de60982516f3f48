"""Matching by messages: owners on a tree merge what their branches found, and a token that walks improves it.

The sums that atoms are known by travel, and names of atoms; vectors and labels stay with their owners. Merges and
visits are those of :mod:`coolgp.fusion.matching.core.merges`, with the same bits: what one process computes there, each
owner computes here from what it received. Several matchings of the same owners (candidate settings) share their
messages. A token names the atoms that it lacks after the owner who founds them, so that a vanished atom forces nobody
to rename others, and counts its changes, so that an owner sees whether it has anything new to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.core.atoms import Atoms, no_atoms
from coolgp.fusion.matching.core.gains import Criterion
from coolgp.fusion.matching.core.merges import alone, merged
from coolgp.fusion.matching.core.sweeps import picked_again, picked_first
from coolgp.fusion.matching.core.vectors import Vectors
from coolgp.fusion.matching.messages.passes import (
    Rounds,
    TreeLinks,
    carried_on,
    from_root,
    known_to_all,
    summed,
    to_root,
)
from coolgp.fusion.matching.messages.state import (
    NamedAtoms,
    packed,
    packed_names,
    places_of,
    unpacked,
    unpacked_names,
)

__all__ = ["STARTS", "MatchedApart", "Owners", "Start", "kept_labels", "matched_by_messages"]

ABSENT = -1
"""What owners have seen before they have seen anything."""


@dataclass(frozen=True)
class MatchedApart:
    """One matching, as the owners of this rank know it in the end.

    atoms: all. labels: ``[A]`` arrays ``[L_j]``, of this rank's owners.
    """

    atoms: Atoms
    labels: tuple[Indices, ...]


class Owners:
    """The owners of this rank, with what each keeps to itself.

    vectors ``[S][A]``: of each of S matchings and each owner, one group each, the others being elsewhere. names
    ``[S][A]``: of the atoms that an owner's vectors share; seen, founded ``[S, A]``: the version that it looked at
    last, and how many atoms it has named.
    """

    def __init__(self, vectors: Sequence[Sequence[Vectors]], criteria: Sequence[Criterion], links: TreeLinks) -> None:
        elsewhere = links.transport.shard.size - 1
        self.links, self.criteria = links, criteria
        self.vectors = [[replace(own, elsewhere=elsewhere) for own in owners] for owners in vectors]
        self.names: list[list[Indices]] = [[np.zeros(0, dtype=np.intp)] * len(owners) for owners in vectors]
        self.seen = np.full((len(vectors), len(links.agents)), ABSENT)
        self.founded = np.zeros_like(self.seen)

    @property
    def widths(self) -> list[tuple[int, int]]:
        """Entries and blocks of each matching."""
        return [(owners[0].entries, len(owners[0].widths)) for owners in self.vectors]

    def started(self, atoms: Sequence[Atoms]) -> Array:
        """A token with atoms of each matching, which nobody has looked at; the root gives them their names."""
        size, root = self.links.transport.shard.size, self.links.tree.root
        place = self.links.agents.get(root)
        if place is None:
            return np.zeros(0)
        self.founded[:, place] = [len(own.counts) for own in atoms]
        names = [root + size * np.arange(len(own.counts)) for own in atoms]
        return packed([NamedAtoms(s, own, names[s], 0, size) for s, own in enumerate(atoms)])

    def joins(self, agent: int, token: Array) -> Array:
        """The token once an owner who is not among its atoms has picked."""
        return self._visited(agent, token, self._joined)

    def improves(self, agent: int, token: Array) -> Array:
        """The token once an owner has picked again, where it has not seen all changes."""
        return self._visited(agent, token, self._improved)

    def _visited(self, agent: int, token: Array, step: Callable[[NamedAtoms, int, int], NamedAtoms]) -> Array:
        return packed([step(state, agent, self.links.agents[agent]) for state in unpacked(token, self.widths)])

    def _joined(self, state: NamedAtoms, agent: int, place: int) -> NamedAtoms:
        s = state.matching
        atoms, labels = picked_first(state.atoms, self.vectors[s][place], 0, self.criteria[s])
        names = self._longer(state.names, len(atoms.counts), s, agent, place)
        self.names[s][place] = names[labels]
        return replace(state, atoms=atoms, names=names)

    def _improved(self, state: NamedAtoms, agent: int, place: int) -> NamedAtoms:
        s = state.matching
        if self.seen[s, place] == state.version:
            return state
        labels = places_of(self.names[s][place], state.names)
        picked = picked_again(state.atoms, self.vectors[s][place], 0, labels, self.criteria[s])
        if picked is None:
            self.seen[s, place] = state.version
            return replace(state, pending=state.pending - 1)
        names = self._longer(state.names[picked.places >= 0], len(picked.atoms.counts), s, agent, place)
        self.names[s][place], self.seen[s, place] = names[picked.labels], state.version + 1
        others = self.links.transport.shard.size - 1
        return NamedAtoms(s, picked.atoms, names, state.version + 1, others)

    def _longer(self, names: Indices, size: int, s: int, agent: int, place: int) -> Indices:
        """The names ``[size]``, the last ones new: founded by this owner, and counted by it."""
        numbers = self.founded[s, place] + np.arange(size - len(names))
        self.founded[s, place] += len(numbers)
        return np.concatenate([names, agent + self.links.transport.shard.size * numbers])


Start = Callable[[Owners], Rounds[Array]]
"""How atoms come to be, before they are improved: leaves a token at the root."""


def matched_by_messages(owners: Owners, start: Start, sweeps: int) -> Rounds[list[MatchedApart]]:
    """Each matching after its start and at most so many walks of the token, known to all owners.

    Matchings that nobody wants to change wait at the root; the token walks with the others.
    """
    links = owners.links
    token = yield from start(owners)
    waiting: list[NamedAtoms] = []
    for _ in range(sweeps):
        states = unpacked(token, owners.widths)
        waiting += [state for state in states if not state.pending]
        walking = [state for state in states if state.pending]
        if not links.transport.total(np.array([len(walking)]))[0]:  # the root knows: others see no token any more
            token = packed([])
            break
        token = yield from carried_on(packed(walking), owners.improves, links)
    return (yield from _known_to_all(owners, packed([*waiting, *unpacked(token, owners.widths)])))


def merges(owners: Owners) -> Rounds[Array]:
    """Atoms merged along the tree, children first, in one assignment problem a merge and matching."""
    links, matchings = owners.links, range(len(owners.vectors))
    own_labels: dict[int, list[Indices]] = {}
    places: dict[int, list[list[Indices]]] = {}

    def joined(agent: int, messages: Sequence[Array]) -> Array:
        place = links.agents[agent]
        below = [unpacked(numbers, owners.widths) for numbers in messages]
        branches, own_labels[agent], places[agent] = [], [], [[] for _ in below]
        for s in matchings:
            vectors = owners.vectors[s][place]
            atoms, labels = alone(vectors, 0)
            own_labels[agent].append(labels)
            for child, states in enumerate(below):
                atoms, where = merged(atoms, states[s].atoms, vectors, owners.criteria[s])
                places[agent][child].append(where)
            branches.append(NamedAtoms(s, atoms, np.zeros_like(atoms.counts)))
        return packed(branches)

    def split(agent: int, message: Array) -> list[Array]:
        names = unpacked_names(message, len(matchings))
        for s in matchings:
            owners.names[s][links.agents[agent]] = names[s][own_labels[agent][s]]
        return [packed_names([names[s][where[s]] for s in matchings]) for where in places[agent]]

    states = unpacked((yield from to_root(joined, links)), owners.widths)
    token = owners.started([state.atoms for state in states])
    names = [state.names for state in unpacked(token, owners.widths)]
    yield from from_root(packed_names(names) if names else np.zeros(0), split, links)
    return token


def first_walk(owners: Owners) -> Rounds[Array]:
    """Atoms from one walk of the token, on which each owner picks from those of the owners before it."""
    token = owners.started([no_atoms(own[0]) for own in owners.vectors])
    return (yield from carried_on(token, owners.joins, owners.links))


def kept_labels(labels: Sequence[Sequence[Indices]], sizes: Sequence[int]) -> Start:
    """A start from an earlier matching, whose labels ``[S][A]`` owners have kept.

    sizes ``[S]``: atoms of each, whose sums are formed afresh.
    """

    def start(owners: Owners) -> Rounds[Array]:
        atoms = []
        for s, size in enumerate(sizes):
            rows = np.stack([_row(own, size, places) for own, places in zip(owners.vectors[s], labels[s], strict=True)])
            total = yield from summed(rows, owners.links)
            atoms.append(_atoms(total, size, *owners.widths[s]))
        token = owners.started(atoms)
        root, agents = owners.links.tree.root, owners.links.transport.shard.size
        owners.names = [[root + agents * places for places in own] for own in labels]
        return token

    return start


STARTS: dict[str, Start] = {"tree": merges, "token": first_walk}
"""By the name of the way to match."""


def _row(vectors: Vectors, size: int, labels: Indices) -> Array:
    table = np.zeros((size, vectors.entries + len(vectors.widths) + 1))
    precision = np.broadcast_to(vectors.precision[0], (len(labels), len(vectors.widths)))
    table[labels] = np.column_stack([vectors.shift(0), precision, np.ones(len(labels))])
    return table.ravel()


def _atoms(row: Array, size: int, entries: int, blocks: int) -> Atoms:
    table = row.reshape(size, entries + blocks + 1)
    return Atoms(table[:, :entries], table[:, entries:-1], np.rint(table[:, -1]).astype(np.intp))


def _known_to_all(owners: Owners, token: Array) -> Rounds[list[MatchedApart]]:
    """What the root has, handed down; owners find the places of their own atoms."""
    message = yield from known_to_all(token, owners.links)
    states = sorted(unpacked(message, owners.widths), key=lambda state: state.matching)
    return [
        MatchedApart(state.atoms, tuple(places_of(names, state.names) for names in owners.names[state.matching]))
        for state in states
    ]
