"""The data of a scenario: loaded, split into training and test rows, and dealt to the agents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from coolgp.network.base.lazy_table import imported
from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.arrays import Ints
from coolgp.scenarios.base.errors import ConfigError, DataError
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sections.experts import ExpertsDataSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.config.sources import SOURCES, Source, source_named
from coolgp.scenarios.data.dataset import Dataset, Numbered, SetAside
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.data.partitions import CLASS_PARTITIONS, PARTITIONS, agents_of
from coolgp.scenarios.data.slips import probable_slips
from coolgp.scenarios.data.table import Table

__all__ = ["check_against", "load", "load_rows"]

Loader = Callable[[DataSettings, AgentsSettings, RunSettings], Table | Dataset]


def load(scenario: Scenario) -> Dataset:
    """Return the rows of a scenario, in original units, dealt to its agents.

    The test rows are a random sample, the same for a seed whatever the partition; both parts keep the source's order.

    Raises:
        DataError: what is wrong with the data, all at once where it can be.
        ConfigError: if the length-scales do not match the features, or rows that never end are all asked for.

    """
    data, agents, run = scenario.data, scenario.agents, scenario.run
    source = source_named(data.source)
    if source.endless and run.rounds == "all":
        why = "has new rows in every round, without end: needed a number of rounds"
        raise ConfigError(f'{scenario.name}: run.rounds: "{data.source}" {why}; got "all"')
    dataset = load_rows(data, agents, run)
    check_against(scenario, dataset.features)
    return dataset


def load_rows(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Dataset:
    """Return the rows that the section [data] names, dealt to ``agents.count`` agents or to those that a column names.

    Raises DataError as `load` does.
    """
    rows = _loader(source_named(data.source))(data, agents, run)
    dataset = rows if isinstance(rows, Dataset) else _dealt(_with_features(rows, data), data, agents.count, run.seed)
    first = data.first_agent_rows
    return dataset if first is None else _shortened(dataset, first)


def _loader(source: Source) -> Loader:
    return cast("Loader", imported(source.loader))


def _shortened(dataset: Dataset, rows: int) -> Dataset:
    """The dataset with only the first training rows of the first agent; its other rows are left out."""
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


def _with_features(table: Table, data: DataSettings) -> Table:
    """The table with the features that were asked for."""
    chosen = data.features or table.features
    if chosen == table.features:
        return table
    unknown = [name for name in chosen if name not in table.features]
    if unknown:
        raise DataError(f"{data.source}: no feature {', '.join(unknown)}; features: {', '.join(table.features)}")
    columns = [table.features.index(name) for name in chosen]
    views = None if table.views is None else table.views[:, columns]
    return replace(table, x=table.x[:, columns], features=chosen, views=views)


def _dealt(table: Table, data: DataSettings, count: int, seed: int) -> Dataset:
    """Split the rows of a table, and deal those for training to its agents, or to so many where it names none."""
    train, test, aside = _split(data, len(table.y), seed)
    if table.labels is None:
        agents: Sequence[str] = Numbered(count)
        owner = _partitioned(data, table, train, count, seed)
    else:
        agents, every = agents_of(table.labels)
        owner = every[train]
        _check_served(data, agents, owner, len(test))
    training = Dealt(table.x[train], table.y[train], owner, data.order == "file")
    truth = None if table.truth is None else table.truth[test]
    return Dataset(
        training=training,
        x_test=table.x[test],
        y_test=table.y[test],
        features=table.features,
        target=table.target,
        agents=agents,
        truth=truth,
        views=table.views,
        classes=table.classes,
        aside=_set_aside(data, table, aside),
        notes=(*table.notes, *(probable_slips(table, train, owner, len(agents)) if data.source not in SOURCES else ())),
    )


def _split(data: DataSettings, rows: int, seed: int) -> tuple[Ints, Ints, Ints]:
    """Return training rows, test rows and those set aside; the first two in the table's order."""
    tests = data.test_count or min(max(1, round(data.test_fraction * rows)), rows - 1)
    if tests >= rows:
        raise DataError(f"{data.source}: data.test_count must leave rows to train on; got {tests:,} of {rows:,} rows")
    aside = sum(data.set_aside)
    if tests + aside >= rows:
        taken = f"{tests:,} test rows and {aside:,} set aside"
        raise DataError(
            f"{data.source}: data.labelled_count and data.unlabelled_count must leave rows to train on; "
            f"got {taken} of {rows:,} rows"
        )
    order = generator(seed, "split").permutation(rows)
    return np.sort(order[tests + aside :]), np.sort(order[:tests]), order[tests : tests + aside]


def _set_aside(data: DataSettings, table: Table, rows: Ints) -> SetAside | None:
    labelled, other = np.split(rows, [data.set_aside[0]])
    return SetAside(table.x[labelled], table.y[labelled], table.x[other]) if len(rows) else None


def _partitioned(data: DataSettings, table: Table, train: Ints, agents: int, seed: int) -> Ints:
    if agents > len(train):
        key = "experts.count" if isinstance(data, ExpertsDataSettings) else "agents.count"
        need = f"needed at least one training row for each of {agents:,} agents ({key})"
        raise DataError(f"{data.source}: {need}, got {len(train):,}")
    if data.partition in CLASS_PARTITIONS:
        assert isinstance(data, ExpertsDataSettings)  # no others have classes
        assert data.concentration is not None  # filled in
        return CLASS_PARTITIONS[data.partition](table.y[train].astype(np.int64), agents, data.concentration, seed)
    return PARTITIONS[data.partition or "random"](table.x[train], agents, seed)


def _check_served(data: DataSettings, agents: Sequence[str], owner: Ints, tests: int) -> None:
    """Refuse agents that the test rows leave nothing to learn from."""
    idle = [agents[i] for i in np.flatnonzero(np.bincount(owner, minlength=len(agents)) == 0).tolist()]
    if idle:
        names = ", ".join(idle[:10]) + (", ..." if len(idle) > 10 else "")
        raise DataError(
            f"{data.source}: column {data.agent}: {len(idle):,} of {len(agents):,} agents have no training row"
            f" after {tests:,} test rows are held out: {names}; hold out fewer, or leave them out of the file"
        )
