"""Blocks of agents, worked on side by side by the cores of this rank."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["FEW", "cores", "granted_cores", "map_blocks", "map_slices", "map_tasks", "on_cores", "slices_of"]

Task = TypeVar("Task")
Result = TypeVar("Result")
BLOCK_BYTES = 3 * 2**19
"""A block of agents is as many as need this much at work: it stays in the cache."""

FEW = 4
"""Blocks that one core does as fast as several."""


def granted_cores() -> int:
    """Cores that the operating system grants this process."""
    if hasattr(os, "sched_getaffinity"):  # Linux alone
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cores() -> int:
    """Cores that this rank may use: ``COOLGP_THREADS``, or all that the operating system grants."""
    asked = os.environ.get("COOLGP_THREADS", "")
    if asked and not asked.isdecimal():
        raise ValueError(f"COOLGP_THREADS needs a whole number of cores for each rank; got {asked!r}")
    return int(asked or 0) or granted_cores()


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Work on so many cores for a while."""
    before = os.environ.get("COOLGP_THREADS")
    os.environ["COOLGP_THREADS"] = str(count)
    try:
        yield
    finally:
        if before is None:
            del os.environ["COOLGP_THREADS"]
        else:
            os.environ["COOLGP_THREADS"] = before


def map_tasks(work: Callable[[Task], Result], tasks: Sequence[Task]) -> list[Result]:
    """Apply ``work`` to independent tasks on this rank's cores; results in the tasks' order."""
    if len(tasks) < 2 or cores() < 2:
        return [work(task) for task in tasks]
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(work, tasks))


def map_blocks(work: Callable[[slice], Result], agents: int, size: int) -> list[Result]:
    """Apply ``work`` to slices of agents, of which each needs ``size`` bytes, that fit the cache; results in order.

    Little work is done by one core: dealing it out would cost more.
    """
    return map_slices(work, slices_of(agents, size))


def map_slices(work: Callable[[slice], Result], slices: Sequence[slice]) -> list[Result]:
    """Apply ``work`` to slices of agents; results in order. Few of them are done by one core."""
    return map_tasks(work, slices) if len(slices) > FEW else [work(block) for block in slices]


def slices_of(agents: int, size: int) -> list[slice]:
    """The agents in slices that fit the cache, where each needs ``size`` bytes."""
    width = max(1, BLOCK_BYTES // size)
    return [slice(start, min(start + width, agents)) for start in range(0, agents, width)]
