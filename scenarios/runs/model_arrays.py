"""The arrays of ``model.npz``, as :mod:`coolgp.scenarios.records.model` reads them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.features.basis import Basis, FunctionBasis, LatentBasis
from coolgp.agents.features.fourier import FourierBasis
from coolgp.agents.statistics import Evidence, packed_length
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.simulation.state import Probed, Simulation

__all__ = ["model_arrays"]


def model_arrays(simulation: Simulation, probed: Probed, labels: Array) -> dict[str, Any]:
    """The arrays of ``model.npz``. Lengthscales are in scaled inputs, variances in the scaled output."""
    shared_start = simulation.shared_start
    model, scaler, theta = shared_start.model, shared_start.scaler, probed.theta
    layout = model.layout
    arrays: dict[str, Any] = {
        **_basis_arrays(probed.basis, shared_start.inducing_inputs, simulation.scenario.agents),
        "full": np.array(layout.full),
        "uncertain": np.array(layout.uncertain),
        "x_mean": scaler.x_mean,
        "x_scale": scaler.x_scale,
        "y_mean": np.float64(scaler.y_mean),
        "y_scale": np.float64(scaler.y_scale),
        "likelihood": np.array(model.likelihood.name),
        "features": np.array(simulation.dataset.features),
        "target": np.array(simulation.dataset.target),
        "agents": labels,
        "reference_projection": layout.projection(shared_start.start),
        "reference_lengthscale": layout.lengthscale(shared_start.start),
        "theta": theta,
        "projection": layout.projection(theta),
        "lengthscale": layout.lengthscale(theta),
        "signal_variance": layout.signal_variance(theta),
        "noise_variance": layout.noise_variance(theta),
    }
    if simulation.dataset.classes:
        arrays["classes"] = np.array(simulation.dataset.classes)
    if probed.evidence.shape[1] == packed_length(probed.basis.size):
        evidence = Evidence.unpack(probed.evidence, probed.basis.size)
        arrays |= {field.name: getattr(evidence, field.name) for field in fields(Evidence)}
    return arrays


def _basis_arrays(basis: Basis, inducing_inputs: Array, agents: AgentsSettings) -> dict[str, Any]:
    named = {"basis": np.array(agents.basis), "kernel": np.array(agents.kernel)}
    if isinstance(basis, FourierBasis):
        return named | {"waves": basis.waves}
    assert isinstance(basis, FunctionBasis | LatentBasis)
    return named | {
        "inducing_inputs": basis.inducing if isinstance(basis, FunctionBasis) else inducing_inputs,
        "inducing_points": basis.inducing,
        "jitter": np.float64(agents.jitter),
        "shared": np.array(agents.shared),
        "coordinates": np.array(agents.coordinates),
    }
