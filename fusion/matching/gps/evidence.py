"""Evidence of sparse Gaussian processes, carried into inducing inputs that all owners share, where it adds up.

What an owner's rows say of ``f(Z)`` is a pseudo-observation of it. With ``f(Z) ≈ K(Z, Z*) K(Z*, Z*)⁻¹ f(Z*)`` it
becomes one of ``f(Z*)``: in whitened coordinates ``v = T v*`` with ``T = L⁻¹ K(Z, Z*) L*⁻ᵀ``, and evidence ``(G, b)``
becomes ``(Tᵀ G T, Tᵀ b)``. That ignores the leftover variance ``R`` of ``v`` given ``v*``; with it ``G`` becomes
``(G⁻¹ + R)⁻¹`` first. Carried evidence is a row of numbers for each owner, and any rule that sums rows fuses it.

Evidence is in inverse proportion to the owner's noise variance, and an owner that fitted its rows too closely outweighs
all others. Where that is a danger, noise is "floored" at the common one, the median, or taken to be "common".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from coolgp.agents.base.arrays import Array
from coolgp.agents.sparse.gp import SparseGP
from coolgp.agents.statistics import Evidence

__all__ = ["Noise", "carried", "evidence_rows", "fused_from_row"]

Noise = Literal["own", "floored", "common"]
SAME = 1e-9
"""Distance, in lengthscales, below which an inducing input and its matched one are one."""


def carried(owner: SparseGP, union: SparseGP, leftover: bool = False, noise: Noise = "own") -> Evidence:
    """The evidence of one owner about the inducing inputs of the union, whose hyper-parameters are the common ones.

    leftover: add the variance of the owner's inducing values that the union leaves unexplained. noise: that of the
    owner's rows, see the module. The evidence counts owners, not rows. Raises ValueError for another noise.
    """
    weight = _weight(owner.parameters.noise_variance / union.parameters.noise_variance, noise)
    precision, shift = weight * owner.precision, weight * _about(owner, union.center)
    map_ = _map(owner, union)
    if leftover:
        precision, shift = _widened(precision, shift, _leftover_root(owner, union, map_))
    return Evidence(map_.T @ precision @ map_, map_.T @ shift, np.zeros(()), np.ones(()))


def evidence_rows(owners: Sequence[SparseGP], union: SparseGP, leftover: bool = False, noise: Noise = "own") -> Array:
    """What each owner adds to a sum over all, ``[J, P]``: its carried evidence, packed; a rule's contributions."""
    return np.stack([carried(owner, union, leftover, noise).pack() for owner in owners])


def fused_from_row(union: SparseGP, row: Array) -> SparseGP:
    """The union with the evidence of a summed row ``[P]``; what repeated averaging leaves below zero is left out."""
    evidence = Evidence.unpack(row[None], len(union.shift)).clipped()
    return replace(union, precision=evidence.precision[0], shift=evidence.shift[0])


WEIGHTS: dict[str, Callable[[float], float]] = {
    "own": lambda share: 1.0,
    "floored": lambda share: min(1.0, share),
    "common": lambda share: share,
}
"""Of an owner's evidence, by its noise variance as a share of the common one."""


def _weight(share: float, noise: Noise) -> float:
    if noise not in WEIGHTS:
        raise ValueError(f"Noise of owners is one of {', '.join(WEIGHTS)}; got {noise!r}")
    return WEIGHTS[noise](share)


def _about(owner: SparseGP, center: float) -> Array:
    """The owner's shift ``[M]`` for deviations from another center."""
    ones = owner.whitened(np.ones(len(owner.shift)))
    moved: Array = owner.shift + (owner.center - center) * (owner.precision @ ones)
    return moved


def _map(owner: SparseGP, union: SparseGP) -> Array:
    """``T [M, L]``; inputs that both have share their jitter too, so that nothing is lost there."""
    inputs, at = owner.parameters.inducing_inputs, union.parameters
    across = union.covariance(inputs)
    gaps = (at.inducing_inputs[:, None] - inputs) / at.lengthscale
    across[np.abs(gaps).max(axis=-1) <= SAME] += union.jitter * at.signal_variance
    return owner.whitened(union.whitened(across).T)


def _leftover_root(owner: SparseGP, union: SparseGP, map_: Array) -> Array:
    """A root ``[M, M]`` of the variance of the owner's whitened values given the union's."""
    at = replace(union.parameters, inducing_inputs=owner.parameters.inducing_inputs)
    root = owner.whitened(replace(union, parameters=at).factor)
    variances, directions = np.linalg.eigh(root @ root.T - map_ @ map_.T)
    root_of_leftover: Array = directions * np.sqrt(np.maximum(variances, 0.0))
    return root_of_leftover


def _widened(precision: Array, shift: Array, root: Array) -> tuple[Array, Array]:
    """``(G⁻¹ + R)⁻¹`` and its shift, for ``R = root rootᵀ`` and ``G`` of any rank."""
    across = precision @ root
    inner = cholesky(np.eye(len(shift)) + root.T @ across, lower=True)
    half = solve_triangular(inner, across.T, lower=True)
    return precision - half.T @ half, shift - across @ cho_solve((inner, True), root.T @ shift)
