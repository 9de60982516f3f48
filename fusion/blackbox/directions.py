"""Random directions by key, so that experts that share a seed draw the same ones without sending them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["directions"]


def directions(key: Sequence[int], starts: Sequence[int], draws: int, queries: int, owner: int | None = None) -> Array:
    """Standard normal numbers ``[K, S, Q]``, K of them for each of S points at each query.

    key: seed and iteration, which every expert knows. starts: names of the S points. owner: an expert that draws for
    itself alone, as published. With common directions the noise of the experts cancels where their gradients do.

    >>> one, other = directions((7, 1), [0, 1], 3, 2), directions((7, 1), [1], 3, 2)
    >>> bool((one[:, 1:] == other).all()), bool((one[:, :1] == other).any())
    (True, False)
    """
    private = [] if owner is None else [owner + 1]  # a zero at the end of a seed sequence changes nothing
    streams = [np.random.default_rng(np.random.SeedSequence([*key, start, *private])) for start in starts]
    return np.stack([stream.standard_normal((draws, queries)) for stream in streams], axis=1)
