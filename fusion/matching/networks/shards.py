"""Rows of the networks' owners: inputs and classes, checked once, at the border."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.network import Network

__all__ = ["Shard", "checked_shards", "counted"]

Shard = tuple[Array, Indices]


def checked_shards(shards: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]], networks: Sequence[Network]) -> list[Shard]:
    """Pairs of inputs ``[n, D]`` and classes ``[n]`` from 0, one for each network.

    Raises ValueError naming the shard that does not fit the networks.
    """
    if len(shards) != len(networks):
        raise ValueError(f"Shards need one for each of {len(networks)} networks; got {len(shards)}")
    inputs, classes = networks[0].inputs, len(networks[0].biases[-1])
    return [_checked(x, y, place, inputs, classes) for place, (x, y) in enumerate(shards)]


def _checked(inputs: npt.ArrayLike, targets: npt.ArrayLike, place: int, width: int, classes: int) -> Shard:
    x, y = np.asarray(inputs, dtype=float), np.asarray(targets)
    if x.ndim != 2 or x.shape[1] != width or y.shape != x.shape[:1]:
        raise ValueError(f"Shard {place} needs inputs [n, {width}] and classes [n]; got {x.shape} and {y.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"Shards need finite inputs; shard {place} has NaN or infinity")
    if len(y) and not (np.issubdtype(y.dtype, np.integer) and y.min() >= 0 and y.max() < classes):
        raise ValueError(f"Shard {place} needs classes as integers from 0 to {classes - 1}")
    return x, y.astype(np.intp)


def counted(shards: Sequence[Shard], classes: int) -> Indices:
    """Rows ``[J, K]`` of each class in every shard."""
    return np.stack([np.bincount(y, minlength=classes) for _, y in shards])
