"""The published form: pairs of inducing input and response, whose matched means every owner predicts from.

Source: Yurochkin et al. (NeurIPS 2019), supplement D, which gives no formula for the prediction. Pairs are taken for
observations of the function with a little noise, ``mean(x) = c + k(x, Z) (K + nugget·s² I)⁻¹ (u - c)``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.sparse.gp import SparseGP

__all__ = ["pairs", "predicting_from"]


def pairs(owner: SparseGP) -> Array:
    """Inducing inputs joined with the posterior mean of the function there, ``[M, D + 1]``."""
    return np.column_stack([owner.parameters.inducing_inputs, owner.moments()[0]])


def predicting_from(fused_pairs: Array, owner: SparseGP, nugget: float) -> SparseGP:
    """The GP of an owner's hyper-parameters that has seen pairs ``[L, D + 1]``; nugget relative to signal variance."""
    inputs, responses = fused_pairs[:, :-1], fused_pairs[:, -1]
    at = replace(owner.parameters, inducing_inputs=inputs)
    prior = replace(owner, parameters=at)
    noise = nugget * at.signal_variance
    return replace(
        prior,
        precision=prior.factor.T @ prior.factor / noise,
        shift=prior.factor.T @ (responses - owner.center) / noise,
    )
