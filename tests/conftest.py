"""Starting programs, on several MPI ranks too."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.paths import ROOT

OPEN_MPI_ENVIRONMENT = {  # Open MPI refuses root and more ranks than cores unless told otherwise
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}


def pytest_configure(config: pytest.Config) -> None:
    """Let programs that tests start find compiled modules (a third of their start), and be interrupted.

    They find those of installed packages too: a folder of compiled modules of the tests' own would have all of them
    compiled anew. Workers that run tests side by side leave a core to each other, and ranks of MPICH that wait for
    others sleep: there are more ranks than cores.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["MPIR_CVAR_ENABLE_HEAVY_YIELD"] = "1"
        if getattr(config.option, "numprocesses", None):
            os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell leaves it to what it starts in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def on_ranks(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program, a path or its source, on so many ranks; a rank that raises ends the job."""
    launcher = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")
    if launcher is None:
        pytest.skip('no mpiexec beside this Python or on the PATH: pip install "coolgp[mpich]"')

    def start(
        ranks: int, program: str | Path, *args: object, timeout: float = 120, runner: tuple[str, ...] = ("-m", "mpi4py")
    ) -> subprocess.CompletedProcess[str]:
        if isinstance(program, str) and "\n" in program:
            source, program = program, tmp_path / "program.py"
            program.write_text(source)
        command = [launcher, "-n", str(ranks), sys.executable, *runner, str(program), *map(str, args)]
        environment = {**os.environ, **OPEN_MPI_ENVIRONMENT, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False)

    return start
