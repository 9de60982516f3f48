"""The data of a scenario: loaded, split into training and test rows, and dealt to the agents."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from coolgp.network.randomness import generator
from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.base.errors import ConfigError, DataError
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset, Numbered, Table
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.data.fields import field, synthetic
from coolgp.scenarios.data.flights import airline
from coolgp.scenarios.data.sensors import sensors
from coolgp.scenarios.data.tables import read_table
from coolgp.scenarios.data.traffic import traffic_table

__all__ = ["PARTITIONS", "SOURCES", "DataError", "Dataset", "Table", "check_against", "load", "read_table"]

_KMEANS_ROWS = 20_000  # centres settle on a sample; all rows then go to the nearest centre


def load(scenario: Scenario) -> Dataset:
    """Return the rows of a scenario, in original units, dealt to its agents.

    The test rows are a random sample, the same for a seed whatever the partition; both parts keep the source's order.

    Raises:
        DataError: what is wrong with the data, all at once where it can be.
        ConfigError: if the length-scales do not match the features.

    """
    source = SOURCES.get(scenario.data.source, _file)
    dataset = source(scenario)
    check_against(scenario, dataset.features)
    kept = scenario.data.first_agent_rows
    return dataset if kept is None else _shortened(dataset, kept)


def _shortened(dataset: Dataset, rows: int) -> Dataset:
    """The dataset, of which the first agent has only its first training rows; what it gives up nobody gets."""
    all_rows = dataset.training
    assert isinstance(all_rows, Dealt)  # first_agent_rows is refused where rows are drawn in each round
    keep = np.ones(len(all_rows.owner), dtype=bool)
    keep[np.flatnonzero(all_rows.owner == 0)[rows:]] = False
    return replace(dataset, training=Dealt(all_rows.x[keep], all_rows.y[keep], all_rows.owner[keep]))


def check_against(scenario: Scenario, features: tuple[str, ...]) -> None:
    """Check what can only be checked when the features are known: one length-scale each, if they are listed."""
    lengthscale = scenario.agents.lengthscale
    if isinstance(lengthscale, tuple) and len(lengthscale) != len(features):
        raise ConfigError(
            f"{scenario.name}: agents.lengthscale: needed one number, or one for each of the {len(features)} features"
            f" ({', '.join(features)}); got {len(lengthscale)}"
        )


def _file(scenario: Scenario) -> Dataset:
    data = scenario.data
    assert data.target is not None  # a scenario with a file and no target is refused
    return _dealt(scenario, read_table(data.source, data.target, data.features, data.agent), data.source)


def _airline(scenario: Scenario) -> Dataset:
    """273,853 complete flights out of New York in 2013: arrival delay from eight features."""
    return _dealt(scenario, _chosen(scenario, airline(scenario.data.agent)), "airline")


def _road(scenario: Scenario) -> Dataset:
    """Speeds on 775 road segments over a day with two rush hours, drawn from the seed."""
    return _dealt(scenario, _chosen(scenario, traffic_table(scenario.run.seed, scenario.data.agent)), "road")


def _chosen(scenario: Scenario, table: Table) -> Table:
    """A table of the package's own, with the features that were asked for."""
    chosen = scenario.data.features or table.features
    unknown = [name for name in chosen if name not in table.features]
    if unknown:
        source, features = scenario.data.source, ", ".join(table.features)
        raise DataError(f"{source}: no feature {', '.join(unknown)}; features: {features}")
    return replace(table, x=table.x[:, [table.features.index(name) for name in chosen]], features=chosen)


def _synthetic(scenario: Scenario) -> Dataset:
    """The paper's SYNTHETIC domain: one function seen through a projection of each agent's own."""
    tests = scenario.data.test_count or 8_000
    agents, rows, width = scenario.agents, _observations(scenario), scenario.data.width or 1.0
    return synthetic(scenario.run.seed, agents.count, rows, tests=tests, projection=agents.projection, width=width)


def _field(scenario: Scenario) -> Dataset:
    """A random field on the unit square, sensed by agents at positions."""
    return field(scenario.run.seed, scenario.agents.count, _observations(scenario))


def _sensors(scenario: Scenario) -> Dataset:
    """A random field on the unit square, which any number of sensors read anew in every round."""
    if scenario.run.rounds == "all":
        raise ConfigError(
            f'{scenario.name}: run.rounds: "sensors" are read anew in every round, without end: needed a number of'
            ' rounds; got "all"'
        )
    return sensors(scenario.run.seed, scenario.agents.count)


SOURCES: dict[str, Callable[[Scenario], Dataset]] = {
    "airline": _airline,
    "synthetic": _synthetic,
    "field": _field,
    "sensors": _sensors,
    "road": _road,
}
"""The sources that come with the package; anything else is the path of a file."""


def _observations(scenario: Scenario) -> int:
    """Return how many training rows to generate: as asked, or one batch per agent and round, 30 rounds for "all"."""
    rounds = scenario.run.rounds if isinstance(scenario.run.rounds, int) else 30
    return scenario.data.observations or scenario.agents.count * scenario.agents.batch_size * rounds


def _dealt(scenario: Scenario, table: Table, source: str) -> Dataset:
    train, test = _split(scenario, len(table.y), source)
    if table.labels is None:
        agents: Sequence[str] = Numbered(scenario.agents.count)
        owner = _partitioned(scenario, table.x[train], source)
    else:
        agents, every = _named(table.labels)
        owner = every[train]
        idle = [agents[i] for i in np.flatnonzero(np.bincount(owner, minlength=len(agents)) == 0)]
        if idle:
            some = ", ".join(idle[:10]) + (", ..." if len(idle) > 10 else "")
            raise DataError(
                f"{source}: column {scenario.data.agent}: {len(idle):,} of {len(agents):,} agents have no training row"
                f" after {len(test):,} test rows are held out: {some}; hold out fewer, or leave them out of the file"
            )
    training = Dealt(table.x[train], table.y[train], owner, scenario.data.order == "file")
    truth = None if table.truth is None else table.truth[test]
    return Dataset(training, table.x[test], table.y[test], table.features, table.target, agents, truth=truth)


def _split(scenario: Scenario, rows: int, source: str) -> tuple[Ints, Ints]:
    """Return training and test rows, each in the table's order."""
    held_out = scenario.data.test_count or min(max(1, round(scenario.data.test_fraction * rows)), rows - 1)
    if held_out >= rows:
        raise DataError(f"{source}: data.test_count must leave rows to train on; got {held_out:,} of {rows:,} rows")
    order = generator(scenario.run.seed, "split").permutation(rows)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def _named(labels: tuple[str, ...]) -> tuple[tuple[str, ...], Ints]:
    """Return the agents' names, sorted (as numbers if all are whole numbers), and each row's agent."""
    names, index = np.unique(np.array(labels), return_inverse=True)
    if all(name.isdecimal() for name in names.tolist()):
        order = np.array(sorted(range(len(names)), key=lambda i: (int(names[i]), names[i])))
        names, index = names[order], np.argsort(order)[index]
    return tuple(names.tolist()), index.astype(np.int64)


def _partitioned(scenario: Scenario, x: Floats, source: str) -> Ints:
    agents = scenario.agents.count
    if agents > len(x):
        raise DataError(
            f"{source}: needed at least one training row for each of {agents:,} agents (agents.count), got {len(x):,}"
        )
    return PARTITIONS[scenario.data.partition or "random"](x, agents, scenario.run.seed)


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
