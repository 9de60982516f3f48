"""How rows of a table are dealt to agents: by a column that names them, at random, by clusters, or unevenly."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree

from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.base.errors import DataError

__all__ = ["CLASS_PARTITIONS", "PARTITIONS", "agents_of"]

LEAST_ROWS = 10
"""Of each agent, where shares are drawn by class."""
DRAWS = 1000
"""Of shares by class, before it is said that there are too few rows."""
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


def _by_class(y: Ints, agents: int, concentration: float, seed: int) -> Ints:
    """Deal the rows of each class by Dirichlet shares of its own, and again until each agent has some rows.

    An agent that has its even share of all rows gets no more, as in Yurochkin et al., "Bayesian Nonparametric Federated
    Learning of Neural Networks", ICML 2019. Raises DataError where agents would have too few rows.
    """
    rng = generator(seed, "partition")
    least = min(LEAST_ROWS, len(y) // agents)
    for _ in range(DRAWS):
        owner = _dealt_by_class(y, agents, concentration, rng)
        if np.bincount(owner, minlength=agents).min() >= least:
            return owner
    raise DataError(
        f"data.concentration: {DRAWS} draws of shares left some of {agents:,} agents with fewer than {least} rows: "
        f"take a larger one than {concentration:g}, or fewer agents"
    )


def _dealt_by_class(y: Ints, agents: int, concentration: float, rng: np.random.Generator) -> Ints:
    owner, counts = np.zeros(len(y), dtype=np.int64), np.zeros(agents)
    for each in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == each))
        shares = rng.dirichlet(np.full(agents, concentration)) * (counts < len(y) / agents)
        total = shares.sum()
        shares = shares / total if total > 0 else (counts < len(y) / agents) / (counts < len(y) / agents).sum()
        cuts = (np.cumsum(shares) * len(rows)).astype(np.int64)[:-1]
        for agent, some in enumerate(np.split(rows, cuts)):
            owner[some] = agent
            counts[agent] += len(some)
    return owner


CLASS_PARTITIONS: dict[str, Callable[[Ints, int, float, int], Ints]] = {"dirichlet-classes": _by_class}
"""How training rows are dealt by their classes `y [n]`: (y, agents, concentration, seed) to the owner `[n]` of each."""
