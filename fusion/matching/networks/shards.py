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
    """Pairs of inputs ``[n, D]`` and numbers of classes ``[n]`` from 0, one for each network.

    shards: with the classes' labels where networks have them, else with numbers. Raises ValueError naming the shard
    that does not fit the networks.
    """
    if len(shards) != len(networks):
        raise ValueError(f"Shards need one for each of {len(networks)} networks; got {len(shards)}")
    return [
        _checked(np.asarray(x, dtype=float), np.asarray(y), place, networks[0]) for place, (x, y) in enumerate(shards)
    ]


def _checked(x: Array, y: Array, place: int, network: Network) -> Shard:
    width, classes = network.inputs, len(network.biases[-1])
    if x.ndim != 2 or x.shape[1] != width or y.shape != x.shape[:1]:
        raise ValueError(f"Shard {place} needs inputs [n, {width}] and classes [n]; got {x.shape} and {y.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"Shards need finite inputs; shard {place} has NaN or infinity")
    if network.classes is not None:
        return x, _numbers(y, network.classes, place)
    if len(y) and not (np.issubdtype(y.dtype, np.integer) and y.min() >= 0 and y.max() < classes):
        raise ValueError(f"Shard {place} needs classes as integers from 0 to {classes - 1}")
    return x, y.astype(np.intp)


def _numbers(y: Array, classes: Array, place: int) -> Indices:
    """The numbers of labels ``[n]`` among those of the classes ``[K]``."""
    number = {label: number for number, label in enumerate(classes.tolist())}
    labels, places = np.unique(y, return_inverse=True)
    foreign = [label for label in labels.tolist() if label not in number]
    if foreign:
        classes_text = ", ".join(map(str, number))
        raise ValueError(f"Shard {place} has a class {foreign[0]!r} that the networks do not have: {classes_text}")
    return np.array([number[label] for label in labels.tolist()], dtype=np.intp)[places]


def counted(shards: Sequence[Shard], classes: int) -> Indices:
    """Rows ``[J, K]`` of each class in every shard."""
    return np.stack([np.bincount(y, minlength=classes) for _, y in shards])
