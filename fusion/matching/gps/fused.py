"""One sparse Gaussian process from many that were fitted apart, once their inducing inputs are matched.

* "evidence", the default: inducing inputs alone are matched; every owner's evidence is carried into the matched ones,
  where it adds up, and the common prior comes in once.
* "published": pairs of inducing input and response are matched, and predictions are made from the matched pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.matching.gps.agreement import common_prior
from coolgp.fusion.matching.gps.evidence import Noise, carried, fused_from_row
from coolgp.fusion.matching.gps.pairs import pairs, predicting_from
from coolgp.fusion.matching.gps.selection import dropped_of

__all__ = ["Form", "FusedGP", "columns_of", "fused_evidence", "fused_pairs"]

Form = Literal["evidence", "published"]


@dataclass(frozen=True)
class FusedGP:
    """One model from J.

    model: what predicts; it can be fused again. labels: J arrays ``[M_j]``, the fused inducing input of every local
    one, or -1 where it was dropped. counts ``[L]``: local ones of each. objective ``[T]``: of the matching; empty where
    nothing was matched. form: of the fusion.
    """

    model: SparseGP
    labels: tuple[Indices, ...]
    counts: Indices
    objective: Array
    form: Form

    @property
    def inducing_inputs(self) -> Array:
        """``[L, D]``, in original units."""
        return self.model.parameters.inducing_inputs

    @property
    def dropped(self) -> int:
        """How many inducing inputs of the models the fused one leaves out, with none in their place."""
        return dropped_of(self.labels)

    def as_regressor(self) -> SparseGPRegressor:
        """The model as a fitted scikit-learn estimator, which can be stored and fused again."""
        return SparseGPRegressor.of_sparse_gp(self.model)

    @overload
    def predict(self, x: Array, return_std: Literal[False] = False) -> Array: ...
    @overload
    def predict(self, x: Array, return_std: Literal[True]) -> tuple[Array, Array]: ...
    def predict(self, x: Array, return_std: bool = False) -> Array | tuple[Array, Array]:
        """Mean ``[Q]`` at x ``[Q, D]``; with return_std also the standard deviation ``[Q]`` of an observation there."""
        mean, std = self.model.predict(np.asarray(x, dtype=float))
        return (mean, std) if return_std else mean


def columns_of(owner: SparseGP, form: Form) -> Array:
    """What is matched of an owner, ``[M, E]`` in original units. Raises ValueError for another form."""
    if form not in ("evidence", "published"):
        raise ValueError(f'Sparse GPs are fused in the form "evidence" or "published"; got {form!r}')
    return pairs(owner) if form == "published" else owner.parameters.inducing_inputs


def fused_evidence(owners: Sequence[SparseGP], inputs: Array, leftover: bool = False, noise: Noise = "own") -> SparseGP:
    """The sum of all owners' evidence about inducing inputs ``[L, D]``; leftover, noise: as for :func:`carried`."""
    union = common_prior(owners, inputs)
    total = carried(owners[0], union, leftover, noise)
    for owner in owners[1:]:
        total += carried(owner, union, leftover, noise)
    return fused_from_row(union, total.pack())


def fused_pairs(owners: Sequence[SparseGP], means: Array, nugget: float) -> SparseGP:
    """The common prior that has seen pairs ``[L, D + 1]``; nugget: as for :func:`predicting_from`."""
    return predicting_from(means, common_prior(owners, means[:, :-1]), nugget)
