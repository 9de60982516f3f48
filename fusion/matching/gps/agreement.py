"""What owners of sparse Gaussian processes agree on before they fuse: units, hyper-parameters and a prior mean.

Every owner standardised its rows for itself, so all of it is in the units of inputs and target. It takes a few numbers
of each owner: sums of its inducing inputs and of their squares, and the logarithms of its hyper-parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.sparse.collapsed import Parameters
from coolgp.agents.sparse.gp import SparseGP

__all__ = ["Units", "common_prior", "common_units", "sparse_gp_in", "sparse_gps", "units_of_moments"]


@dataclass(frozen=True)
class Units:
    """Mean and standard deviation of columns, each ``[E]``."""

    mean: Array
    scale: Array

    def standardised(self, rows: Array) -> Array:
        """Rows ``[N, E]`` in these units."""
        return (rows - self.mean) / self.scale

    def original(self, rows: Array) -> Array:
        """The inverse."""
        return rows * self.scale + self.mean


def sparse_gps(models: Sequence[Any]) -> tuple[SparseGP, ...]:
    """The models as records of one kernel and one number of inputs.

    models: fitted ``SparseGPRegressor`` estimators, also behind scalers in a pipeline, records, paths of files with
    them, or models of runs (:func:`coolgp.load_model`). Raises ValueError for anything else, for none, and where models
    do not fit one another; sklearn's NotFittedError before `fit`.
    """
    owners = tuple(sparse_gp_in(model) for model in models)
    if not owners:
        raise ValueError("Fusing sparse GPs needs at least one model; got none")
    for number, owner in enumerate(owners):
        for what, own, first in (
            ("kernel", owner.kernel, owners[0].kernel),
            ("number of inputs", _width(owner), _width(owners[0])),
        ):
            if own != first:
                raise ValueError(f"Fusing sparse GPs needs one {what}; model 0 has {first} and model {number} {own}")
        if not all(np.isfinite(values).all() for values in _numbers(owner)):
            raise ValueError(f"Fusing sparse GPs needs finite numbers; model {number} has NaN or infinity")
    return owners


def common_units(columns: Sequence[Array]) -> Units:
    """Mean and standard deviation of the rows ``[M_j, E]`` of all owners; scale 1 for a column that is constant."""
    count = sum(len(rows) for rows in columns)
    mean = np.sum([rows.sum(axis=0) for rows in columns], axis=0) / count
    variance = np.sum([np.square(rows - mean).sum(axis=0) for rows in columns], axis=0) / count
    return units_of_moments(mean, variance)


def units_of_moments(mean: Array, variance: Array) -> Units:
    """Units of columns with such moments ``[E]``; scale 1 for a column that is constant."""
    constant = variance <= (1e-12 * np.maximum(np.abs(mean), 1e-300)) ** 2
    return Units(mean, np.where(constant, 1.0, np.sqrt(variance)))


def common_prior(owners: Sequence[SparseGP], inducing_inputs: Array) -> SparseGP:
    """A sparse GP about inducing inputs ``[L, D]`` without any evidence.

    Its hyper-parameters are the owners' medians of the logarithms, which one owner whose search ended at a limit does
    not move; its center is the mean of theirs.
    """
    size = len(inducing_inputs)
    at = Parameters(
        inducing_inputs=inducing_inputs,
        lengthscale=_median([owner.parameters.lengthscale for owner in owners]),
        signal_variance=float(_median([owner.parameters.signal_variance for owner in owners])),
        noise_variance=float(_median([owner.parameters.noise_variance for owner in owners])),
    )
    return replace(
        owners[0],
        parameters=at,
        precision=np.zeros((size, size)),
        shift=np.zeros(size),
        center=float(np.mean([owner.center for owner in owners])),
        jitter=max(owner.jitter for owner in owners),
    )


def sparse_gp_in(model: Any) -> SparseGP:
    """The record of one model, as :func:`sparse_gps` takes it, whatever its numbers are."""
    if isinstance(model, SparseGP):
        return model
    # what agents in a run match needs neither files nor scikit-learn
    from coolgp.agents.experts.formats.files import read_model_file
    from coolgp.agents.experts.pipelines import sparse_gp_behind

    fitted = read_model_file(model) if isinstance(model, str | Path) else model
    record = fitted.to_sparse_gp() if isinstance(fitted, HandedOver) else sparse_gp_behind(fitted)
    if record is None:
        raise ValueError(
            f"Fusing sparse GPs needs fitted SparseGPRegressor models; got {type(fitted).__name__} (an exact GP has "
            "its rows for inducing inputs, and would hand over its data)"
        )
    return record


@runtime_checkable
class HandedOver(Protocol):
    """A model that is a sparse GP, and says so: an estimator, or what a run left."""

    def to_sparse_gp(self) -> SparseGP:
        """The record."""
        ...


def _width(owner: SparseGP) -> int:
    return int(owner.parameters.inducing_inputs.shape[1])


def _numbers(owner: SparseGP) -> tuple[Any, ...]:
    at = owner.parameters
    hyperparameters = (at.lengthscale, at.signal_variance, at.noise_variance, owner.center)
    return at.inducing_inputs, owner.precision, owner.shift, *hyperparameters


def _median(values: Sequence[Any]) -> Array:
    """Of the logarithms; an odd number of values, or equal ones, give one of these to the last bit."""
    ordered = np.sort(np.asarray(values), axis=0)
    lower, upper = ordered[(len(values) - 1) // 2], ordered[len(values) // 2]
    middle: Array = np.where(lower == upper, lower, np.sqrt(lower * upper))
    return middle
