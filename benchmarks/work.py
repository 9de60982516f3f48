"""The work that all contestants do: one stream of data, one set of inducing inputs, fixed hyper-parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["INPUTS", "JITTER", "LENGTHSCALE", "NOISE_VARIANCE", "SIGNAL_VARIANCE", "Array", "Stream", "graph", "stream"]

Array = npt.NDArray[np.floating[Any]]

INPUTS = 7
LENGTHSCALE = 2.0
SIGNAL_VARIANCE = 1.3
NOISE_VARIANCE = 0.01
JITTER = 1e-6
"""Added to the kernel matrix of the inducing inputs for a unit signal variance."""


@dataclass(frozen=True)
class Stream:
    """Batches for ``A`` agents: x ``[A, B, D]``, y ``[A, B]``; inducing inputs ``[M, D]``, queries ``[Q, D]``."""

    x: Array
    y: Array
    inducing: Array
    queries: Array


def stream(agents: int, batch: int, inducing: int, queries: int = 10) -> Stream:
    """Noisy sums of sines at standard normal inputs; inducing inputs and queries do not depend on agents and batch."""
    common = np.random.default_rng(0)
    points, asked = common.standard_normal((inducing, INPUTS)), common.standard_normal((queries, INPUTS))
    own = np.random.default_rng(1)
    x = own.standard_normal((agents, batch, INPUTS))
    y = np.sin(x).sum(-1) / np.sqrt(INPUTS) + np.sqrt(NOISE_VARIANCE) * own.standard_normal((agents, batch))
    return Stream(x, y, points, asked)


def graph(size: int) -> Any:
    """The small world of degree 4 that rules average on; all contestants get its edges."""
    from coolgp.network.graphs.generate import generate

    return generate("small-world", size, seed=0, neighbours=4)
