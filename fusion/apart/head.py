"""The moments of hidden features as one row of each owner, and the output layer that follows from their sum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.models.base import LocalRows
from coolgp.agents.experts.network import Network
from coolgp.fusion.matching.networks.head import HeadSums, head_sums, refitted_head
from coolgp.fusion.matching.networks.layers import with_head

__all__ = ["moments", "with_refitted_head"]


def moments(network: Network, rows: Sequence[LocalRows], classes: int) -> Array:
    """Rows ``[A, P]`` of the owners: moments of what the last hidden layer makes of their inputs."""
    sums = [head_sums(network.hidden(own.x), own.y.astype(np.intp), classes) for own in rows]
    return np.stack([np.concatenate([own.gram.ravel(), own.cross.ravel(), own.squares]) for own in sums])


def with_refitted_head(network: Network, total: Array, classes: int) -> Network:
    """The network with the output layer that follows from the sum ``[P]`` of the rows of all owners."""
    size = network.widths[-1] + 1
    gram, cross, squares = np.split(total, [size * size, size * (size + classes)])
    sums = HeadSums(gram.reshape(size, size), cross.reshape(size, classes), squares)
    return with_head(network, *refitted_head([sums]))
