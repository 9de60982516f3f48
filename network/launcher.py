"""What launched this process, and with what to launch more: known without loading MPI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

__all__ = [
    "find_launcher",
    "is_launched",
    "launched_rank",
    "launched_size",
    "library_problem",
    "local_size",
    "run_unlaunched",
    "set_variables",
    "unlaunched",
    "wait_until_read",
]

# SLURM sets its own for every step, of MPI or not: they count only beside a variable of the process manager.
VARIABLES = (
    ("PMI_RANK", "PMI_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMIX_RANK", "SLURM_STEP_NUM_TASKS"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
)
FIX = 'pip install "coolgp[mpich]"'


def launched_rank(environment: Mapping[str, str] = os.environ) -> int:
    """Return the rank of this process by the variables of mpiexec or srun; 0 if none launched it.

    >>> launched_rank({"PMI_RANK": "2", "PMI_SIZE": "4"}), launched_rank({"SLURM_PROCID": "2"})
    (2, 0)
    """
    return _launched(environment)[0]


def launched_size(environment: Mapping[str, str] = os.environ) -> int:
    """Return the number of ranks by the variables of mpiexec or srun; 1 if none launched this process."""
    return _launched(environment)[1]


def is_launched(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether mpiexec, be it as the only rank, or srun started this process.

    A step of srun with one task is often a shell or a container, whose variables all that it starts inherits.
    """
    return any(rank in environment and size in environment for rank, size in VARIABLES[:2]) or (
        _launched(environment)[1] > 1
    )


def set_variables(environment: Mapping[str, str] = os.environ) -> str:
    """The variables that say so, in words."""
    pairs = (f"{rank} and {size} are" for rank, size in VARIABLES if rank in environment and size in environment)
    return next(pairs, "no variables are")


def local_size(environment: Mapping[str, str] = os.environ) -> int:
    """Return how many ranks share this machine; all of them where the launcher does not say."""
    for name in ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE"):
        if environment.get(name, "").isdecimal():
            return int(environment[name])
    return launched_size(environment)


def _launched(environment: Mapping[str, str]) -> tuple[int, int]:
    managed = any(name.startswith("PMI") for name in environment)
    for rank, size in VARIABLES:
        numeric = environment.get(rank, "").isdecimal() and environment.get(size, "").isdecimal()
        if numeric and (managed or not rank.startswith("SLURM")):
            place, places = int(environment[rank]), int(environment[size])
            if place < places:  # else they are of two different launchers
                return place, places
    return 0, 1


def find_launcher() -> Path | None:
    """Return mpiexec: the one beside this Python, which belongs to its MPI library, else the one on the PATH."""
    beside = shutil.which("mpiexec", path=str(Path(sys.executable).parent))
    path = beside or shutil.which("mpiexec")
    return Path(path) if path else None


def unlaunched(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without what a launcher set: a child that sees it would take itself for a rank.

    Without srun, as in a container, a batch system's variables would only mislead mpiexec.
    """
    batch = () if shutil.which("srun", path=environment.get("PATH")) else ("SLURM_",)
    launchers = ("PMI_", "PMIX_", "PMI2_", "OMPI_COMM_", "PRTE_LAUNCHED", "HYDI_", "HYD_", "MPI_LOCAL", *batch)
    return {name: value for name, value in environment.items() if not name.startswith(launchers)}


def run_unlaunched(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program that knows of no launcher, and wait until it ends.

    Raises subprocess.TimeoutExpired after a minute.
    """
    return subprocess.run(
        command,
        env=unlaunched(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def library_problem() -> str | None:
    """Return why MPI cannot be loaded, with the fix, in one line; None if it can.

    Another process tries, so that this one stays without MPI.
    """
    code = "import mpi4py; mpi4py.rc.initialize = False; from mpi4py import MPI"
    tried = run_unlaunched([sys.executable, "-c", code])
    if tried.returncode == 0:
        return None
    reason = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
    return f"MPI cannot be loaded ({reason}): {FIX}"


def wait_until_read(stream: TextIO, limit: float = 5.0) -> None:
    """Wait until the launcher has taken all that was written to `stream`, at most `limit` seconds.

    An abort overtakes what still lies in the pipe, and the launcher then ends the job without the last lines.
    """
    if stream.isatty():
        return
    waiting = array("i", [1])
    end = time.monotonic() + limit
    with suppress(ImportError, OSError, ValueError):  # no such question on this system, or `stream` is no pipe
        import fcntl
        import termios

        while time.monotonic() < end and fcntl.ioctl(stream.fileno(), termios.FIONREAD, waiting) == 0 and waiting[0]:
            time.sleep(0.01)
