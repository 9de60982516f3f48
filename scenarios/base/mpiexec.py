"""Starting mpiexec for the user, and refusing a launcher that does not fit the library."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from coolgp.agents.blocks import granted_cores
from coolgp.network.launcher import (
    FIX,
    find_launcher,
    is_launched,
    launched_size,
    library_problem,
    set_variables,
    unlaunched,
)
from coolgp.scenarios.base.signals import EXIT_CODES, STAND_INS

__all__ = [
    "LauncherError",
    "agreed",
    "check_ranks",
    "check_world",
    "first_refusal",
    "launch",
    "needed_launcher",
    "stand_ins",
]


POSIX = os.name == "posix"


class LauncherError(ValueError):
    """What started this process does not fit MPI: every rank finds it for itself."""


def check_ranks(ranks: int | None, agents: int | None = None) -> bool:
    """Whether ``--ranks`` asks this process to start others; agents: how many there are, where it is known.

    Raises ValueError where it contradicts the launcher, or there are fewer agents.
    """
    launched = launched_size()
    if ranks is not None and is_launched() and ranks != launched:
        raise ValueError(
            f"--ranks {ranks} under a launcher that started {launched} ranks: leave --ranks out, or agree; where none "
            f"did, {set_variables()} set all the same: unset them"
        )
    if ranks is not None and ranks < 1:
        raise ValueError(f"--ranks needs a whole number of at least 1; got {ranks}")
    if ranks is not None and agents is not None and ranks > agents:
        raise ValueError(f"--ranks {ranks}: needed at most one rank for each of {agents} agents")
    return ranks is not None and ranks > 1 and launched == 1


def check_world() -> None:
    """Start MPI once the input of this rank is right, and continue only if the input of all ranks is.

    From here on a rank that fails ends the job. Raises LauncherError where launcher and library do not fit, there is
    no MPI, or another rank refused its input.
    """
    from coolgp.network.mpi import abort_on_error

    if first_refusal(refused=False) is not None:
        raise LauncherError("")
    abort_on_error()


def first_refusal(*, refused: bool) -> int | None:
    """The first rank that refused its input, None where no rank did. Collective: every rank that was started calls it.

    Without it a rank that refuses alone would leave the others waiting for it.
    """
    from coolgp.network.mpi import library, world

    try:
        size = world().size
    except ImportError as problem:
        raise LauncherError(str(problem)) from problem
    if size != launched_size():
        raise LauncherError(
            f"the launcher started {launched_size()} ranks but MPI sees {size}: launcher and MPI library are of "
            "different makes; use the mpiexec beside this Python, and see `coolgp doctor`"
        )
    first = int(world().allreduce(world().rank if refused else size, op=library().MIN))
    return first if first < size else None


def agreed(text: str) -> str:
    """The root's text on all ranks, once none of them has refused its input. Collective; errors as `check_world`."""
    if launched_size() == 1:
        return text
    from coolgp.network.mpi import world

    if first_refusal(refused=False) is not None:
        raise LauncherError("")
    return str(world().bcast(text))


def needed_launcher(ranks: int) -> Path:
    """What starts so many ranks. Raises ValueError where MPI or it is missing, with the line that installs it."""
    problem = library_problem()
    if problem:
        raise ValueError(f"--ranks {ranks} needs MPI. {problem}")
    launcher = find_launcher()
    if launcher is None:
        raise ValueError(f"--ranks {ranks} needs mpiexec, which is not installed: {FIX}")
    return launcher


def launch(ranks: int, arguments: Sequence[str]) -> int:
    """Run ``coolgp`` with these arguments on so many ranks; its exit code. Errors as `needed_launcher`."""
    launcher = needed_launcher(ranks)
    command = [str(launcher), "-n", str(ranks), sys.executable, "-m", "coolgp.scenarios.cli.child", *arguments]
    # In a process group of its own, for a signal of the terminal's would reach mpiexec twice: from there and from here.
    # However this process ends, the system closes its end of the pipe, and with it the standard input of the root.
    job = subprocess.Popen(
        command,
        env=unlaunched() | _oversubscribed(ranks),
        stdin=subprocess.PIPE,
        process_group=0 if POSIX else None,
    )
    with _handed_on(job, stand_ins(launcher)) as handed:
        code = job.wait()
    if job.stdin:
        job.stdin.close()
    if handed and code:  # launchers say in ways of their own that a signal ended ranks which did not hear it yet
        return EXIT_CODES[signal.Signals(handed[0])]
    return code if code >= 0 else 128 - code  # a negative one is the signal that ended mpiexec


def stand_ins(launcher: Path) -> dict[int, int]:
    """The signals that reach ranks in place of others: Open MPI's launcher kills its ranks at SIGINT and SIGTERM."""
    asked = subprocess.run(
        [str(launcher), "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return {meant: stand_in for stand_in, meant in STAND_INS.items()} if "Open MPI" in asked.stdout else {}


@contextmanager
def _handed_on(job: subprocess.Popen[bytes], in_place_of: Mapping[int, int]) -> Iterator[list[int]]:
    """Hand signals on to mpiexec, which hands them on to the ranks; a terminal that closes asks them to stop.

    Gives what they asked for, as they come.
    """
    handed: list[int] = []

    def hand_on(meant: int) -> None:
        handed.append(meant)
        job.send_signal(in_place_of.get(meant, meant))

    signals: dict[int, int] = {signal.SIGINT: signal.SIGINT, signal.SIGTERM: signal.SIGTERM}
    if POSIX:
        signals[signal.SIGHUP] = signal.SIGTERM
    before = {number: signal.getsignal(number) for number in signals}
    for number, meant in signals.items():
        if before[number] not in (signal.SIG_IGN, None):
            signal.signal(number, lambda *_, meant=meant: hand_on(meant))
    try:
        yield handed
    finally:
        for number, old in before.items():
            if old is not None:
                signal.signal(number, old)


def _oversubscribed(ranks: int) -> dict[str, str]:
    """What Open MPI needs to run more ranks than cores, and to run them at a bearable speed."""
    if ranks <= granted_cores():
        return {}
    return {"PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe", "OMPI_MCA_mpi_yield_when_idle": "1"}
