"""From rows of data to features, for whole blocks of agents in a few products.

A kernel value is a function of one product, ``[z, -½, -½‖z‖²]·[Wx, (Wx)², 1]``, and a feature is a product again.
A random feature is a cosine or a sine of one product. The target stands below the features as one more row, so that
their gram matrix holds all sums of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array
from coolgp.agents.base.triangular import product_with_lower
from coolgp.agents.kernels.base import Kernel, differenced, is_far

__all__ = ["KernelLens", "Lens", "WaveLens", "kernel_lens", "packed_sums"]


class Lens(Protocol):
    """What turns inputs into features.

    Products are taken agent by agent, never stacked: their bits then do not depend on who else is in a block.
    """

    def features(self, x: Array, y: Array, scale: Array) -> Array:
        """Features and target of rows x ``[A, B, D]``, y ``[A, B]``, times scale ``[A, B]``: ``[A, M + 1, B]``."""
        ...


@dataclass(frozen=True)
class KernelLens:
    """Kernel values, and what follows from them; leading axis 1 where all agents share it, else ``A``.

    projection ``[., P, D]`` and centre ``[., P, 1]``: inputs in the standardized domain, measured from the middle of
    the inducing points. points ``[., M + 1, 2P + 1]``: these, as the left factor of the exponent. carrier
    ``[., M + 1, M + 1]``: from kernel values to features, the target left alone; None where they are the same. lower
    ``[.]``: which carriers are lower triangular: those of agents at the reference hyper-parameters. kernel: what makes
    values of exponents.
    """

    projection: Array
    centre: Array
    points: Array
    carrier: Array | None
    lower: npt.NDArray[np.bool_]
    kernel: Kernel

    def features(self, x: Array, y: Array, scale: Array) -> Array:
        """The kernel of one product, and another product."""
        place = self.projection @ x.swapaxes(-1, -2)
        place -= self.centre
        size = place.shape[-2]
        right = np.empty((*place.shape[:-2], 2 * size + 1, place.shape[-1]), dtype=x.dtype)
        right[..., :size, :] = place
        np.square(place, out=right[..., size:-1, :])
        right[..., -1, :] = 1.0
        kappa = self.kernel.of_exponents(self.points @ right if not self._far(place) else self._differenced(place))
        if (scale != 1.0).any():
            kappa *= scale[..., None, :]
        kappa[..., -1, :] = y * scale
        return kappa if self.carrier is None else self._carried(self.carrier, kappa)

    def _carried(self, carrier: Array, kappa: Array) -> Array:
        """The carriers' products; how one is taken depends on that carrier alone, not on who else is in a block."""
        if self.lower.all():
            return product_with_lower(carrier, kappa)
        features: Array = carrier @ kappa
        if self.lower.any():
            some = np.flatnonzero(self.lower)
            features[..., some, :, :] = product_with_lower(carrier[some], kappa[..., some, :, :])
        return features

    def _far(self, place: Array) -> bool:
        return self._points_are_far or is_far(place)

    @cached_property
    def _points_are_far(self) -> bool:
        return is_far(self.points[..., : self.projection.shape[-2]])

    def _differenced(self, place: Array) -> Array:
        """The exponents ``[A, M + 1, B]`` of inputs ``[A, P, B]``; 0 where the target will stand."""
        near = differenced(self.points[..., :-1, : place.shape[-2]], place.swapaxes(-1, -2))
        return np.concatenate([near, np.zeros_like(near[..., :1, :])], axis=-2)


@dataclass(frozen=True)
class WaveLens:
    """Cosines and sines of waves ``[F, D]`` in the input domain, the same for all; squares of a row add up to 1."""

    waves: Array

    def features(self, x: Array, y: Array, scale: Array) -> Array:
        """``F^-½ [cos Ωx, sin Ωx]``."""
        phase = self.waves @ x.swapaxes(-1, -2)
        half = phase.shape[-2]
        features = np.empty((*phase.shape[:-2], 2 * half + 1, phase.shape[-1]), dtype=x.dtype)
        np.cos(phase, out=features[..., :half, :])
        np.sin(phase, out=features[..., half:-1, :])
        features[..., :-1, :] *= (half**-0.5 * scale[..., None, :]).astype(x.dtype, copy=False)
        features[..., -1, :] = y * scale
        return features


def kernel_lens(projection: Array, inducing: Array, carrier: Array, dtype: npt.DTypeLike, kernel: Kernel) -> KernelLens:
    """The lens of projections ``[., P, D]``, inducing points ``[., M, P]`` and a carrier ``[., M, M]`` to features."""
    size, width = inducing.shape[-2:]
    centre = inducing.mean(axis=-2, keepdims=True)
    shifted = inducing - centre
    points = np.zeros((len(shifted), size + 1, 2 * width + 1))
    points[:, :-1, :width] = shifted
    points[:, :-1, width:-1] = -0.5
    points[:, :-1, -1] = -0.5 * np.square(shifted).sum(-1)
    lower: npt.NDArray[np.bool_] = np.logical_not(np.tril(carrier, -1).any(axis=(-2, -1)))
    wide: Array | None = None
    if not np.array_equal(carrier, np.eye(size)[None]):
        wide = np.zeros((len(carrier), size + 1, size + 1), dtype=dtype)
        wide[:, :-1, :-1] = carrier.swapaxes(-1, -2)
        wide[:, -1, -1] = 1.0
    return KernelLens(
        projection=projection.astype(dtype),
        centre=centre.swapaxes(-1, -2).astype(dtype),
        points=points.astype(dtype),
        carrier=wide,
        lower=lower,
        kernel=kernel,
    )


def packed_sums(features: Array, count: Array) -> Array:
    """Sums of features ``[..., M + 1, B]`` and observations ``[...]`` as rows of statistics, ``[..., P]``."""
    gram = features @ features.swapaxes(-1, -2)
    gram[..., 0, -1] = count  # above the diagonal there is room
    flat = gram.reshape(*gram.shape[:-2], features.shape[-2] ** 2)  # -1 would not do for no agents at all
    rows: Array = np.take(flat, _places(features.shape[-2]), axis=-1, mode="clip")
    return rows


@cache
def _places(size: int) -> npt.NDArray[np.intp]:
    """Where in a flat square matrix the lower triangle stands, row by row, and then the count."""
    return np.append(np.flatnonzero(np.tri(size)), size - 1)
