"""Checkpoints: what a run goes on from, stored so that any number of ranks can take it up.

``RUN/checkpoints/round-000012`` holds ``rows.bin`` (see :mod:`coolgp.scenarios.runs.row_file`) and ``index.json``:
where the rows lie, single numbers, how long the tables were, and of which data and graph it is. It is written under
another name and renamed when it is complete; the last two are kept, so that there is always a whole one.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from coolgp.agents.features.basis import FunctionBasis
from coolgp.network.base.arrays import Array
from coolgp.network.transport import Transport
from coolgp.scenarios.runs.fingerprint import check_same, fingerprint
from coolgp.scenarios.runs.row_file import Column, Damaged, describe_rows, read_rows, with_checksums, write_rows
from coolgp.scenarios.runs.state_rows import Stored, Unstorable, put_back, take_down
from coolgp.scenarios.simulation.initialisation import extended
from coolgp.scenarios.simulation.rounds import RunState, Simulation, begin

__all__ = ["Taken", "clear", "load", "save"]

Tables = Callable[[], Mapping[str, int]]
Content = tuple[dict[str, Any], dict[str, Array]]

KEPT = 2
FORMAT = 2
PREFIX = "round-"


@dataclass(frozen=True)
class Taken:
    """What a run goes on from: how things stand, the bytes of each table that count, and what there is to say."""

    run_state: RunState | None
    tables: Mapping[str, int]
    messages: tuple[str, ...]


def save(folder: Path, simulation: Simulation, run_state: RunState, tables: Tables) -> str | None:
    """Write a checkpoint into a run's folder; None, or on all ranks why that failed: earlier ones then stay.

    tables: says on the root how long the tables are, once they are on the disk. Collective.
    """
    transport, place = simulation.transport, _place(folder, run_state.turn)
    temporary = place.with_name(f".{place.name}")
    try:
        stored = take_down(run_state, transport)
    except Unstorable as reason:
        return str(reason)
    columns = describe_rows(stored.arrays, stored.counts, transport)
    checksums = np.zeros((len(columns), transport.shard.block_count), dtype=np.int64)

    def write() -> None:
        checksums[:] = write_rows(temporary / "rows.bin", columns, stored.arrays, transport.shard)

    def complete() -> None:
        index = _index(simulation, run_state, stored, whole)
        index |= {"tables": dict(tables()), "fingerprint": fingerprint(simulation, folder)}
        _finish(temporary, place, index)

    problem = _tried(lambda: _make(temporary), transport, here=transport.root) or _tried(write, transport)
    whole = with_checksums(columns, transport.total(checksums))
    problem = problem or _tried(complete, transport, here=transport.root)
    if transport.root:
        shutil.rmtree(temporary, ignore_errors=True)
    return problem


def load(folder: Path, simulation: Simulation) -> Taken:
    """Take up the newest checkpoint that is whole; without any the run_state is None. Collective.

    Raises ValueError where it is of other data, another graph or another scenario.
    """
    transport, messages = simulation.transport, list[str]()
    written = _written(folder, transport)
    for turn in written:
        found, problem = _read(folder, turn, simulation)
        if transport.total(np.array([problem is not None]))[0] == 0 and found is not None:
            index, rows = found
            fresh = begin(_grown(simulation, index["inducing_inputs"]))
            run_state = put_back(fresh, rows, index["numbers"], transport)
            _forget(folder, transport, turn)
            return Taken(run_state, index["tables"], tuple(messages))
        reason = problem or "another rank cannot read it"
        messages.append(f"the checkpoint of round {turn} is of no use: {reason}")
    messages.append("no checkpoint can be read" if written else "no checkpoint was written yet")
    messages[-1] += ": starting from the beginning"
    _forget(folder, transport, 0)
    return Taken(None, {}, tuple(messages))


def clear(folder: Path) -> None:
    """Remove all checkpoints of a run, and nothing else. Of the root alone."""
    for path in _found(folder):
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):  # there is none, or it holds files of the user's
        (folder / "checkpoints").rmdir()


def _place(folder: Path, turn: int) -> Path:
    return folder / "checkpoints" / f"{PREFIX}{turn:06d}"


def _found(folder: Path) -> list[Path]:
    """Checkpoints, whole or begun, in the order of their rounds."""
    places = folder.glob(f"checkpoints/*{PREFIX}*")
    mine = (path for path in places if path.name.lstrip(".").removeprefix(PREFIX).isdecimal() and path.is_dir())
    return sorted(mine, key=lambda path: _turn(path))


def _turn(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


def _written(folder: Path, transport: Transport) -> list[int]:
    """The rounds of which there are checkpoints, the newest first, as the root sees them. Collective."""
    turns = np.zeros(16, dtype=np.int64)
    if transport.root:
        found = [_turn(path) for path in _found(folder) if not path.name.startswith(".")][::-1]
        turns[: len(found)] = found[: len(turns)]
    return [turn for turn in transport.total(turns).tolist() if turn]


def _forget(folder: Path, transport: Transport, turn: int) -> None:
    """Remove the checkpoints of later rounds, and what was begun. Collective: nobody still reads them."""
    transport.barrier()
    if transport.root:
        for path in _found(folder):
            if path.name.startswith(".") or _turn(path) > turn:
                shutil.rmtree(path, ignore_errors=True)


def _make(temporary: Path) -> None:
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    (temporary / "rows.bin").touch()


def _index(simulation: Simulation, run_state: RunState, stored: Stored, columns: list[Column]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "round": run_state.turn,
        "numbers": stored.numbers,
        "inducing_inputs": _joined(simulation, run_state),
        "columns": [column.to_json() for column in columns],
    }


def _joined(simulation: Simulation, run_state: RunState) -> list[list[float]]:
    """The inducing inputs that agents agreed on since the beginning."""
    basis, known = run_state.population.model.basis, simulation.shared_start.model.inducing
    rows: list[list[float]] = basis.inducing[known:].tolist() if isinstance(basis, FunctionBasis) else []
    return rows


def _grown(simulation: Simulation, inputs: list[list[float]]) -> Simulation:
    """The simulation with the inducing inputs that agents had agreed on since the beginning."""
    if not inputs:
        return simulation
    return replace(simulation, shared_start=extended(simulation.shared_start, np.array(inputs)))


def _finish(temporary: Path, place: Path, index: dict[str, Any]) -> None:
    """Write the index, give the checkpoint its name, and forget those that are too old."""
    with (temporary / "index.json").open("w", encoding="utf-8") as file:
        json.dump(index | {"checksum": _index_checksum(index)}, file)
        file.flush()
        os.fsync(file.fileno())
    _sync(temporary)
    if place.exists():  # a run that went on from an earlier one comes by again
        shutil.rmtree(place)
    temporary.rename(place)
    _sync(place.parent)
    whole = [path for path in _found(place.parents[1]) if not path.name.startswith(".")]
    for path in whole[:-KEPT]:
        shutil.rmtree(path, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can do that."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _read(folder: Path, turn: int, simulation: Simulation) -> tuple[Content | None, str | None]:
    """Index and rows of a checkpoint, or what is wrong with it. Collective in refusing another run's."""
    index, problem = None, None
    try:
        index = _read_index(_place(folder, turn))
    except Damaged as damage:
        problem = str(damage)
    check_same(None if index is None else index["fingerprint"], simulation, folder)
    if index is None:
        return None, problem
    try:
        _check_tables(folder, index["tables"])
        columns = [Column.from_json(column) for column in index["columns"]]
        return (index, read_rows(_place(folder, turn) / "rows.bin", columns, simulation.transport.shard)), None
    except Damaged as damage:
        return None, str(damage)


def _read_index(place: Path) -> dict[str, Any]:
    try:
        index: dict[str, Any] = json.loads((place / "index.json").read_text(encoding="utf-8"))
        checksum = index.pop("checksum", None)
    except (OSError, ValueError, AttributeError) as problem:
        raise Damaged("its index.json cannot be read") from problem
    if checksum != _index_checksum(index):
        raise Damaged("its index.json is not as it was written")
    if index["format"] != FORMAT:
        raise Damaged(f"it is of format {index['format']}; this version reads {FORMAT}")
    return index


def _check_tables(folder: Path, tables: Mapping[str, int]) -> None:
    for name, size in tables.items():
        found = (folder / name).stat().st_size if (folder / name).is_file() else 0
        if found < size:
            raise Damaged(f"{name} has {found} bytes, and had {size} then")


def _tried(action: Callable[[], None], transport: Transport, *, here: bool = True) -> str | None:
    """Act, on this rank if `here`; what failed on any rank, in words, on all of them, None where nothing did."""
    numbers = np.zeros(256, dtype=np.int64)
    try:
        if here:
            action()
    except OSError as problem:
        numbers[min(problem.errno or errno.EIO, 255)] = 1
    found = np.flatnonzero(transport.total(numbers))
    return os.strerror(int(found[0])) if found.size else None


def _index_checksum(index: Mapping[str, Any]) -> int:
    return crc32(json.dumps(index, sort_keys=True).encode())
