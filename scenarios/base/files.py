"""Atomic writes: a file is written whole or not at all; and errors that name their file."""

from __future__ import annotations

import csv
import glob
import io
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["forget_half", "naming", "whole", "write_table", "write_whole"]


def write_whole(path: Path, contents: bytes) -> None:
    """Write a file so that it is there complete or not at all."""
    with whole(path) as temporary:
        temporary.write_bytes(contents)


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV, whole; their columns are those of all rows, in the order in which they first come up."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_whole(path, text.getvalue().encode())


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Another name to write under; the file gets its own once all is written, and leaves nothing where that fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")  # two may write at once
    try:
        with naming(path):
            yield temporary
            temporary.replace(path)
    except BaseException:
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


def forget_half(path: Path) -> None:
    """Remove what a process that was killed in the middle of writing the file left."""
    for half in path.parent.glob(f".{glob.escape(path.name)}*"):  # without a number: of versions before this one
        if re.fullmatch(r"(\.\d+-[0-9a-f]{8})?", half.name.removeprefix(f".{path.name}")):
            half.unlink(missing_ok=True)
