"""Average consensus with Metropolis weights: exact in the limit on any connected graph.

``X ← PX`` keeps the mean of the contributions, and every row tends to it at the graph's spectral gap; the sum is N
times the mean. New contributions enter as increments, so that the mean tracks streams (Xiao & Boyd, Systems & Control
Letters 2004; Zhu & Martínez, Automatica 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from coolgp.agents.kernels import Array
from coolgp.fusion.sums import SumRule
from coolgp.network.mixing import local_metropolis
from coolgp.network.transport import Transport

__all__ = ["Consensus", "ConsensusState"]


@dataclass(frozen=True)
class ConsensusState:
    """estimate ``[A, P]``: of the mean; values ``[A, P]``: contributions it has taken in; weights ``[A, A+H]``."""

    estimate: Array
    values: Array
    weights: csr_array
    size: int


@dataclass(frozen=True)
class Consensus(SumRule):
    """Repeated averaging with the neighbours: exact in the limit on any connected graph.

    tolerance: settled once the deviation from the mean is this part of the contributions, in every column.

    most: rounds after which settling is given up with an error.
    """

    tolerance: float = 1e-12
    most: int = 100_000
    look_every: int = 10

    def begin(self, values: Array, transport: Transport) -> ConsensusState:
        """Every agent's estimate is its own contribution."""
        return ConsensusState(values.copy(), values, local_metropolis(transport.shard), transport.shard.size)

    def round(self, state: ConsensusState, values: Array, transport: Transport) -> ConsensusState:
        """Take in what is new, then average with the neighbours."""
        fresh = state.estimate + (values - state.values)
        return ConsensusState(state.weights @ transport.halo(fresh), values, state.weights, state.size)

    def settle(self, state: ConsensusState, values: Array, transport: Transport) -> ConsensusState:
        """Repeat until every agent is within the tolerance of the mean, looking every few rounds.

        The looking is the simulator's, by a sum over all agents that is not counted as messages.

        Raises ValueError when that takes more than ``most`` rounds.
        """
        target = transport.allsum(values) / state.size
        scale = np.sqrt(transport.allsum(np.square(values)))
        for turn in range(self.most):
            state = self.round(state, values, transport)
            if turn % self.look_every == 0:
                deviation = np.sqrt(transport.allsum(np.square(state.estimate - target)))
                if np.all(deviation <= self.tolerance * scale):
                    return state
        raise ValueError(
            f"consensus had not settled to {self.tolerance:g} after {self.most} rounds: the graph mixes too slowly; "
            'take fusion.rule = "tree", a number for fusion.rounds_per_step, or a better connected graph'
        )

    def sums(self, state: ConsensusState) -> Array:
        """N times the estimate of the mean."""
        return state.estimate * state.size
