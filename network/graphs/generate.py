"""Standard graphs of any size, connected and fixed by their seed, drawn directly as arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches

from coolgp.network.base.arrays import Array
from coolgp.network.graphs.plain_graphs import complete, grid, ring, star
from coolgp.network.graphs.random_graphs import (
    erdos_renyi,
    geometric,
    random_regular,
    random_tree,
    scale_free,
    small_world,
)
from coolgp.network.graphs.topology import Topology

__all__ = ["GENERATORS", "generate"]

GENERATORS: dict[str, Callable[..., Topology]] = {
    "ring": ring,
    "grid": grid,
    "small-world": small_world,
    "random-regular": random_regular,
    "erdos-renyi": erdos_renyi,
    "geometric": geometric,
    "scale-free": scale_free,
    "random-tree": random_tree,
    "star": star,
    "complete": complete,
}


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
    options_of_kind = [name for name in list(inspect.signature(GENERATORS[kind]).parameters)[2:] if name != "position"]
    for option in options:
        if option not in options_of_kind:
            raise ValueError(f"A {kind} graph takes {', '.join(options_of_kind) or 'no options'}; got {option!r}")
    if GENERATORS[kind] is geometric:
        return geometric(int(size), seed, position=position, **options)
    topology = GENERATORS[kind](int(size), seed, **options)
    return topology if position is None else replace(topology, position=position)
