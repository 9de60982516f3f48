"""Checkpoints: what a run goes on from, stored so that any number of ranks can take it up.

``RUN/checkpoints/round-000012`` holds ``rows.bin`` (see :mod:`coolgp.scenarios.runs.checkpoints.row_file`) and
``index.json``: where the rows lie, single numbers, how long the tables were, and of which data and graph it is. It is
written under another name and renamed when it is complete; the last two stay, so that there is always a complete one.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from coolgp.agents.features.basis import FunctionBasis
from coolgp.network.base.arrays import Array
from coolgp.network.transport import Transport
from coolgp.scenarios.runs.checkpoints.fingerprint import check_same, fingerprint
from coolgp.scenarios.runs.checkpoints.places import (
    checkpoints,
    is_complete,
    place_of,
    remove_older,
    sync,
    temporary_of,
    turn_of,
)
from coolgp.scenarios.runs.checkpoints.row_file import (
    Column,
    Damaged,
    describe_rows,
    read_rows,
    with_checksums,
    write_rows,
)
from coolgp.scenarios.runs.checkpoints.state_rows import Stored, Unstorable, check_waiting, put_back, take_down
from coolgp.scenarios.simulation.initialisation import extended, relocated
from coolgp.scenarios.simulation.learning import begin
from coolgp.scenarios.simulation.state import RunState, Simulation

__all__ = ["Taken", "load", "save"]

Tables = Callable[[], Mapping[str, int]]
Content = tuple[dict[str, Any], dict[str, Array]]

FORMAT = 2
INDEX = {"format": int, "numbers": dict, "inducing_inputs": list, "columns": list, "tables": dict, "fingerprint": dict}
"""What an index holds, and as what."""
UNFIT = (LookupError, TypeError, ValueError, AttributeError, OverflowError, MemoryError)
"""What comes of an index that was not written by a run, whatever its checksum says."""


@dataclass(frozen=True)
class Taken:
    """What a run goes on from: its state, the bytes of each table that count, and what the user should know."""

    run_state: RunState | None
    tables: Mapping[str, int]
    messages: tuple[str, ...]


def save(folder: Path, simulation: Simulation, run_state: RunState, tables: Tables) -> str | None:
    """Write a checkpoint into a run's folder; None, or on all ranks why that failed: earlier ones then stay.

    tables: says on the root how long the tables are, once they are on the disk. Collective.
    """
    transport, place = simulation.transport, place_of(folder, run_state.turn)
    temporary = temporary_of(place)
    try:
        stored = take_down(run_state, transport)
    except Unstorable as reason:
        return str(reason)
    columns = describe_rows(stored.arrays, stored.counts, transport)
    checksums = np.zeros((len(columns), transport.shard.block_count), dtype=np.int64)

    def write() -> None:
        checksums[:] = write_rows(temporary / "rows.bin", columns, stored.arrays, transport.shard)

    def complete() -> None:
        index = _index(simulation, run_state, stored, checked)
        index |= {"tables": dict(tables()), "fingerprint": fingerprint(simulation, folder)}
        _finish(temporary, place, index)

    problem = _tried(lambda: _make(temporary), transport, acts=transport.root) or _tried(write, transport)
    checked = with_checksums(columns, transport.total(checksums))
    problem = problem or _tried(complete, transport, acts=transport.root)
    if transport.root:
        shutil.rmtree(temporary, ignore_errors=True)
    return problem


def load(folder: Path, simulation: Simulation) -> Taken:
    """Read the newest checkpoint that is complete; without any the run_state is None. Collective.

    Raises ValueError where it is of other data, another graph or another scenario.
    """
    transport, messages = simulation.transport, list[str]()
    turns = _turns(folder, transport)
    for turn in turns:
        content, problem = _read(folder, turn, simulation)
        if transport.total(np.array([problem is not None]))[0] == 0 and content is not None:
            index, rows = content
            run_state = _put_back(folder, turn, simulation, index, rows)
            _remove_later(folder, transport, turn)
            return Taken(run_state, index["tables"], tuple(messages))
        reason = problem or "another rank cannot read it"
        messages.append(f"the checkpoint of round {turn} cannot be used: {reason}")
    messages.append("no checkpoint can be read" if turns else "no checkpoint was written yet")
    messages[-1] += ": starting from the beginning"
    _remove_later(folder, transport, 0)
    return Taken(None, {}, tuple(messages))


def _put_back(
    folder: Path, turn: int, simulation: Simulation, index: dict[str, Any], rows: dict[str, Array]
) -> RunState:
    """The state of a checkpoint. Raises ValueError where its arrays and numbers are not those of this run."""
    try:
        fresh = begin(_grown(simulation, index["inducing_inputs"]))
        run_state = put_back(fresh, rows, index["numbers"], simulation.transport)
        check_waiting(run_state, simulation.rounds, simulation.scenario.agents.batch_size)
    except UNFIT as problem:
        raise ValueError(
            f"{folder}: the checkpoint of round {turn} does not hold what this run needs "
            f"({type(problem).__name__}: {problem}); remove it, or start anew with coolgp run"
        ) from problem
    return run_state


def _turns(folder: Path, transport: Transport) -> list[int]:
    """The rounds of which there are checkpoints, the newest first, as the root sees them. Collective."""
    turns = np.zeros(16, dtype=np.int64)
    if transport.root:
        complete = [turn_of(path) for path in checkpoints(folder) if is_complete(path)][::-1]
        turns[: len(complete)] = complete[: len(turns)]
    return [turn for turn in transport.total(turns).tolist() if turn]


def _remove_later(folder: Path, transport: Transport, turn: int) -> None:
    """Remove the checkpoints of later rounds, and incomplete ones. Collective: nobody still reads them."""
    transport.barrier()
    if transport.root:
        for path in checkpoints(folder):
            if not is_complete(path) or turn_of(path) > turn:
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
    """The inducing inputs that agents agreed on since the beginning: those that joined, or all where they can move."""
    basis, first = run_state.population.model.basis, simulation.shared_start.model.inducing
    first = 0 if simulation.scenario.agents.learn_inducing else first
    rows: list[list[float]] = basis.inducing[first:].tolist() if isinstance(basis, FunctionBasis) else []
    return rows


def _grown(simulation: Simulation, inputs: list[list[float]]) -> Simulation:
    """The simulation with the inducing inputs that agents had agreed on since the beginning."""
    if not inputs:
        return simulation
    change = relocated if simulation.scenario.agents.learn_inducing else extended
    return replace(simulation, shared_start=change(simulation.shared_start, np.array(inputs)))


def _finish(temporary: Path, place: Path, index: dict[str, Any]) -> None:
    """Write the index, give the checkpoint its name, and remove those that are too old."""
    with (temporary / "index.json").open("w", encoding="utf-8") as file:
        json.dump(index | {"checksum": _index_checksum(index)}, file)
        file.flush()
        os.fsync(file.fileno())
    sync(temporary)
    if place.exists():  # a run that went on from an earlier one comes by again
        shutil.rmtree(place)
    temporary.rename(place)
    sync(place.parent)
    remove_older(place.parents[1])


def _read(folder: Path, turn: int, simulation: Simulation) -> tuple[Content | None, str | None]:
    """Index and rows of a checkpoint, or what is wrong with it. Collective in refusing another run's."""
    index, problem = None, None
    try:
        index = _read_index(place_of(folder, turn))
    except Damaged as damage:
        problem = str(damage)
    check_same(None if index is None else index["fingerprint"], simulation, folder)
    if index is None:
        return None, problem
    try:
        _check_tables(folder, index["tables"])
        columns = [Column.from_json(column) for column in index["columns"]]
        return (index, read_rows(place_of(folder, turn) / "rows.bin", columns, simulation.transport.shard)), None
    except Damaged as damage:
        return None, str(damage)
    except UNFIT as problem:
        return None, f"it does not hold what this run needs ({type(problem).__name__}: {problem})"


def _read_index(place: Path) -> dict[str, Any]:
    try:
        index: dict[str, Any] = json.loads((place / "index.json").read_text(encoding="utf-8"))
        checksum = index.pop("checksum", None)
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as problem:
        raise Damaged("its index.json cannot be read") from problem
    if checksum != _index_checksum(index):
        raise Damaged("its index.json is not as it was written")
    if index.get("format", FORMAT) != FORMAT:
        raise Damaged(f"it is of format {index['format']}; this version reads {FORMAT}")
    unfit = [name for name, kind in INDEX.items() if not isinstance(index.get(name), kind)]
    if unfit:
        raise Damaged(f"its index.json lacks {', '.join(unfit)}")
    return index


def _check_tables(folder: Path, tables: Mapping[str, int]) -> None:
    for name, size in tables.items():
        present = (folder / name).stat().st_size if (folder / name).is_file() else 0
        if present < size:
            raise Damaged(f"{name} has {present} bytes, and had {size} then")


def _tried(action: Callable[[], None], transport: Transport, *, acts: bool = True) -> str | None:
    """Act, if this rank `acts`; what failed on any rank, in words, on all of them, None where nothing did."""
    numbers = np.zeros(256, dtype=np.int64)
    try:
        if acts:
            action()
    except OSError as problem:
        numbers[min(problem.errno or errno.EIO, 255)] = 1
    failures = np.flatnonzero(transport.total(numbers))
    return os.strerror(int(failures[0])) if failures.size else None


def _index_checksum(index: Mapping[str, Any]) -> int:
    return crc32(json.dumps(index, sort_keys=True).encode())
