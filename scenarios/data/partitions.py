"""How rows of a table are dealt to agents: by a column that names them, at random, by clusters, or unevenly."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree

from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.arrays import Floats, Ints

__all__ = ["PARTITIONS", "agents_of"]

_KMEANS_ROWS = 20_000  # centres settle on a sample; all rows then go to the nearest centre


def agents_of(labels: tuple[str, ...]) -> tuple[tuple[str, ...], Ints]:
    """Return the agents' names, sorted (as numbers if all are whole numbers), and each row's agent."""
    names, index = np.unique(np.array(labels), return_inverse=True)
    if all(name.isdecimal() for name in names.tolist()):
        order = np.array(sorted(range(len(names)), key=lambda i: (int(names[i]), names[i])))
        names, index = names[order], np.argsort(order)[index]
    return tuple(names.tolist()), index.astype(np.int64)


def _random(x: Floats, agents: int, seed: int) -> Ints:
    """Deal the rows out in random order, one in turn."""
    owner = np.empty(len(x), dtype=np.int64)
    owner[generator(seed, "partition").permutation(len(x))] = np.arange(len(x)) % agents
    return owner


def _dirichlet(x: Floats, agents: int, seed: int) -> Ints:
    """Deal each agent one row, and the others by shares from a flat Dirichlet distribution."""
    rng = generator(seed, "partition")
    counts = 1 + rng.multinomial(len(x) - agents, rng.dirichlet(np.ones(agents)))
    return rng.permutation(np.repeat(np.arange(agents), counts))


def _kmeans(x: Floats, agents: int, seed: int) -> Ints:
    """Give each agent one k-means cluster of the standardized inputs."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    rng = generator(seed, "partition")
    scale = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(scale > 0, scale, 1)
    sample = rng.permutation(len(z))[: max(_KMEANS_ROWS, 20 * agents)]
    means = KMeans(agents, n_init=1, random_state=int(rng.integers(2**31)))
    # One thread: several add up in the order in which they finish, and every rank must find the same clusters.
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct inputs than agents: repaired below
        means.fit(z[sample])
    _, owner = cKDTree(means.cluster_centers_).query(z)
    return _all_served(np.asarray(owner, dtype=np.int64), agents)


def _all_served(owner: Ints, agents: int) -> Ints:
    """Give every agent without rows one of the agent that has most.

    >>> _all_served(np.array([0, 0, 0, 2]), 4).tolist()
    [1, 3, 0, 2]
    """
    owner = owner.copy()
    counts = np.bincount(owner, minlength=agents)
    for idle in np.flatnonzero(counts == 0):
        largest = int(np.argmax(counts))
        owner[np.flatnonzero(owner == largest)[0]] = idle
        counts[largest] -= 1
        counts[idle] += 1
    return owner


PARTITIONS: dict[str, Callable[[Floats, int, int], Ints]] = {
    "random": _random,
    "kmeans": _kmeans,
    "dirichlet": _dirichlet,
}
"""How training rows `x [n,D]` are dealt to agents: (x, number of agents, seed) to the owner `[n]` of each row."""
