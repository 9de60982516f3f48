"""Average consensus with Metropolis weights: exact in the limit on any connected graph.

``X ← PX`` keeps the mean of the contributions, and every row tends to it at the graph's spectral gap; the sum is N
times the mean. New contributions enter as increments, so that the mean tracks streams (Xiao & Boyd, Systems & Control
Letters 2004; Zhu & Martínez, Automatica 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy.sparse import csr_array

from coolgp.agents.kernels import Array
from coolgp.fusion.sums import SumRule
from coolgp.network.axes import PerAgent
from coolgp.network.mixing import local_metropolis
from coolgp.network.transport import Transport

__all__ = ["Consensus", "ConsensusState"]


@dataclass(frozen=True)
class ConsensusState:
    """estimate ``[A, P]``: of the mean; values ``[A, P]``: contributions it has taken in; weights ``[A, A+H]``."""

    estimate: PerAgent
    values: PerAgent
    weights: csr_array
    size: int


@dataclass(frozen=True)
class Consensus(SumRule):
    """Repeated averaging with the neighbours: exact in the limit on any connected graph."""

    def begin(self, values: Array, transport: Transport) -> ConsensusState:
        """Every agent's estimate is its own contribution."""
        return ConsensusState(values.copy(), values, local_metropolis(transport.shard), transport.shard.size)

    def round(self, state: ConsensusState, values: Array, transport: Transport) -> ConsensusState:
        """Take in what is new, then average with the neighbours."""
        fresh = state.estimate + (values - state.values)
        return ConsensusState(state.weights @ transport.halo(fresh), values, state.weights, state.size)

    def sums(self, state: ConsensusState) -> Array:
        """N times the estimate of the mean."""
        return state.estimate * state.size
