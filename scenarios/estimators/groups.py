"""Whose row is it: the names of groups, and rows that are dealt where nobody names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import networkx as nx
import numpy as np
from sklearn.utils.validation import check_consistent_length, column_or_1d

from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.base.formatting import named
from coolgp.scenarios.data.dataset import Numbered
from coolgp.scenarios.data.partitions import agents_of

__all__ = ["at_least_one", "dealt", "in_turn", "names_of", "place_of", "places_of"]


def names_of(groups: Any, X: Floats) -> tuple[str, ...] | None:
    """The name of each row's group, None where there are none. Raises ValueError unless there is one for each row."""
    if groups is None:
        return None
    names = column_or_1d(np.asarray(groups))
    check_consistent_length(X, names)
    return tuple(map(str, names.tolist()))


def places_of(labels: Sequence[str], names: Sequence[str], what: str) -> Ints:
    """The place ``[n]`` of each label among the names. Raises ValueError for labels that are none; what: they name."""
    place = {name: index for index, name in enumerate(names)}
    unknown = sorted({label for label in labels if label not in place})
    if unknown:
        raise ValueError(
            f"groups needs the names of the {len(names)} {what}, such as {names[0]!r}; got {named(unknown)}"
        )
    return np.array([place[label] for label in labels], dtype=np.int64)


def place_of(name: object, names: Sequence[str], what: str) -> int:
    """The place of one name, of an agent or an owner. Raises ValueError for another.

    >>> place_of("b", ("a", "b"), "owner")
    1
    """
    if str(name) not in names:
        raise ValueError(f"{what} needs the name of one of {len(names)} {what}s, such as {names[0]!r}; got {name!r}")
    return names.index(str(name))


def dealt(
    labels: tuple[str, ...] | None, graph: Any, count: int, what: str, deal: Callable[[int], Ints]
) -> tuple[Sequence[str], Ints]:
    """The names of who has rows, and whose place ``[n]`` each row is at: nodes of a graph, labels, or so many numbers.

    deal: deals rows that have no label. Raises ValueError for labels that are no nodes; what: nodes are.
    """
    if isinstance(graph, nx.Graph):
        names: Sequence[str] = tuple(map(str, graph))
    elif labels is not None:
        return agents_of(labels)
    else:
        names = Numbered(count)
    return names, deal(len(names)) if labels is None else places_of(labels, names, what)


def in_turn(strata: Ints, owners: int, seed: int) -> Ints:
    """The owner ``[n]`` of each row: rows of each stratum ``[n]`` are dealt in random order, one in turn.

    >>> np.bincount(in_turn(np.repeat([0, 1], [60, 30]), 3, seed=0)).tolist()
    [30, 30, 30]
    """
    order = generator(seed, "partition").permutation(len(strata))
    owner = np.empty(len(strata), dtype=np.int64)
    owner[order[np.argsort(strata[order], kind="stable")]] = np.arange(len(strata)) % owners
    return owner


def at_least_one(name: str, value: Any) -> int:
    """A parameter that counts. Raises ValueError for anything but a whole number of at least 1."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} needs a whole number of at least 1; got {value!r}")
    return int(value)
