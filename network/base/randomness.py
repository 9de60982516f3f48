"""Random streams keyed by what they are for, never by who draws them.

One Philox generator belongs to each (seed, purpose, block of agents, round), so the draws of a block do not depend on
the number of ranks, on the order of the calls, or on what else is drawn. Source: J. K. Salmon et al., "Parallel random
numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np

__all__ = ["generator"]


def generator(seed: int, purpose: str, block: int = 0, round: int = 0) -> np.random.Generator:
    """Return the random stream of one purpose, block of agents and round.

    The Philox key is `seed` and its counter `[0, block, round, crc32(purpose)]`: 2^64 steps fit before streams meet.

    Args:
        seed: of the experiment, in [0, 2^128).
        purpose: what the numbers are for, such as "inputs" or "noise"; other purposes are independent.
        block: number of the block of agents, in [0, 2^64).
        round: number of the round, in [0, 2^64).

    Raises:
        ValueError: if a number is out of its range.

    >>> draws = generator(7, "noise", block=3, round=5).normal(size=4)
    >>> bool((draws == generator(7, "noise", block=3, round=5).normal(size=4)).all())
    True
    >>> bool((draws == generator(7, "noise", block=4, round=5).normal(size=4)).any())
    False
    """
    for name, value, bits in (("seed", seed, 128), ("block", block, 64), ("round", round, 64)):
        if not 0 <= value < 2**bits:
            raise ValueError(f"A random stream needs {name} in [0, 2^{bits}); got {value}")
    key = np.array([int(seed) % 2**64, int(seed) // 2**64], dtype=np.uint64)
    counter = np.array([0, int(block), int(round), crc32(purpose.encode())], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
