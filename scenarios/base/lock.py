"""A claim on a place: one process at a time works on it; the system releases the claim when that process ends.

A claim is a lock on a hidden file beside what is claimed. It is taken before anything else is written, and the file is
removed when it is released. Where the file system has no locks, a second file is the claim, which one process alone can
make; what a killed process left is then to be removed by hand.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from coolgp.network.launcher import launched_rank

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["check_place", "claimed", "claimed_file", "contents", "held", "is_free"]

LOCK, SIGNED = ".lock", "-of"
"""The file in a folder that is claimed, and what the name of the second one ends in."""
OWN = {LOCK, LOCK + SIGNED}
"""Names in a folder that say nothing of what it holds."""


def contents(folder: Path) -> set[str]:
    """The names in a folder, but for a claim; none where there is no folder."""
    return {path.name for path in folder.iterdir()} - OWN if folder.is_dir() else set()


def check_place(folder: Path) -> None:
    """Refuse a place where no folder can be, or not be written to. Raises ValueError saying why and what to do."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder}: needed a folder to write to; this is a file: take another --out")
    parent = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not parent.is_dir():
        raise ValueError(f"{folder}: {parent} is a file: take another --out")
    if not os.access(parent, os.W_OK):
        raise ValueError(f"{folder}: no permission to write in {parent}: take another --out")


@contextmanager
def claimed(folder: Path, what: str = "run") -> Iterator[None]:
    """Make a folder and claim it, on the root; one that was made here and stayed empty is removed again.

    what: it is of. Raises ValueError where another process holds it, or there can be no folder.
    """
    check_place(folder)
    if launched_rank() != 0:
        yield
        return
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        with _claim(folder / LOCK, f"{folder}: another process is at work on this {what}"):
            yield
    finally:
        with suppress(OSError):  # it holds what was written
            for place in missing:
                place.rmdir()


@contextmanager
def claimed_file(path: Path, taken: str = "") -> Iterator[None]:
    """Claim a name in a folder, such as that of a file that is about to be written.

    taken: what is so where another process holds it, for the message of the ValueError that is then raised.
    """
    words = taken or f"{path}: another process is about to write this file"
    with _claim(path.with_name(f".{path.name}{LOCK}"), words):
        yield


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Claim the run in a folder that is there, on the root; what is not is held by nobody. Errors as `claimed`."""
    with claimed(folder) if folder.is_dir() and os.access(folder, os.W_OK) else nullcontext():
        yield


def is_free(folder: Path) -> bool:
    """Whether no other process is at work on the run in a folder."""
    try:
        with held(folder) if (folder / LOCK).exists() else nullcontext():
            return True
    except ValueError:
        return False


@contextmanager
def _claim(path: Path, taken: str) -> Iterator[None]:
    descriptor = _locked(path, taken)
    try:
        yield
    finally:
        for place in (_signed(path), path):
            with suppress(OSError):
                place.unlink()
        os.close(descriptor)


def _locked(path: Path, taken: str) -> int:
    """A descriptor of the file, with its lock; it is still that of the path, and not one that was just removed."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another process made the folder, and has just removed it
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            kept = False
            try:
                kept = _lock(descriptor, path, taken) and os.path.samestat(os.fstat(descriptor), os.stat(path))
                if kept:
                    return descriptor
            finally:
                if not kept:
                    os.close(descriptor)


def _lock(descriptor: int, path: Path, taken: str) -> bool:
    """Lock a file, or, where there are no locks, write into it whose it is. Raises ValueError where it is another's."""
    try:
        if fcntl is None:
            raise OSError
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ValueError(f"{taken}: wait until it has ended, or stop it") from None
    except OSError:
        return _sign(path, taken)
    return True


def _sign(path: Path, taken: str) -> bool:
    """Make a second file, which only one process can make, and say in it whose it is."""
    signed = _signed(path)
    try:
        with signed.open("x", encoding="utf-8") as file:
            file.write(f"process {os.getpid()} on {socket.gethostname()}")
    except FileExistsError:
        whose = signed.read_text(encoding="utf-8")
        raise ValueError(f"{taken} ({whose}): wait until it has ended; if it was killed, remove {signed}") from None
    return True


def _signed(path: Path) -> Path:
    return path.with_name(f"{path.name}{SIGNED}")
