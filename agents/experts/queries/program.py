"""A program that answers queries: rows as CSV on its standard input, answers as CSV on its standard output."""

from __future__ import annotations

import csv
import os
import selectors
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired
from tempfile import TemporaryFile
from time import monotonic
from typing import IO

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.remote import MOST_BYTES, RemoteModel

__all__ = ["Program"]

LAUNCHER = ("PMI", "OMPI_", "HYD", "MPI_")
"""Beginnings of variables by which a program that loads MPI would take itself for one of this run's ranks."""
KEPT = 2_000
"""Bytes at the end of what a program says on its standard error."""


@dataclass(frozen=True, kw_only=True)
class Program(RemoteModel):
    """A program that is started for each call, without a shell, and killed with all that it started at the time limit.

    command: the program and its arguments. folder: where it runs. It reads a header ``x0,x1,...`` and a line of numbers
    for each row. It writes a header, ``mean`` or ``mean,std`` or the labels of the classes, and a line for each row, in
    their order, and ends with exit code 0.
    """

    command: tuple[str, ...]
    folder: Path = Path()

    def columns(self, x: Array) -> Mapping[str, Array]:
        """See `RemoteModel`."""
        deadline = monotonic() + self.limit
        with TemporaryFile("w+", newline="", encoding="utf-8") as rows:
            writer = csv.writer(rows, lineterminator="\n")
            writer.writerow([f"x{place}" for place in range(x.shape[1])])
            writer.writerows(x.tolist())
            rows.seek(0)
            try:
                return _columns(self._output(rows, deadline), len(x))
            except TimeoutExpired:
                raise TimeoutError(f"gave no answer within {self.limit:g} s") from None

    def _output(self, rows: IO[str], deadline: float) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHER)}
        try:
            process = Popen(
                self.command,
                stdin=rows,
                stdout=PIPE,
                stderr=PIPE,
                cwd=self.folder,
                env=environment,
                start_new_session=True,
            )
        except OSError as problem:
            raise ValueError(f"{self.command[0]} cannot be started ({problem.strerror or problem})") from problem
        with _ended(process):
            output, complaints = _read(process, deadline)
            code = process.wait(max(deadline - monotonic(), 0.01))
        if code:
            said = " ".join(complaints.decode(errors="replace").split())[-300:]
            end = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise ValueError(f"ended with {end}{f': {said}' if said else ''}")
        return output.decode(errors="replace")


@contextmanager
def _ended(process: Popen[bytes]) -> Iterator[None]:
    """Kill a process and all that it started, unless it was waited for."""
    try:
        yield
    finally:
        if process.returncode is None:  # not waited for: its number is still its own
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for stream in filter(None, (process.stdout, process.stderr)):
            stream.close()


def _read(process: Popen[bytes], deadline: float) -> tuple[bytes, bytes]:
    """All of its output, and the end of what it says on standard error, until both are closed."""
    output, complaints = bytearray(), bytearray()
    with selectors.DefaultSelector() as waiting:
        for stream, kept in ((process.stdout, output), (process.stderr, complaints)):
            assert stream is not None
            waiting.register(stream, selectors.EVENT_READ, kept)
        while waiting.get_map():
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutExpired(process.args, 0)
            for key, _ in waiting.select(left):
                piece = os.read(key.fd, 2**16)
                key.data.extend(piece)
                if not piece:
                    waiting.unregister(key.fileobj)
            del complaints[:-KEPT]
            if len(output) > MOST_BYTES:
                raise ValueError(f"answers more than {MOST_BYTES:,} bytes")
    return bytes(output), bytes(complaints)


def _columns(output: str, count: int) -> dict[str, Array]:
    """The columns of a CSV file with a header and so many rows."""
    lines = [line for line in csv.reader(output.splitlines()) if line]
    if len(lines) != count + 1 or any(len(line) != len(lines[0]) for line in lines):
        first = f": {','.join(lines[0])[:100]}" if lines else ""
        raise ValueError(f"needed a header and {count} rows of as many cells; got {len(lines)} lines{first}")
    if len(set(lines[0])) < len(lines[0]):
        raise ValueError(f"needed columns of different names; got {','.join(lines[0])[:100]}")
    cells = list(zip(*lines[1:], strict=True)) or [()] * len(lines[0])
    return {name.strip(): _numbers(name, column) for name, column in zip(lines[0], cells, strict=True)}


def _numbers(name: str, cells: Sequence[str]) -> Array:
    try:
        return np.array([float(cell) for cell in cells])
    except ValueError as problem:
        raise ValueError(f"needed numbers in the column {name.strip()}: {problem}") from problem
