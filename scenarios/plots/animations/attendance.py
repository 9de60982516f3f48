"""Which agents and links were there in each round: drawn again from the seed of a run, for no file says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coolgp.network.links.dynamics import Dynamics, edge_keys
from coolgp.scenarios.base.arrays import Bools, Floats, Ints
from coolgp.scenarios.records.network import pairs
from coolgp.scenarios.records.run_folder import RunFolder
from coolgp.scenarios.simulation.network import plan_graph

__all__ = ["Attendance", "attendance"]


@dataclass(frozen=True)
class Standing:
    """Who stands on a graph, as its planning asks."""

    agents: Sequence[str]
    positions: Floats | None


@dataclass(frozen=True)
class Attendance:
    """present ``[R,N]``: agents in each round; spoken ``[R,L]``: links of the rule that carried messages in it."""

    present: Bools
    spoken: Bools


def attendance(folder: RunFolder) -> Attendance | None:
    """Who was there in each round; None where the folder has a sample of the network, or counted others than these."""
    dynamics = _dynamics(folder)
    if dynamics is None:
        return None
    turns = folder.probes.rounds - 1
    present = np.array([dynamics.present(int(turn)) for turn in turns])
    if not np.array_equal(present.sum(axis=1), folder.metrics.get("present", np.empty(0))):
        return None
    links, size = pairs(folder.network.links), folder.network.graph.size
    ways = links[:, 0] * size + links[:, 1], links[:, 1] * size + links[:, 0]
    exchanged = np.array([_carried(dynamics, int(turn), ways) for turn in turns]).reshape(len(turns), len(links))
    return Attendance(present, exchanged & (folder.metrics["messages"] > 0)[:, None])


def _dynamics(folder: RunFolder) -> Dynamics | None:
    """The network of the run as it was planned; None where it cannot be planned again from the folder alone."""
    network, graph, seed = folder.config.network, folder.network.graph, folder.config.run.seed
    if folder.network.total:
        return None
    standing = Standing(graph.names, graph.position)
    try:
        topology, schedule, faults = plan_graph(network, standing, int(folder.probes.rounds[-1]), seed, graph)
    except ValueError:
        return None
    same = np.array_equal(topology.indptr, graph.indptr) and np.array_equal(topology.indices, graph.indices)
    return Dynamics(topology=topology, faults=faults, seed=seed, schedule=schedule) if same else None


def _carried(dynamics: Dynamics, turn: int, ways: tuple[Ints, Ints]) -> Bools:
    """Which links `[L]` carried messages in a round, in one direction at least; ways: their numbers in each."""
    up = edge_keys(dynamics.topology)[dynamics.up(turn)]
    carried: Bools = np.isin(ways[0], up) | np.isin(ways[1], up)
    return carried
