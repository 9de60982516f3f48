"""Decentralised PITC with a central server, which the paper compares with (dPITC in COOL-GP, AAAI-19, experiments)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.batches import Batch
from coolgp.agents.features.basis import InducingInputs
from coolgp.agents.pitc import block_evidence
from coolgp.agents.population import Population
from coolgp.agents.statistics import Evidence
from coolgp.fusion.evidence.row_memory import RowMemory
from coolgp.fusion.guarantee import Guarantee, Rows
from coolgp.fusion.sums.base import SumState
from coolgp.fusion.sums.rows import contributions
from coolgp.fusion.sums.server import Server
from coolgp.network.base.arrays import Indices
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults

__all__ = ["DPITC"]


@dataclass(frozen=True)
class DPITC(Server):
    """PITC whose blocks are the agents: each reports the evidence of its block to a server, and receives the sum.

    A block's evidence is no sum over its rows, so every agent keeps all rows that it has seen and takes its evidence
    anew from all of them in each exchange: ``n³`` an agent for ``n`` rows, against ``M²`` a row for `server`. Hyper-
    parameters are learned from the agents' own sums, as under committees.
    """

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """The server's; every row that was observed is kept."""
        guarantee = super().guarantee(topology, faults)
        return replace(guarantee, exchanging=_keeping(guarantee.exchanging), settling=_keeping(guarantee.settling))

    def initial_memory(self, population: Population) -> RowMemory:
        """No rows yet. Raises ValueError for a basis that has no exact kernel behind it."""
        if not isinstance(population.model.basis, InducingInputs):
            raise ValueError(
                "dpitc keeps, within each agent's data, the part of the kernel that inducing inputs do not explain; "
                'random features are a kernel of their own: take fusion.rule = "server", or agents.basis = "inducing"'
            )
        return RowMemory.of(population)

    def observe(self, state: SumState, population: Population, batch: Batch) -> SumState:
        """Keep the rows."""
        return replace(state, kept=state.kept.grown(batch))

    def contributions(self, population: Population, memory: RowMemory, room: Array | None = None) -> Array:
        """Evidence of each agent's block, its announcements and itself."""
        model, batch = population.model, memory.batch

        def write(agents: slice, out: Array) -> None:
            evidence = block_evidence(model, population.theta[agents], batch[agents])
            packed = model.reread(evidence, population.theta[agents], population.teller(agents)).pack()
            out[:, : packed.shape[1]] = packed

        rows, size = batch.y.shape[1], model.inducing
        return contributions(population, room, write, np.dtype(float).itemsize * (3 * rows**2 + 4 * rows * size))

    def training_evidence(self, state: SumState, population: Population, agents: slice | Indices) -> Evidence:
        """Evidence of the agents' own sums: they climb the bound of DTC."""
        return population.evidence(agents)


def _keeping(rows: Rows) -> Rows:
    return replace(rows, observed=float("inf"))
