"""A newcomer's model from sparse Gaussian processes of others."""

from __future__ import annotations

import numpy as np

from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.fusion.matching.gps.agreement import sparse_gps
from coolgp.fusion.personalise.gps import PersonalisedGPs
from coolgp.fusion.personalise.outcome import PersonalRegressor, PersonalReport, Request

__all__ = ["from_gps"]


def from_gps(request: Request) -> PersonalRegressor:
    """The mixture of priors that the owners' evidence gives. Raises ValueError where models are no sparse GPs."""
    owners = sparse_gps(request.models)
    if request.x.shape[1] != len(owners[0].parameters.lengthscale):
        raise ValueError(f"models take {len(owners[0].parameters.lengthscale)} inputs; X has {request.x.shape[1]}")
    y = np.asarray(request.y, dtype=float)
    start, learned = PersonalisedGPs().start(owners, request.graph)
    model = start.observe(request.x, y)
    names = [candidate.name for candidate in model.candidates]
    report = PersonalReport(
        chosen="mixture of Gaussian process priors",
        why=f"all {len(owners)} models are sparse Gaussian processes",
        rows=len(y),
        weights=dict(zip(names, model.weights.tolist(), strict=True)),
        left_out=dict(zip(names, model.left_out(request.x, y).tolist(), strict=True)),
        details={
            "common inducing inputs": f"{len(model.common.shift)}",
            "shrinkage of the population": f"{learned.shrinkages[0]:g} tasks",
        },
    )
    return PersonalRegressor(model, report, SparseGPRegressor.of_sparse_gp(model.as_one()))
