"""Rows of numbers in one file that all ranks write together, laid out the same for any number of ranks.

Every array is stored by blocks of agents in the order of their numbers, each block with a checksum of its own: a rank
writes and reads its own blocks, and nothing is gathered on one rank. Axes: `K` rows on this rank, `blocks` of all
ranks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import Any, Self
from zlib import crc32

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.network.shard import Shard
from coolgp.network.transport import Transport

__all__ = ["Column", "Damaged", "describe_rows", "read_rows", "rows_by_block", "with_checksums", "write_rows"]


class Damaged(ValueError):
    """What was stored is not there any more, or not as it was written."""


@dataclass(frozen=True)
class Column:
    """Where one array lies in the file.

    counts [blocks]: its rows in each block. checksums [blocks]: CRC-32 of these. start: bytes before it. tail: its
    shape without the rows.
    """

    name: str
    dtype: str
    tail: tuple[int, ...]
    start: int
    counts: tuple[int, ...]
    checksums: tuple[int, ...] = ()

    @property
    def row_bytes(self) -> int:
        """The bytes of a row."""
        return int(np.prod(self.tail, dtype=np.int64)) * np.dtype(self.dtype).itemsize

    @cached_property
    def offsets(self) -> list[int]:
        """[blocks + 1] the first byte of each block, and the first after the last."""
        rows = np.concatenate([[0], np.cumsum(self.counts, dtype=np.int64)])
        return [int(offset) for offset in self.start + rows * self.row_bytes]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        lists: dict[str, Any] = {name: tuple(values[name]) for name in ("tail", "counts", "checksums")}
        return cls(name=values["name"], dtype=values["dtype"], start=values["start"], **lists)


def rows_by_block(shard: Shard, agents: Array) -> Array:
    """Return how many of these local agents [K], of which those of a block stand together, each block has [blocks]."""
    block = np.zeros(len(shard.agents), dtype=np.int64)
    for number, start, stop in shard.blocks:
        block[start:stop] = number
    return np.bincount(block[agents], minlength=shard.block_count)


def describe_rows(arrays: Mapping[str, Array], counts: Mapping[str, Array], transport: Transport) -> list[Column]:
    """Lay out arrays [K, ...] one after the other; counts: this rank's rows of each in each block. Collective."""
    everywhere = transport.total(np.array([counts[name] for name in arrays]).reshape(len(arrays), -1))
    columns, start = [], 0
    for (name, array), count in zip(arrays.items(), everywhere, strict=True):
        counts_by_block = tuple(count.tolist())
        column = Column(name=name, dtype=array.dtype.str, tail=array.shape[1:], start=start, counts=counts_by_block)
        columns.append(column)
        start = column.offsets[-1]
    return columns


def write_rows(path: Path, columns: list[Column], arrays: Mapping[str, Array], shard: Shard) -> Array:
    """Write this rank's blocks into a file that exists; the checksums [columns, blocks], zero for blocks elsewhere.

    Raises OSError where there is no space or no permission.
    """
    checksums = np.zeros((len(columns), shard.block_count), dtype=np.int64)
    with path.open("r+b", buffering=0) as file:
        for place, column in enumerate(columns):
            for number, rows in _blocks(column, arrays[column.name], shard):
                content = _content(np.ascontiguousarray(rows))
                checksums[place, number] = crc32(content)
                _write(file, content, column.offsets[number])
        os.fsync(file.fileno())
    return checksums


def with_checksums(columns: list[Column], checksums: Array) -> list[Column]:
    """The columns with the checksums [columns, blocks] of all ranks."""
    pairs = zip(columns, checksums.tolist(), strict=True)
    return [replace(column, checksums=tuple(by_block)) for column, by_block in pairs]


def read_rows(path: Path, columns: list[Column], shard: Shard) -> dict[str, Array]:
    """Read this rank's blocks of every array. Raises Damaged where a block is not as it was written."""
    numbers = [number for number, _, _ in shard.blocks]
    arrays: dict[str, Array] = {}
    try:
        with path.open("rb", buffering=0) as file:
            for column in columns:
                count = sum(column.counts[number] for number in numbers)
                rows = np.empty((count, *column.tail), np.dtype(column.dtype))
                for number, block in _blocks(column, rows, shard):
                    _read(file, _content(block), column, number)
                arrays[column.name] = rows
    except OSError as problem:
        raise Damaged(f"{path.name} cannot be read: {problem.strerror}") from problem
    return arrays


def _blocks(column: Column, rows: Array, shard: Shard) -> Iterator[tuple[int, Array]]:
    """This rank's blocks of an array [K, ...], each with its number."""
    start = 0
    for number, _, _ in shard.blocks:
        stop = start + column.counts[number]
        yield number, rows[start:stop]
        start = stop


def _content(rows: Array) -> memoryview:
    """The bytes of contiguous rows, in place."""
    flat: Any = rows.reshape(-1).view(np.uint8)
    return memoryview(flat)


def _read(file: FileIO, content: memoryview, column: Column, number: int) -> None:
    file.seek(column.offsets[number])
    done = 0
    while done < len(content):
        read = file.readinto(content[done:])
        if not read:
            raise Damaged(f"{column.name} is cut off in block {number}")
        done += read
    if crc32(content) != column.checksums[number]:
        raise Damaged(f"{column.name} is not as it was written in block {number}")


def _write(file: FileIO, content: memoryview, at: int) -> None:
    file.seek(at)
    done = 0
    while done < len(content):  # the kernel writes at most 2 GiB at once, and less where the space ends
        done += file.write(content[done:])
