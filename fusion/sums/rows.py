"""Rows that agents contribute to sums, and evidence read from the sums.

With evidence a commutative group, fusing all agents is one sum of rows: packed evidence, what agents announce beside it
(hyper-parameters and gradients), and a one by which each counts itself, so that sums of announcements become averages.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.blocks import map_blocks
from coolgp.agents.population import Population
from coolgp.agents.statistics import Evidence, packed_length, repeated
from coolgp.network.base.arrays import Indices

__all__ = ["contributions", "evidence_from_sums", "row_length"]


def contributions(
    population: Population,
    room: Array | None = None,
    evidence: Callable[[slice, Array], object] | None = None,
    work: int = 0,
) -> Array:
    """What each agent adds to the sums, ``[A, P + C + 1]``: packed evidence, announcements, itself; into ``room``.

    evidence: writes the evidence of a block of agents into its rows; default that of the population's sums. work: bytes
    that it needs for an agent.
    """
    packed, shape = packed_length(population.model.inducing), (population.size, row_length(population))
    rows = np.empty(shape, dtype=population.dtype) if room is None or room.shape != shape else room
    write_evidence = population.packed if evidence is None else evidence

    def fill(agents: slice) -> None:
        write_evidence(agents, rows[agents])

    map_blocks(fill, population.size, max(8 * packed, work))
    rows[:, packed:-1] = population.announced
    rows[:, -1] = 1.0
    return rows


def row_length(population: Population) -> int:
    """Numbers that an agent contributes: packed evidence, announcements, and its own one."""
    return packed_length(population.model.inducing) + int(population.announced.shape[1]) + 1


def evidence_from_sums(sums: Array, own: Array | None, agents: slice | Indices, inducing: int) -> Evidence:
    """Evidence of some agents from all agents' estimates of its sum, ``[A, P]``.

    own: contributions ``[A, P]`` of the agents themselves, where estimates can leave the range of evidence: evidence is
    then an agent's own contribution and the nearest evidence to the rest that data could have produced.
    """
    rows = sums[agents]
    if repeated(sums):
        rows = np.broadcast_to(sums[:1], rows.shape)
    evidence = Evidence.unpack(rows, inducing)
    if own is None:
        return evidence
    alone = Evidence.unpack(own[agents], inducing)
    return alone + (evidence - alone).clipped()
