"""Where agents that learn two classes start: hyper-parameters and inducing inputs by the bound of a pilot.

The bound is that of variational inference with Pólya-Gamma variables and inducing inputs (Wenzel et al., AAAI 2019):
with a parabola for each row (:mod:`coolgp.agents.likelihoods.bernoulli`), the collapsed bound of weighted Gaussian
rows, and what the parabolas have beside it. Steps on hyper-parameters alternate with new parabolas; neither lowers it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.likelihoods.bernoulli import BERNOULLI, log_slack
from coolgp.agents.sparse.collapsed import Parameters, bound_of, posterior_of_rows
from coolgp.agents.sparse.fitting import maximise
from coolgp.agents.sparse.rows import Pooled

__all__ = ["Labelled", "LabelledFit", "fit_labels"]

EACH = 5
"""Iterations of L-BFGS between two looks at the parabolas."""
LOOKS = 3
"""How often parabolas are drawn anew under the same hyper-parameters."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows x ``[n, D]`` of classes y ``[n]`` in {0, 1}, and ``E f² [n]``, at which their parabolas touch."""

    x: Array
    y: Array
    second_moment: Array

    @property
    def rows(self) -> Pooled:
        """The Gaussian rows that stand for them."""
        target, weight = BERNOULLI.as_gaussian(self.y, np.zeros_like(self.y), self.second_moment)
        return Pooled(self.x, target, root=np.sqrt(weight))

    def looked_at(self, at: Parameters, kernel: Kernel, jitter: float) -> Labelled:
        """The same with parabolas that touch where the posterior has ``f``."""
        mean, variance = posterior_of_rows(self.rows, at, kernel, jitter).predict(self.x, kernel)
        return Labelled(self.x, self.y, np.square(mean) + variance)

    def bound(self, at: Parameters, kernel: Kernel, jitter: float) -> float:
        """Of the log probability of the classes, in nats; the noise variance is 1."""
        rows = self.rows
        beside = 0.5 * (rows.square + rows.count * np.log(2.0 * np.pi)) + log_slack(self.second_moment).sum()
        return bound_of(rows, at, kernel, jitter) + float(beside)


@dataclass(frozen=True)
class LabelledFit:
    """Where a search ended. bound, start_bound: in nats, at the end and at the start."""

    parameters: Parameters
    bound: float
    start_bound: float


def fit_labels(
    x: Array,
    y: Array,
    start: Parameters,
    kernel: Kernel,
    jitter: float,
    iterations: int,
    *,
    moves: bool,
    free: tuple[bool, bool],
    watch: Callable[[int], None] | None = None,
) -> LabelledFit:
    """Raise the bound of rows x ``[n, D]``, y ``[n]`` in {0, 1} from a start, in so many iterations.

    moves: whether inducing inputs move; free: whether lengthscales and signal variance are sought; watch: called with
    iterations done. The noise variance stays 1. Raises ValueError as :func:`coolgp.agents.sparse.fitting.maximise`.
    """

    def looked_at(labelled: Labelled, at: Parameters) -> Labelled:
        for _ in range(LOOKS):
            labelled = labelled.looked_at(at, kernel, jitter)
        return labelled

    at, labelled = start, looked_at(Labelled(x, y, np.full(len(y), start.signal_variance)), start)
    before = labelled.bound(at, kernel, jitter)
    for done in range(0, iterations, EACH):
        count = min(EACH, iterations - done)
        at = maximise(labelled.rows, at, kernel, jitter, count, move_inputs=moves, free=(*free, False)).parameters
        labelled = looked_at(labelled, at)
        if watch:
            watch(done + count)
    return LabelledFit(parameters=at, bound=labelled.bound(at, kernel, jitter), start_bound=before)
