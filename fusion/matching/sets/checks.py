"""Sets of vectors as users bring them: checked once, at the border."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array

__all__ = ["checked_groups", "checked_variances"]


def checked_groups(groups: Sequence[npt.ArrayLike]) -> list[Array]:
    """J arrays ``[L_j, D]`` of finite numbers, at least one vector in all; an empty list is a group without vectors.

    Raises ValueError naming the group that is not so.
    """
    values: list[Array] = [np.asarray(own, dtype=float) for own in groups]
    lengths = {own.shape[1] for own in values if own.ndim == 2 and own.size}
    if not lengths:
        raise ValueError("Matching needs at least one group with vectors [L_j, D]; got none")
    values = [own.reshape(0, min(lengths)) if not own.size else own for own in values]
    for group, own in enumerate(values):
        if own.ndim != 2 or own.shape[1] != values[0].shape[1]:
            raise ValueError(
                f"Matching needs vectors [L_j, {values[0].shape[1]}] in every group; group {group} has {own.shape}"
            )
        if not np.isfinite(own).all():
            raise ValueError(f"Matching needs finite vectors; group {group} has NaN or infinity")
    return values


def checked_variances(variances: Sequence[npt.ArrayLike], values: list[Array]) -> list[Array]:
    """J arrays of the shapes of the vectors, finite and above 0. Raises ValueError naming the group that is not so."""
    if len(variances) != len(values):
        raise ValueError(f"Variances need an array for each of {len(values)} groups; got {len(variances)}")
    checked = [
        np.asarray(own, dtype=float).reshape(v.shape) if not v.size else np.asarray(own, dtype=float)
        for own, v in zip(variances, values, strict=True)
    ]
    for group, (own, vectors) in enumerate(zip(checked, values, strict=True)):
        if own.shape != vectors.shape:
            raise ValueError(
                f"Variances of group {group} need the shape of its vectors, {vectors.shape}; got {own.shape}"
            )
        if not (np.isfinite(own).all() and (own > 0).all()):
            raise ValueError(f"Variances need to be finite and above 0; those of group {group} are not")
    return checked
