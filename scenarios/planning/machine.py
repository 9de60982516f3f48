"""The machine that a run is planned for: its memory, as far as it is free, and its cores."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from coolgp.agents.blocks import cores, granted_cores
from coolgp.network.launcher import launched_size

__all__ = ["Ranks", "available_bytes", "ranks_here", "resident_bytes"]

LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Files with the limit and the use of this process's control group, version 2 and version 1."""


def available_bytes() -> int:
    """Memory that this process and others that it starts can still have: of the machine and of its control group."""
    free = [_free_bytes()]
    for limit, used in LIMITS:
        bound, now = _number(limit), _number(used)
        if bound is not None and now is not None:
            free.append(max(0, bound - now + _reclaimable(Path(limit).parent)))
    return min(free)


def resident_bytes() -> int:
    """Memory of this process now; where the system does not say, what Python with these libraries takes elsewhere."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 140 * 2**20
    return pages * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Ranks:
    """So many ranks, each with so many cores; crowd: how many ranks share a core where there are too few."""

    count: int
    cores: int = 1
    crowd: float = 1.0


def ranks_here(count: int) -> Ranks:
    """So many ranks on this machine; where they have been started, each with the cores that it was given."""
    own = cores() if launched_size() > 1 else max(1, cores() // count)
    return Ranks(count, own, max(1.0, count / granted_cores()))


def _free_bytes() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        kilobytes = dict(line.split(":", 1) for line in lines)
        return int(kilobytes["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _number(path: str) -> int | None:
    """The number in a file; None where there is no such file, or no limit."""
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return None


def _reclaimable(group: Path) -> int:
    """Bytes that count as used and are only files cached in memory."""
    try:
        counters = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return 0
    return int(counters.get("inactive_file", 0))
