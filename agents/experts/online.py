"""What an agent learned online, as a sparse Gaussian process that fusion by parameters takes.

Evidence ``(E, e)`` about common coordinates ``v`` of ``f(X_u) = R v`` becomes evidence about whitened ones ``w`` of
``f(X_u) = s L w``, with ``v = T w`` and ``T = s R⁻¹ L``: ``G = Tᵀ E T`` and ``b = Tᵀ e``. With inducing points in the
standardized domain ``f`` is ``s L v`` at the inputs that the agent's projection takes there, and ``T = I``.
"""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.features.basis import FunctionBasis, LatentBasis
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.model import Model
from coolgp.agents.sparse.collapsed import Parameters
from coolgp.agents.sparse.gp import SparseGP
from coolgp.agents.statistics import Evidence

__all__ = ["sparse_gp_of"]


def sparse_gp_of(model: Model, theta: Array, evidence: Evidence) -> SparseGP:
    """The sparse GP of one agent, ``θ [1, K]`` and its evidence, in the units that it learned in.

    Raises ValueError, with the reason, where the model is none with a lengthscale for each input: random features, a
    full projection, or a projection that is uncertain.
    """
    basis, layout = model.basis, model.layout
    if not isinstance(basis, FunctionBasis | LatentBasis):
        raise ValueError("it was learned with random features, and has no inducing inputs")
    if layout.full:
        raise ValueError("its inputs go through a full projection (agents.projection), and have no lengthscales")
    if model.expects:
        raise ValueError("its projection is uncertain, a distribution, and gives no lengthscales")
    geometry, weights = model.geometry(theta), np.diagonal(layout.projection(theta)[0])
    signal = float(layout.signal_variance(theta)[0])
    to_common = np.eye(basis.size)
    if geometry.frame is not None:
        to_common = np.sqrt(signal) * geometry.frame.inverse @ geometry.factor[0]
    return SparseGP(
        parameters=Parameters(
            inducing_inputs=np.array(basis.inducing if basis.moves else basis.inducing / weights, dtype=float),
            lengthscale=1.0 / weights,
            signal_variance=signal,
            noise_variance=float(layout.noise_variance(theta)[0]),
        ),
        precision=to_common.T @ evidence.precision[0] @ to_common,
        shift=to_common.T @ evidence.shift[0],
        kernel=next(name for name, kernel in KERNELS.items() if kernel is basis.kernel),
        jitter=basis.jitter,
    )
