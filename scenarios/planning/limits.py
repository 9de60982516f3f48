"""How large a run fits here: the memory that there is, and the refusal of what would not fit, with the table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from coolgp.network.graphs.topology import Topology
from coolgp.network.launcher import local_size
from coolgp.scenarios.base.formatting import size_text
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.planning.memory import Estimate, estimate, resident_bytes

__all__ = ["NoRoom", "available_bytes", "loaded", "memory_table", "require_room", "shortfall", "with_room"]

LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Files with the limit and the use of this process's control group, version 2 and version 1."""


class NoRoom(ValueError):
    """A run that needs more memory than there is."""


def with_room(
    scenario: Scenario, ranks: int, dataset: Dataset | None, topology: Topology | None, *, anyway: bool
) -> Dataset | None:
    """The rows where they must be read (:func:`loaded`), of a run that fits or that is to be tried ``anyway``.

    Raises NoRoom as :func:`require_room` does.
    """
    rows = loaded(scenario, dataset)
    if not anyway:
        require_room(scenario, ranks, rows, topology)
    return rows


def require_room(
    scenario: Scenario, ranks: int, dataset: Dataset | None = None, topology: Topology | None = None
) -> None:
    """Raise NoRoom, with the table and what would help, unless the run fits into what this machine has left.

    Takes some 10 ms, before anything large is made. dataset, topology: as of :func:`estimate`.
    """
    found = estimate(scenario, ranks, dataset, topology)
    here = min(ranks, local_size())
    missing = shortfall(found, here, here)
    if missing > 0:
        lines = [f"{name:<28}{size:>10}" for name, size in memory_table(found)]
        raise NoRoom("\n".join([f"{scenario.name} would not fit: {_more(found, missing)}", *lines, _advice(scenario)]))


def loaded(scenario: Scenario, dataset: Dataset | None = None) -> Dataset | None:
    """The rows where they must be read to know how many they are; None where they are generated, and not given."""
    return load(scenario) if dataset is None and not source_named(scenario.data.source).generated else dataset


def shortfall(found: Estimate, ranks: int, started: int = 1) -> float:
    """Bytes that are missing on this machine for so many ranks of the run, of which some have started; or below 0."""
    return ranks * found.peak.bytes - started * resident_bytes() - available_bytes()


def available_bytes() -> int:
    """Memory that this process and others that it starts can still have: of the machine and of its control group."""
    free = [_of_machine()]
    for limit, used in LIMITS:
        bound, now = _number(limit), _number(used)
        if bound is not None and now is not None:
            free.append(max(0, bound - now + _reclaimable(Path(limit).parent)))
    return min(free)


def memory_table(found: Estimate) -> list[tuple[str, str]]:
    """What each rank holds at the peak, by parts, and then in all."""
    rows = [(name, size_text(part)) for name, part in found.peak.parts.items()]
    return [*rows, ("each rank, at the peak", size_text(found.peak.bytes)), ("while", found.peak.name)]


def _of_machine() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        told: Mapping[str, str] = dict(line.split(":", 1) for line in lines)
        return int(told["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _number(path: str) -> int | None:
    """The number in a file; None where there is no such file, or no limit."""
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return None


def _reclaimable(group: Path) -> int:
    """Bytes that count as used and are only files kept in memory."""
    try:
        told = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return 0
    return int(told.get("inactive_file", 0))


def _more(found: Estimate, missing: float) -> str:
    ranks = f"each of {found.ranks} ranks" if found.ranks > 1 else "it"
    return f"{ranks} needs {size_text(found.peak.bytes)} at the peak, {size_text(missing)} more than there is here"


def _advice(scenario: Scenario) -> str:
    ways = ["fewer agents (agents.count)", "a smaller agents.inducing"]
    if scenario.run.precision == "float64":
        ways.append('run.precision = "float32"')
    if scenario.fusion.rule not in ("tree", "none", "central"):
        ways.append('fusion.rule = "tree"')
    return f"take {', '.join(ways)}, or more machines; --anyway (in Python anyway=True) tries it as it is"
