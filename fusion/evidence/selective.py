"""Selective fusion: an agent uses the evidence of only those neighbours that predict its own data.

All other rules assume that agents observe one function. Where they do not, or some are byzantine, an agent is better
off with the neighbours that agree with it. Agents send their own evidence, never what they received, so nothing is
counted twice and evidence that was taken in can be left out again. The score is prequential (A. P. Dawid, Statistical
theory: the prequential approach, JRSS A 1984): on rows that were not learned. A neighbour's evidence never contains the
agent's rows; the agent itself is scored on each row just before it learns the row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy.sparse import csr_array

from coolgp.agents.base.arrays import Array
from coolgp.agents.batches import Batch
from coolgp.agents.blocks import map_blocks
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction
from coolgp.agents.predictive_scores import log_loss, predict_rows, square_loss
from coolgp.agents.statistics import Evidence, packed_length
from coolgp.fusion.evidence.row_memory import RowMemory, newest
from coolgp.fusion.guarantee import FaultTolerance, Guarantee, Rows
from coolgp.fusion.sums.base import SumRule, SumState
from coolgp.network.base.arrays import Indices
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.row_axes import PerAgent, PerEdge
from coolgp.network.shard import Shard
from coolgp.network.transport import Transport

__all__ = ["NeighbourEvidence", "Selective", "Trial"]

Flags = npt.NDArray[np.bool_]
LOSSES: dict[str, Callable[[Prediction, Array], Array]] = {"nlpd": log_loss, "square": square_loss}


@dataclass(frozen=True)
class NeighbourEvidence:
    """Evidence of neighbours, and which of it the agents take in.

    rows ``[E, P]``: the newest that arrived on each edge's slot; known ``[E]`` bool: whether any did; taken ``[E]``
    bool; sums ``[A, P]``: own contributions and, once they are scored, those taken in.
    """

    rows: PerEdge
    known: PerEdge
    taken: PerEdge
    sums: PerAgent


@dataclass(frozen=True)
class Trial:
    """The newest rows of each agent, and its own loss ``[A, R]`` on each just before it learned it."""

    seen: RowMemory
    loss: PerAgent


@dataclass(frozen=True)
class Selective(SumRule):
    """Own evidence and that of chosen neighbours: those that predict an agent's newest rows nearly as well as itself.

    measure: the score of a row: ``nlpd``, the negative log predictive density, or ``square``, the squared error.
    slack: a neighbour is taken in if its mean squared error is at most this times the agent's own; by densities, if the
    geometric mean of its densities is at least the agent's own divided by this. memory: how many rows, the newest. An
    agent that has no rows yet takes in all evidence that data could have produced.
    """

    measure: Literal["nlpd", "square"] = "nlpd"
    slack: Annotated[float, Field(gt=0)] = 1.2
    memory: Annotated[int, Field(gt=0)] = 50

    def stands(self) -> FaultTolerance:
        """No sum over all agents is sought."""
        why = "every agent uses only those neighbours that predict its own data"
        return FaultTolerance("approximate", why)

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """One round: neighbours send nothing new after it."""
        kind, why = self.stands().under(faults)
        rows = Rows(4.0, 4.0, observed=float(self.memory))
        messages = float(len(topology.indices))
        return Guarantee(kind, why, rounds=1, messages=messages, exchanging=rows, settling=rows)

    def initial_memory(self, population: Population) -> Trial:
        """No rows yet."""
        seen = RowMemory.of(population, self.memory)
        return Trial(seen, np.zeros(seen.mask.shape))

    def observe(self, state: SumState, population: Population, batch: Batch) -> SumState:
        """Score each agent's predictions of its batch before it learns the batch, and keep the newest rows."""
        own = self._losses(population, np.arange(population.size), batch, population.evidence)
        grown, trial = state.kept.seen.grown(batch), state.kept
        rows = newest(grown.mask, self.memory)
        loss = np.take_along_axis(np.concatenate([trial.loss, own], axis=1), rows, axis=1)
        return replace(state, kept=Trial(grown[rows], loss))

    def forgotten(self, state: SumState, share: float) -> SumState:
        """The state as it is: what it keeps are the newest rows."""
        return state

    def begin(self, values: Array, transport: Transport) -> NeighbourEvidence:
        """Nothing has arrived."""
        edges = len(transport.shard.tail)
        nothing = np.zeros(edges, dtype=bool)
        return NeighbourEvidence(np.zeros((edges, values.shape[1]), values.dtype), nothing, nothing, values)

    def round(self, state: NeighbourEvidence, values: Array, transport: Transport) -> NeighbourEvidence:
        """Send own evidence to all neighbours, and keep the newest of theirs."""
        delivery = transport.send(values[transport.shard.tail]).newest()
        if len(delivery.edges) == len(state.rows):
            return NeighbourEvidence(delivery.rows, np.ones_like(state.known), state.taken, values)
        rows, received = state.rows.copy(), state.known.copy()
        rows[delivery.edges], received[delivery.edges] = delivery.rows, True
        return NeighbourEvidence(rows, received, state.taken, values)

    def settle(self, state: NeighbourEvidence, values: Array, transport: Transport) -> NeighbourEvidence:
        """One round: neighbours send nothing new after it."""
        settled: NeighbourEvidence = self.rounds(state, values, transport, 1)
        return settled

    def sums(self, state: NeighbourEvidence) -> Array:
        """Own contributions and those taken in."""
        return state.sums

    def exchange(self, state: SumState, population: Population, transport: Transport, rounds: int = 1) -> SumState:
        """So many communication rounds; then score the neighbours' newest evidence."""
        return self._selected(super().exchange(state, population, transport, rounds), population, transport.shard)

    def converge(self, state: SumState, population: Population, transport: Transport) -> SumState:
        """One communication round; then score the neighbours' newest evidence."""
        return self._selected(super().converge(state, population, transport), population, transport.shard)

    def _selected(self, state: SumState, population: Population, shard: Shard) -> SumState:
        neighbours: NeighbourEvidence = state.inner
        taken = self._taken(neighbours, state.kept, population, shard)
        edges, start = np.flatnonzero(taken), np.searchsorted(shard.tail[taken], np.arange(population.size + 1))
        ones = np.ones(len(edges), dtype=neighbours.rows.dtype)
        others = csr_array((ones, edges, start), (population.size, len(taken))) @ neighbours.rows
        return replace(state, inner=replace(neighbours, taken=taken, sums=neighbours.sums + others))

    def _taken(self, neighbours: NeighbourEvidence, trial: Trial, population: Population, shard: Shard) -> Flags:
        """Edges ``[E]`` whose evidence data could have produced and predicts the receiver's rows well enough."""
        inducing = population.model.inducing
        packed = neighbours.rows[:, : packed_length(inducing)]

        def possible(edges: slice) -> Flags:
            return Evidence.unpack(packed[edges].astype(float), inducing).possible()

        sound = map_blocks(possible, len(packed), 16 * inducing**2)
        taken: Flags = np.array(neighbours.known, dtype=bool) & np.concatenate([*sound, np.zeros(0, dtype=bool)])
        edges = np.flatnonzero(taken)
        tail, mask = shard.tail[edges], trial.seen.mask
        count = np.maximum(mask.sum(1), 1.0)

        def evidence_of(some: slice) -> Evidence:
            return population.heard(Evidence.unpack(packed[edges[some]], inducing), tail[some])

        loss = self._losses(population, tail, trial.seen.batch, evidence_of)
        theirs, own = (loss * mask[tail]).sum(1) / count[tail], ((trial.loss * mask).sum(1) / count)[tail]
        bar = own + np.log(self.slack) if self.measure == "nlpd" else own * self.slack
        taken[edges] = (theirs <= bar) | (mask[tail].sum(1) == 0)
        return taken

    def _losses(
        self, population: Population, agents: Indices, batch: Batch, evidence: Callable[[slice], Evidence]
    ) -> Array:
        """Losses ``[K, B]`` of evidence on the rows of one agent each, ``[K]``, under its ``θ``."""
        model, rows = population.model, batch.y.shape[1]

        def losses_of(some: slice) -> Array:
            judge = agents[some]
            prediction = predict_rows(model, population.theta[judge], evidence(some), batch.x[judge])
            return LOSSES[self.measure](prediction, batch.y[judge])

        work = 8 * (6 * model.inducing**2 + 4 * rows * model.inducing)
        losses = map_blocks(losses_of, len(agents), work)
        return np.concatenate(losses) if losses else np.zeros((0, rows))
