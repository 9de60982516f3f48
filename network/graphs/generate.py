"""Standard graphs of any size, connected and fixed by their seed, drawn directly as arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from coolgp.network.base.arrays import Array
from coolgp.network.base.lazy_table import LazyTable

if TYPE_CHECKING:
    from coolgp.network.graphs.topology import Topology

__all__ = ["GENERATORS", "generate"]

GENERATORS: LazyTable[Callable[..., Topology]] = LazyTable(
    {
        "ring": "coolgp.network.graphs.plain_graphs:ring",
        "grid": "coolgp.network.graphs.plain_graphs:grid",
        "small-world": "coolgp.network.graphs.random_graphs:small_world",
        "random-regular": "coolgp.network.graphs.random_graphs:random_regular",
        "erdos-renyi": "coolgp.network.graphs.random_graphs:erdos_renyi",
        "geometric": "coolgp.network.graphs.random_graphs:geometric",
        "scale-free": "coolgp.network.graphs.random_graphs:scale_free",
        "random-tree": "coolgp.network.graphs.random_graphs:random_tree",
        "star": "coolgp.network.graphs.plain_graphs:star",
        "complete": "coolgp.network.graphs.plain_graphs:complete",
    }
)


def generate(kind: str, size: int, seed: int, position: Array | None = None, **options: float) -> Topology:
    """Generate a connected graph of `size` agents.

    Args:
        kind: a name in `GENERATORS`.
        size: N, at least 1.
        seed: the same seed gives the same graph.
        position: [N,2] where the agents are, if that is known: a geometric graph links those that are close.
        options: those of the kind, such as `degree` of "random-regular".

    Raises:
        ValueError: if the kind, an option or the size does not exist or does not fit.

    >>> generate("ring", 5, seed=0).edge_count
    5
    """
    if kind not in GENERATORS:
        near = get_close_matches(kind, GENERATORS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"A graph's kind must be one of {', '.join(GENERATORS)}; got {kind!r}{hint}")
    if size < 1:
        raise ValueError(f"A graph needs at least 1 agent; got size {size}")
    if position is not None and position.shape != (size, 2):
        raise ValueError(f"A graph of {size} agents needs position [{size},2]; got {list(position.shape)}")
    generator = GENERATORS[kind]
    keys = list(inspect.signature(generator).parameters)[2:]  # after size and seed
    allowed = [key for key in keys if key != "position"]
    for option in options:
        if option not in allowed:
            raise ValueError(f"A {kind} graph takes {', '.join(allowed) or 'no options'}; got {option!r}")
    if "position" in keys:
        return generator(int(size), seed, position=position, **options)
    topology = generator(int(size), seed, **options)
    return topology if position is None else replace(topology, position=position)
