"""A lock on a run folder: one process at a time works on it; the system releases it when that process ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from coolgp.network.launcher import launched_rank

try:
    import fcntl
except ImportError:  # Windows: there a run's folder is not locked
    fcntl = None  # type: ignore[assignment]

__all__ = ["held", "is_free"]


@contextmanager
def held(folder: Path, name: str = "config.toml", what: str = "run") -> Iterator[None]:
    """Hold the run in a folder, on the root, by a lock on its ``config.toml``; where there is none, hold nothing.

    name, what: another file to lock, and what it is of.

    Raises ValueError where another process holds it. File systems without locks are used without.
    """
    descriptor = -1
    if fcntl is not None and launched_rank() == 0:
        with suppress(OSError):
            descriptor = os.open(folder / name, os.O_RDWR)
    try:
        if descriptor >= 0 and not _taken(descriptor):
            raise ValueError(
                f"{folder}: another process is at work on this {what}: wait until it has ended, or stop it"
            )
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def is_free(folder: Path) -> bool:
    """Whether no other process is at work on the run in a folder."""
    try:
        with held(folder):
            return True
    except ValueError:
        return False


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks here
        return True
    return True
