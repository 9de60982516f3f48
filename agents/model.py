"""The model that all agents share: layout of hyper-parameters, basis of features, encoding of data, likelihood."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any, Protocol, TypeVar

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.batches import Batch
from coolgp.agents.features.basis import Basis
from coolgp.agents.features.geometry import Geometry
from coolgp.agents.features.lens import Lens
from coolgp.agents.likelihoods.base import Likelihood
from coolgp.agents.likelihoods.gaussian import GAUSSIAN
from coolgp.agents.parameters import Layout
from coolgp.agents.statistics import Evidence, Statistics

__all__ = ["Encoding", "Model"]

Result = TypeVar("Result")
CACHED = 6
"""Results of each kind that are cached where all agents share them."""


class Encoding(Protocol):
    """How a batch becomes sums, and how old sums are re-expressed when hyper-parameters change (COOL-GP §3)."""

    def zeros(self, model: Model, agents: int, dtype: type[np.floating[Any]] = np.float64) -> Statistics:
        """Statistics of agents without data."""
        ...

    def encode(self, model: Model, theta: Array, batch: Batch) -> Statistics:
        """Sums of a batch under ``θ [A, K]``, in the precision of its numbers."""
        ...

    def packed(self, model: Model, theta: Array, statistics: Statistics, out: Array | None = None) -> Array:
        """Evidence of the sums under ``θ [A, K]``, in common coordinates, packed ``[A, P]``; into ``out``."""
        ...

    def evidence(self, model: Model, theta: Array, statistics: Statistics) -> Evidence:
        """The same as a record."""
        return Evidence.unpack(self.packed(model, theta, statistics), model.inducing)

    def move(self, model: Model, statistics: Statistics, anchor: Array, theta: Array) -> tuple[Statistics, Array]:
        """Re-express sums anchored at ``anchor [A, K]`` for ``θ [A, K]``; returns them with their new anchor."""
        ...

    def of(self, agents: slice | Indices) -> Encoding:
        """The encoding of some of the agents: the same, unless agents have something of their own."""
        return self


@dataclass(frozen=True, eq=False)
class Model:
    """What all agents share: layout of ``θ``, basis, encoding, and how observations depend on ``f``."""

    layout: Layout
    basis: Basis
    encoding: Encoding
    likelihood: Likelihood = GAUSSIAN

    def of(self, agents: slice | Indices) -> Model:
        """The model of some of the agents."""
        return replace(self, encoding=self.encoding.of(agents))

    @cached_property
    def _shared(self) -> Callable[[bytes], Geometry]:
        """The geometry of agents that share one ``θ``, cached: every block of them needs it."""
        return lru_cache(CACHED)(lambda theta: self.basis.geometry(self.layout.projection(np.frombuffer(theta)[None])))

    @cached_property
    def _lenses(self) -> Callable[[bytes, bool, str], Lens]:
        def of(theta: bytes, common: bool, dtype: str) -> Lens:
            row = np.frombuffer(theta)[None]
            return self.basis.lens(self.layout.projection(row), self.geometry(row), np.dtype(dtype), common=common)

        return lru_cache(2 * CACHED)(of)

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: what is cached is formed again, and holds functions that cannot be copied."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def _memory(self) -> deque[tuple[Callable[..., Any], tuple[Array, ...], Any]]:
        return deque(maxlen=CACHED)

    def cached(self, form: Callable[[Model, Array, Evidence], Result], theta: Array, evidence: Evidence) -> Result:
        """``form(self, θ, evidence)``, formed once: where all agents agree, every block of them asks for the same."""
        arrays = (theta, evidence.count, evidence.square, evidence.shift, evidence.precision)  # cheapest first
        for formed_by, arguments, formed in tuple(self._memory):
            if formed_by is form and all(map(np.array_equal, arguments, arrays)):
                earlier: Result = formed
                return earlier
        result = form(self, theta, evidence)
        self._memory.append((form, tuple(map(np.array, arrays)), result))
        return result

    @property
    def expects(self) -> bool:
        """Whether ``κ`` is random under ``q(W)``, so that its expectations take its place."""
        return self.layout.uncertain and not self.basis.moves

    @property
    def inducing(self) -> int:
        """Number of inducing points, or features, ``M``."""
        return self.basis.size

    def geometry(self, theta: Array) -> Geometry:
        """Inducing points under ``θ [A, K]``, leading axis ``A``, or one where all agents agree.

        Agents with the same hyper-parameters, to the bit, share one factorisation.
        """
        rows = agreed(theta)
        if len(rows) != 1:
            return self.basis.geometry(self.layout.projection(rows))
        return self._shared(rows.tobytes())

    def lens(self, theta: Array, dtype: np.dtype[Any], *, common: bool) -> Lens:
        """What turns rows of data into features under ``θ [A, K]``; one for all where all agents agree."""
        rows = agreed(theta)
        if len(rows) != 1:
            return self.basis.lens(self.layout.projection(rows), self.geometry(rows), dtype, common=common)
        return self._lenses(rows.tobytes(), common, dtype.str)

    def scales(self, theta: Array) -> tuple[Array, Array]:
        """Factors ``[A]`` from unscaled sums to evidence."""
        return self.basis.scales(self.layout.signal_variance(theta), self.layout.noise_variance(theta))

    def reread(self, evidence: Evidence, before: Array, after: Array) -> Evidence:
        """Evidence ``[A]`` scaled by the variances of ``before [A, K]``, in the scale of ``after [A, K]``."""
        if np.array_equal(before[:, -2:], after[:, -2:]):
            return evidence
        (quadratic, linear), (quadratic_before, linear_before) = self.scales(after), self.scales(before)
        square = self.layout.noise_variance(before) / self.layout.noise_variance(after)
        return evidence.scaled(quadratic / quadratic_before, linear / linear_before, square)


def agreed(theta: Array) -> Array:
    """One row ``[1, K]`` where all rows of ``θ [A, K]`` are equal, else ``θ``."""
    return theta[:1] if theta.shape[0] > 1 and np.array_equal(theta, np.broadcast_to(theta[:1], theta.shape)) else theta
