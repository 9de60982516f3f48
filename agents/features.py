"""From rows of data to features, for whole blocks of agents in a few products.

A kernel value is the exponential of one product, ``[Wx, -½‖Wx‖², 1]·[z, 1, -½‖z‖²]``, and a feature is a product again.
The target stands beside the features as one more column, so that their gram matrix holds all sums of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from coolgp.agents.basis import Geometry
from coolgp.agents.kernels import Array

__all__ = ["Lens", "lens_of", "packed_sums"]

FAR = -1e4
"""An exponent so low that its kernel value is 0: what hides a row."""


@dataclass(frozen=True)
class Lens:
    """What turns inputs into features; leading axis 1 where all agents share it, else ``A``.

    projection ``[., D, P]`` and centre ``[., 1, P]``: inputs in the standardized domain, measured from the middle of
    the inducing points. points ``[., P + 2, M + 1]``: these, as the right factor of the exponent. carrier
    ``[., M + 1, M + 1]``: from kernel values to features, the target left alone; None where they are the same.

    Products are taken agent by agent, never stacked: their bits then do not depend on who else is in a block.
    """

    projection: Array
    centre: Array
    points: Array
    carrier: Array | None

    def features(self, x: Array, y: Array, mask: Array) -> Array:
        """Features and target of rows x ``[A, B, D]``, y, mask ``[A, B]``: ``[A, B, M + 1]``, zero where masked."""
        place = x @ self.projection - self.centre
        left = np.empty((*place.shape[:-1], self.points.shape[-2]), dtype=x.dtype)
        left[..., :-2] = place
        left[..., -2] = -0.5 * np.einsum("...p,...p->...", place, place)
        left[..., -2] += FAR * (1.0 - mask)
        left[..., -1] = 1.0
        kappa: Array = left @ self.points
        np.exp(kappa, out=kappa)
        kappa[..., -1] = y * mask
        return kappa if self.carrier is None else kappa @ self.carrier


def lens_of(projection: Array, geometry: Geometry, dtype: npt.DTypeLike, *, common: bool) -> Lens:
    """The lens of projections ``[., P, D]``: into common coordinates, or into whitened ones."""
    points, size = geometry.points, geometry.points.shape[-2]
    centre = points.mean(axis=-2, keepdims=True)
    shifted = points - centre
    right = np.zeros((len(points), points.shape[-1] + 2, size + 1))
    right[:, :-2, :-1] = shifted.swapaxes(-1, -2)
    right[:, -2, :-1] = 1.0
    right[:, -1, :-1] = -0.5 * np.square(shifted).sum(-1)
    carrier = geometry.carrier if common else geometry.inverse.swapaxes(-1, -2)
    wide: Array | None = None
    if not np.array_equal(carrier, np.eye(size)[None]):
        wide = np.zeros((len(carrier), size + 1, size + 1), dtype=dtype)
        wide[:, :-1, :-1] = carrier
        wide[:, -1, -1] = 1.0
    turned = projection.swapaxes(-1, -2)
    return Lens(turned.astype(dtype), centre.astype(dtype), right.astype(dtype), wide)


def packed_sums(features: Array, count: Array) -> Array:
    """Sums of features ``[..., B, M + 1]`` and observations ``[...]`` as rows of statistics, ``[..., P]``."""
    gram = features.swapaxes(-1, -2) @ features
    gram[..., 0, -1] = count  # above the diagonal there is room
    flat = gram.reshape(*gram.shape[:-2], -1)
    rows: Array = np.take(flat, _places(features.shape[-1]), axis=-1, mode="clip")
    return rows


@cache
def _places(size: int) -> npt.NDArray[np.intp]:
    """Where in a flat square matrix the lower triangle stands, row by row, and then the count."""
    return np.append(np.flatnonzero(np.tri(size)), size - 1)
