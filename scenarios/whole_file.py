"""Files that are there complete or not at all, and errors that name their file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["naming", "whole", "write_whole"]


def write_whole(path: Path, contents: bytes) -> None:
    """Write a file so that it is there complete or not at all."""
    with whole(path) as temporary:
        temporary.write_bytes(contents)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Another name to write under; the file gets its own once all is written, and leaves nothing where that fails."""
    temporary = path.with_name(f".{path.name}")
    try:
        with naming(path):
            yield temporary
            temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the system name the file: where a write fails, it does not."""
    try:
        yield
    except OSError as problem:
        problem.filename = str(path)
        raise
