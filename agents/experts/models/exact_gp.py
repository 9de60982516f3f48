"""Gaussian processes without inducing inputs, by scikit-learn: for owners of few rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Kernel, Matern, WhiteKernel

from coolgp.agents.experts.models.base import LocalRows, Seeds
from coolgp.agents.experts.models.fitting import fitted
from coolgp.agents.experts.task import Task

__all__ = ["ExactGP"]

KERNELS: dict[str, type[Kernel]] = {"se": RBF, "matern32": Matern, "matern52": Matern}
SMOOTHNESS = {"matern32": {"nu": 1.5}, "matern52": {"nu": 2.5}}
BOUNDS = (1e-3, 1e3)


@dataclass(frozen=True)
class ExactGP:
    """A Gaussian process of all rows of the owner, its hyper-parameters at the maximum of the evidence.

    One lengthscale for all inputs, which few rows can tell. kernel: "se", "matern32" or "matern52". restarts: further
    starts of the search.
    """

    tasks: ClassVar[tuple[str, ...]] = ("regression",)
    ending: ClassVar[str] = ".skops"

    kernel: Literal["se", "matern32", "matern52"] = "se"
    restarts: Annotated[int, Ge(0)] = 0

    def trained(self, rows: LocalRows, task: Task, seeds: Seeds) -> Any:
        """See `TrainedModel`."""
        start = float(np.sqrt(rows.x.var(axis=0).sum())) or 1.0  # the usual distance of two inputs
        bounds = (BOUNDS[0] * start, BOUNDS[1] * start)
        unit = KERNELS[self.kernel](start, bounds, **SMOOTHNESS.get(self.kernel, {}))
        kernel = ConstantKernel(1.0, BOUNDS) * unit + WhiteKernel(0.5, BOUNDS)
        model = GaussianProcessRegressor(
            kernel, normalize_y=True, n_restarts_optimizer=self.restarts, random_state=seeds.own
        )
        return fitted(model, rows.x, rows.y)
