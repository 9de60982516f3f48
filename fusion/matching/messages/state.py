"""What travels: atoms of several matchings at once, as one row of numbers.

An atom has a name that it keeps for as long as it is used, so that owners need not be told when another one vanishes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.core.atoms import Atoms

__all__ = ["NamedAtoms", "packed", "packed_names", "places_of", "unpacked", "unpacked_names"]


@dataclass(frozen=True)
class NamedAtoms:
    """The state of one matching.

    matching: its number. names ``[L]``: of the atoms. version: changes up to now. pending: owners who have not looked
    at the atoms since the last change.
    """

    matching: int
    atoms: Atoms
    names: Indices
    version: int = 0
    pending: int = 0


def packed(states: Sequence[NamedAtoms]) -> Array:
    """A row of numbers: a header and a table of each state."""
    return np.concatenate([np.zeros(0), *(numbers for state in states for numbers in _numbers(state))])


def unpacked(numbers: Array, widths: Sequence[tuple[int, int]]) -> list[NamedAtoms]:
    """The inverse of :func:`packed`; widths: entries and blocks of each matching, by its number."""
    states, start = [], 0
    while start < len(numbers):
        matching, size, version, pending = numbers[start : start + 4].astype(np.intp).tolist()
        entries, blocks = widths[matching]
        stop = start + 4 + size * (entries + blocks + 2)
        table = numbers[start + 4 : stop].reshape(size, entries + blocks + 2)
        counts, names = table[:, -2:].T.astype(np.intp)
        atoms = Atoms(table[:, :entries].copy(), table[:, entries:-2].copy(), counts)
        states.append(NamedAtoms(matching, atoms, names, version, pending))
        start = stop
    return states


def packed_names(names: Sequence[Indices]) -> Array:
    """A row of numbers: how many names each matching has, then all of them."""
    return np.concatenate([[len(own) for own in names], *names]).astype(float)


def unpacked_names(numbers: Array, matchings: int) -> list[Indices]:
    """The inverse of :func:`packed_names`."""
    integers = numbers.astype(np.intp)
    return np.split(integers[matchings:], np.cumsum(integers[: matchings - 1]))


def places_of(names: Indices, among: Indices) -> Indices:
    """Where each of the names stands among others ``[L]``, all of which differ.

    >>> places_of(np.array([7, 3]), np.array([3, 5, 7])).tolist()
    [2, 0]
    """
    order = np.argsort(among)
    places: Indices = order[np.searchsorted(among, names, sorter=order)]
    return places


def _numbers(state: NamedAtoms) -> tuple[list[int], Array]:
    atoms = state.atoms
    header = [state.matching, len(atoms.counts), state.version, state.pending]
    return header, np.column_stack([atoms.shift, atoms.precision, atoms.counts, state.names]).ravel()
