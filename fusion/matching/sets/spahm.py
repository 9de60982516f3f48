"""SPAHM: statistical model aggregation via parameter matching.

Groups bring unordered sets of vectors (mixture centres, topics, states, inducing points) that are noisy copies of
atoms which nobody knows; how many atoms there are, which vectors share one, and how large noise and prior variance are
follows from the vectors alone. Source: Yurochkin, Agarwal, Ghosh, Greenewald & Hoang, "Statistical Model Aggregation
via Parameter Matching", NeurIPS 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.core.assignment import SOLVERS
from coolgp.fusion.matching.core.atoms import gathered, posterior, weighted_means
from coolgp.fusion.matching.core.gains import Criterion
from coolgp.fusion.matching.core.merges import merged_along
from coolgp.fusion.matching.core.prior import BetaBernoulli
from coolgp.fusion.matching.core.sweeps import Partition, first_pass, objective, renumbered, swept, warm_start
from coolgp.fusion.matching.core.vectors import Vectors
from coolgp.fusion.matching.sets.checks import checked_groups, checked_variances
from coolgp.fusion.matching.sets.moments import (
    Hyperparameters,
    closed_form_step,
    expectation_step,
    moments,
    nearly_equal,
    overall_variance,
    vectors_under,
)
from coolgp.network.graphs.given import Graph

if TYPE_CHECKING:
    from coolgp.fusion.matching.gps.evidence import Noise
    from coolgp.fusion.matching.gps.fused import Form, FusedGP
    from coolgp.fusion.matching.gps.selection import Inputs

__all__ = ["SPAHM", "MatchedAtoms"]

START_NOISE = (0.1, 0.01, 1.0)
"""Noise variances to start from, as shares of the vectors' variance.

From a large one all may match all, from a small one nothing may match, and learning confirms either.
"""

READ_OUTS = ("posterior", "mean")
GP_NOISE = 0.01
"""Noise variance of standardised inducing inputs: two match where they are a tenth of the spread apart."""

SAME = 1e-9
"""Objectives that differ by less than this share are the same: of these the first start is taken."""


@dataclass(frozen=True)
class MatchedAtoms:
    """Atoms that groups share, numbered as they first occur in them.

    atoms ``[L, D]``. labels: J arrays ``[L_j]``, the atom of each vector. counts ``[L]``: groups that use each atom.
    variances ``[L, D]``: of the atoms, given the labels. objective ``[T]``: log joint probability of vectors and
    partition, at the start and after each sweep. prior_mean, prior_variance, noise_variance ``[D]``: in the end.
    settled: whether no group wanted to change its atoms, or the sweeps were used up before.
    """

    atoms: Array
    labels: tuple[Indices, ...]
    counts: Indices
    variances: Array
    objective: Array
    prior_mean: Array
    prior_variance: Array
    noise_variance: Array
    settled: bool


@dataclass(frozen=True)
class _Run:
    """Where one start led."""

    vectors: Vectors
    partition: Partition
    hyperparameters: Hyperparameters
    objective: Array


@dataclass(frozen=True)
class SPAHM:
    """Settings of SPAHM; :meth:`match` is the method, and :meth:`fuse` applies it to sparse Gaussian processes.

    noise_variance, prior_variance: to start from, or to keep unless ``learn``, one number or one per dimension. None
    takes the variance of all vectors for the prior's and 0.1, 0.01 and 1 times that for the noise, and of the three
    matchings the one with the largest objective. learn: update both and the prior mean after each sweep.
    per_dimension: variances differ between dimensions. mass, concentration: of the Beta-Bernoulli prior, above 0; more
    mass means more atoms. sweeps: at most. read_out: "posterior" means, which shrink to the prior mean, or plain "mean"
    of the matched vectors. seed: of the order of visits. solver: "greedy", a baseline, takes the pair that gains most
    first. prior: in place of mass and concentration.

    >>> matched = SPAHM(read_out="mean").match([[[0.0, 0.0], [9.0, 9.0]], [[9.1, 9.0], [0.1, 0.0], [5.0, -9.0]]])
    >>> [labels.tolist() for labels in matched.labels], matched.counts.tolist()
    ([[0, 1], [1, 0, 2]], [2, 2, 1])
    """

    noise_variance: float | Sequence[float] | None = None
    prior_variance: float | Sequence[float] | None = None
    learn: bool = True
    per_dimension: bool = True
    mass: float = 1.0
    concentration: float = 1.0
    sweeps: int = 100
    read_out: Literal["posterior", "mean"] = "posterior"
    seed: int = 0
    solver: Literal["optimal", "greedy"] = "optimal"
    prior: BetaBernoulli | None = field(default=None, repr=False)

    def match(
        self,
        groups: Sequence[npt.ArrayLike],
        variances: Sequence[npt.ArrayLike] | None = None,
        labels: Sequence[Indices] | None = None,
    ) -> MatchedAtoms:
        """Match J groups of vectors ``[L_j, D]``.

        variances: J arrays ``[L_j, D]``, the noise variance of every entry where it is known; ``noise_variance`` is not
        used then. labels: of an earlier matching of the same vectors, to start from. Raises ValueError for groups
        without vectors, of different lengths of vectors, and for numbers that are not finite or variances not above 0.
        """
        self._check()
        values = checked_groups(groups)
        noise = None if variances is None else checked_variances(variances, values)
        starts = self._starts(values, single=noise is not None or labels is not None)
        runs = [self._run(values, noise, start, labels) for start in starts]
        best = max(run.objective[-1] for run in runs)
        chosen = next(run for run in runs if best - run.objective[-1] <= SAME * (1.0 + abs(best)))
        return _record(values, chosen, self.read_out)

    def fuse(
        self,
        models: Sequence[Any],
        graph: Graph | None = None,
        *,
        form: Form = "evidence",
        leftover: bool = False,
        nugget: float = 1e-3,
        inputs: Inputs = "matched",
        max_inputs: int | None = None,
        noise: Noise = "own",
    ) -> FusedGP:
        """One sparse GP from J fitted ones, by matching inducing inputs; columns are standardised for it.

        graph: of the owners, over which they match and add up; without one all is in one place. form: "evidence" is
        carried into the matched inputs, or, "published", predictions come from matched pairs of input and response,
        which have a variance of ``nugget`` times the signal's. leftover: add the variance that the matched inputs do
        not explain. inputs: the "matched" ones, or, to compare, "k-means" centres or a "random" choice, as many as
        matching finds, or "all". max_inputs: at most so many, those that tell most of the others. noise: of the owners'
        rows; "floored" at the median of all, or "common" to all, so that none outweighs the others whose fit was too
        close. Where ``noise_variance`` is None it is 0.01 of the columns' variance, and nothing is learned: learning
        may match all. Raises ValueError for models that do not fit one another, or the graph.
        """
        from coolgp.fusion.matching.gps.agreement import sparse_gps  # sets of vectors need none of it
        from coolgp.fusion.matching.gps.fusion import fused
        from coolgp.fusion.matching.gps.selection import Selector

        self._check()
        settings = replace(self, prior_variance=1.0 if self.prior_variance is None else self.prior_variance)
        if self.noise_variance is None:
            settings = replace(settings, noise_variance=GP_NOISE, learn=False)
        return fused(
            sparse_gps(models), settings, Selector(inputs, max_inputs, self.seed), graph, form, leftover, nugget, noise
        )

    def merged_labels(self, groups: Sequence[npt.ArrayLike], parents: Sequence[int]) -> list[Indices]:
        """Labels, J arrays ``[L_j]``, that merges along a tree of groups end with; parents ``[J]``, -1 for the root."""
        values = checked_groups(groups)
        vectors = vectors_under(values, None, self._starts(values, single=True)[0])
        return list(merged_along(vectors, self.criterion, parents).labels)

    @property
    def criterion(self) -> Criterion:
        """What is maximised, and by which solver."""
        prior = self.prior or BetaBernoulli(self.mass, self.concentration)
        return Criterion(prior, marginal=True, assign=SOLVERS[self.solver])

    def _run(
        self, values: list[Array], noise: list[Array] | None, now: Hyperparameters, labels: Sequence[Indices] | None
    ) -> _Run:
        """Sweeps from one start of the hyper-parameters."""
        criterion = self.criterion
        vectors = vectors_under(values, noise, now)
        partition = first_pass(vectors, criterion) if labels is None else warm_start(vectors, labels)
        values_of_objective = [objective(partition, vectors, criterion)]
        for sweep in range(self.sweeps):
            after = self._learned(values, noise, now, partition)
            if after is not now:
                now, vectors = after, vectors_under(values, noise, after)
                partition = replace(partition, pending=np.ones(len(values), dtype=bool))
            if not partition.pending.any():
                break
            partition = swept(partition, vectors, criterion, self.seed, sweep)
            values_of_objective.append(objective(partition, vectors, criterion))
        return _Run(vectors, partition, now, np.array(values_of_objective))

    def _check(self) -> None:
        for name, allowed in (("read_out", READ_OUTS), ("solver", SOLVERS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"SPAHM needs {name} to be one of {', '.join(allowed)}; got {getattr(self, name)!r}")

    def _starts(self, values: list[Array], single: bool) -> list[Hyperparameters]:
        pooled = np.concatenate(values)
        mean, scale = pooled.mean(axis=0), overall_variance(pooled, self.per_dimension)
        prior = scale if self.prior_variance is None else self._broadcast("prior", self.prior_variance, scale)
        if self.noise_variance is not None:
            return [Hyperparameters(mean, prior, self._broadcast("noise", self.noise_variance, scale))]
        return [Hyperparameters(mean, prior, share * scale) for share in START_NOISE[: 1 if single else None]]

    def _broadcast(self, name: str, value: float | Sequence[float], scale: Array) -> Array:
        variance = np.asarray(value, dtype=float)
        if variance.shape not in ((), scale.shape) or not (np.isfinite(variance).all() and (variance > 0).all()):
            raise ValueError(
                f"The {name} variance needs one number above 0 or {len(scale)}, one a dimension; got {value}"
            )
        return np.broadcast_to(variance, scale.shape).copy()

    def _learned(
        self, values: list[Array], noise: list[Array] | None, now: Hyperparameters, partition: Partition
    ) -> Hyperparameters:
        """The hyper-parameters of this partition: ``now`` itself where nothing changes but by rounding."""
        if not self.learn:
            return now
        scale = np.concatenate(values).var(axis=0)
        if noise is None:
            seen = moments(values, partition.labels, partition.atoms.counts)
            after = closed_form_step(seen, now, scale, self.per_dimension)
        else:
            atoms = gathered(
                vectors_under(values, noise, replace(now, prior_mean=np.zeros(len(scale)))), partition.labels
            )
            after = expectation_step(atoms.shift, atoms.precision, now, scale, self.per_dimension)
        return now if nearly_equal(now, after, scale) else after


def _record(values: list[Array], run: _Run, read_out: str) -> MatchedAtoms:
    labels, vectors, now = renumbered(run.partition.labels), run.vectors, run.hyperparameters
    atoms = gathered(vectors, labels)
    if read_out == "posterior":
        means, variances = posterior(atoms, vectors)
        means = means + now.prior_mean
    else:
        means, variances = weighted_means(values, vectors.precision, labels, atoms.precision), 1.0 / atoms.precision
    return MatchedAtoms(
        atoms=means,
        labels=labels,
        counts=atoms.counts,
        variances=variances,
        objective=run.objective,
        prior_mean=now.prior_mean,
        prior_variance=now.prior_variance,
        noise_variance=now.noise_variance,
        settled=not run.partition.pending.any(),
    )
