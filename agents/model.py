"""What every agent holds alike before the start: the layout of its hyper-parameters, the basis, and the encoding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np

from coolgp.agents.basis import Basis, Geometry
from coolgp.agents.kernels import Array
from coolgp.agents.parameters import Layout
from coolgp.agents.statistics import Evidence, Statistics

__all__ = ["Batch", "Encoding", "Model"]


@dataclass(frozen=True)
class Batch:
    """New observations of ``A`` agents: x ``[A, B, D]``, y ``[A, B]``, mask ``[A, B]`` (one where a row is real).

    Agents may get batches of different sizes, or none: rows with mask zero count for nothing.
    """

    x: Array
    y: Array
    mask: Array

    def __post_init__(self) -> None:
        if not (self.x.ndim == 3 and self.x.shape[:2] == self.y.shape == self.mask.shape):
            raise ValueError(
                "a batch needs x [A,B,D], y [A,B] and mask [A,B]; "
                f"got {self.x.shape}, {self.y.shape} and {self.mask.shape}"
            )

    def __getitem__(self, agents: slice) -> Batch:
        return Batch(self.x[agents], self.y[agents], self.mask[agents])

    @property
    def count(self) -> Array:
        """Observations per agent ``[A]``."""
        count: Array = self.mask.sum(-1)
        return count


class Encoding(Protocol):
    """How a batch becomes sums, and what becomes of old sums when hyper-parameters move (methods: §3 of COOL-GP)."""

    def zeros(self, model: Model, agents: int) -> Statistics:
        """Statistics of agents that have seen nothing."""
        ...

    def encode(self, model: Model, theta: Array, batch: Batch) -> Statistics:
        """Sums of a batch under ``θ [A, K]``."""
        ...

    def evidence(self, model: Model, theta: Array, statistics: Statistics) -> Evidence:
        """What the sums say under ``θ [A, K]``, in common coordinates."""
        ...

    def move(self, model: Model, statistics: Statistics, anchor: Array, theta: Array) -> tuple[Statistics, Array]:
        """Re-express sums anchored at ``anchor [A, K]`` for ``θ [A, K]``; returns them with their new anchor."""
        ...


@dataclass(frozen=True, eq=False)
class Model:
    """The common ground of all agents: layout of ``θ``, basis, and encoding."""

    layout: Layout
    basis: Basis
    encoding: Encoding

    @cached_property
    def _shared(self) -> Callable[[bytes], Geometry]:
        """The geometry of agents that all hold one ``θ``: every block of them asks for it again."""
        return lru_cache(4)(lambda theta: self.basis.geometry(self.layout.projection(np.frombuffer(theta)[None])))

    @property
    def expects(self) -> bool:
        """Whether ``κ`` is random under ``q(W)``, so that its expectations take its place."""
        return self.layout.uncertain and not self.basis.moves

    @property
    def inducing(self) -> int:
        """Number of inducing points ``M``."""
        return int(self.basis.inducing.shape[0])

    def geometry(self, theta: Array) -> Geometry:
        """Inducing points under ``θ [A, K]``, leading axis ``A``, or one where all agents agree.

        Agents that hold the same hyper-parameters, to the bit, share one factorisation.
        """
        rows = agreed(theta)
        if len(rows) != 1:
            return self.basis.geometry(self.layout.projection(rows))
        return self._shared(rows.tobytes())

    def scales(self, theta: Array) -> tuple[Array, Array]:
        """Factors ``[A]`` from unscaled sums to evidence."""
        return self.basis.scales(self.layout.signal_variance(theta), self.layout.noise_variance(theta))


def agreed(theta: Array) -> Array:
    """One row ``[1, K]`` where all rows of ``θ [A, K]`` are equal, else ``θ``."""
    return theta[:1] if theta.shape[0] > 1 and np.array_equal(theta, np.broadcast_to(theta[:1], theta.shape)) else theta
