"""Rules by averaging with neighbours, graphs and contributions that their tests share."""

import numpy as np

from coolgp.fusion.sums.chebyshev import Chebyshev
from coolgp.fusion.sums.consensus import Consensus
from coolgp.fusion.sums.deviation import deviation
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.transport import Transport

KINDS = [("ring", 12), ("star", 12), ("small-world", 16), ("complete", 6), ("random-tree", 9), ("ring", 2), ("ring", 1)]
PLAIN = {kind: Consensus(weights=kind) for kind in ("metropolis", "max-degree", "optimal-constant")}
SUMMING = {**PLAIN, "chebyshev": Chebyshev()}


def contributions(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(size, 4)) * [1.0, 1e6, 1e-6, 0.0]


def faulty(inner: Transport, topology, faults: Faults) -> Transport:
    return inner if faults == PERFECT else FaultyTransport(inner, Dynamics(topology, faults, seed=3), faults, seed=3)


def off(rule, state, values, transport) -> float:
    scale = np.sqrt(transport.allsum(np.square(values)))
    return deviation(rule.sums(state), transport.allsum(values), scale, transport)
