"""What a run was made with: versions, machine, ranks, and the commit of the code."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from coolgp.agents.blocks import cores, granted_cores
from coolgp.network.launcher import launched_size, local_size

__all__ = ["Environment", "current_environment", "installed", "share_cores"]


@dataclass(frozen=True)
class Environment:
    """Contents of ``env.json``; None where something is not there."""

    coolgp: str | None
    python: str
    platform: str
    numpy: str | None
    scipy: str | None
    networkx: str | None
    mpi4py: str | None
    mpi: str | None
    ranks: int
    cores: int
    threads_per_rank: int
    git_commit: str | None
    command: str
    started: str


def current_environment(ranks: int) -> Environment:
    """Describe this process, one of so many ranks."""
    return Environment(
        coolgp=installed("coolgp"),
        python=platform.python_version(),
        platform=platform.platform(),
        numpy=installed("numpy"),
        scipy=installed("scipy"),
        networkx=installed("networkx"),
        mpi4py=installed("mpi4py"),
        mpi=_mpi_text(),
        ranks=ranks,
        cores=os.cpu_count() or 1,
        threads_per_rank=cores(),
        git_commit=_commit(),
        command=_command(ranks),
        started=datetime.now().astimezone().isoformat(timespec="seconds"),
    )


def share_cores() -> None:
    """Give each rank on this machine its share of the cores, unless ``COOLGP_THREADS`` says otherwise."""
    if launched_size() > 1:
        os.environ.setdefault("COOLGP_THREADS", str(max(1, granted_cores() // local_size())))


@cache
def installed(package: str) -> str | None:
    """Version of an installed package, None where it is missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _mpi_text() -> str | None:
    """The MPI library's own text on what it is; None in a serial process."""
    if launched_size() == 1:
        return None
    from coolgp.network.mpi import library

    return str(library().Get_library_version()).strip().splitlines()[0]


def _command(ranks: int) -> str:
    """What to type to run this again."""
    program, *arguments = sys.argv
    name = Path(program).stem
    if program.endswith(".py"):  # python -m coolgp.scenarios, or a scenario's own file
        program, arguments = "coolgp", arguments if name == "__main__" else ["run", name, *arguments]
    many = ["--ranks", str(ranks)] if ranks > 1 and "--ranks" not in arguments else []
    return shlex.join([Path(program).name, *arguments, *many])


@cache
def _commit() -> str | None:
    """Commit of the checkout that this code runs from, with a mark for local changes, when it was first asked for."""
    source = Path(__file__).resolve().parent
    try:
        asked = ["git", "-C", str(source), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        answer = subprocess.run(
            asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None
