"""Cells of a study as child processes, several at a time, each with a process group, a log and a share of the cores.

A signal asks all children to stop after their rounds, and so does the end of this process, however it ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from coolgp.agents.blocks import granted_cores
from coolgp.scenarios.base.files import forget_half, write_whole
from coolgp.scenarios.base.mpiexec import POSIX
from coolgp.scenarios.base.signals import noted, stopped
from coolgp.scenarios.records.run_folder import is_finished
from coolgp.scenarios.runs.supervisor import Say
from coolgp.scenarios.studies.cells import Ended, Task
from coolgp.scenarios.studies.claims import Others
from coolgp.scenarios.studies.folder import FAILED, cell_progress

__all__ = ["Children", "failure_words"]

TICK = 0.05
"""Seconds between two looks at the children."""
LOG_LINES = 40
"""Lines of a failed child's log that its cell's folder keeps."""


@dataclass(frozen=True)
class Job:
    """A cell that is being run. log: all that its process says; claim: on the cell, until that has ended."""

    task: Task
    process: subprocess.Popen[bytes]
    log: Path
    claim: ExitStack

    def wait(self) -> None:
        """Wait until its process has ended, and only then let go of the pipe whose end would stop it."""
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()

    def ended(self) -> Ended:
        """How it ended, its process having done so."""
        self.wait()
        if self.process.returncode == 0 and is_finished(self.task.place):
            self.log.unlink(missing_ok=True)
            return Ended(self.task.number)
        output = self.log.read_text(encoding="utf-8", errors="replace")
        return Ended(self.task.number, failure_words(output, self.process.returncode))


@dataclass(frozen=True)
class Children:
    """Runs cells as child processes: a runner.

    folder: the study's; jobs: so many at a time; ranks: MPI ranks of each; say: called with what a user should know;
    count: called with the number of children whenever it changes; shared: other processes may take cells too.
    """

    folder: Path
    jobs: int
    ranks: int
    say: Say
    count: Callable[[int], None]
    shared: bool = True

    def __call__(self, tasks: Sequence[Task]) -> Generator[Ended, None, None]:
        """Run them; the first signal stops all with KeyboardInterrupt or SystemExit, and so does closing this."""
        yield from (Ended(task.number) for task in tasks if task.progress == "finished")
        waiting, running = [task for task in tasks if task.progress != "finished"], list[Job]()
        others = Others(waiting, self.say, shared=self.shared)
        number = signal.SIGINT
        with noted() as signals:
            try:
                while waiting or running:
                    if signals.signals:
                        number = signal.Signals(signals.signals[0])
                        raise stopped(signals.counts[0], "stopped")
                    yield from self._start(waiting, running, others)
                    self.count(len(running))
                    for job in [job for job in running if job.process.poll() is not None]:
                        running.remove(job)
                        with job.claim:  # until what it ended with is written
                            yield job.ended()
                    sleep(TICK)
            finally:
                self._stop(running, number)
                with suppress(OSError):  # it holds the logs of failed cells, or no cell was run
                    (self.folder / "logs").rmdir()

    def _start(self, waiting: list[Task], running: list[Job], others: Others) -> Iterator[Ended]:
        """Start what there is room for and nobody else is at work on; cells that have ended elsewhere."""
        if len(running) == self.jobs or not others.due():
            return
        for task in list(waiting):
            with ExitStack() as claim:
                if others.claim(task, claim):
                    waiting.remove(task)
                    if (failure := others.failure(task)) is None:
                        running.append(self._job(task, claim.pop_all()))
                    else:
                        yield Ended(task.number, failure)
            if len(running) == self.jobs:
                others.look_again()
                return

    def _job(self, task: Task, claim: ExitStack) -> Job:
        name = task.cell.folder
        source, log = self.folder / "scenarios" / f"{name}.toml", self.folder / "logs" / f"{name}.txt"
        for place in (source.parent, log.parent):
            place.mkdir(parents=True, exist_ok=True)
        write_whole(source, task.cell.scenario.to_toml().encode())
        (task.place / FAILED).unlink(missing_ok=True)
        if self.shared and cell_progress(task.place) == "begun":
            arguments = ["resume", str(task.place)]
        else:
            forget_half(task.place / "config.toml")
            arguments = ["run", str(source), "--out", str(task.place), "--overwrite"]
        many = ["--ranks", str(self.ranks)] if self.ranks > 1 else []
        command = [sys.executable, "-m", "coolgp.scenarios.cli.child", *arguments, "--no-figures", *many]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0 if POSIX else None,  # a Ctrl-C of the terminal's must reach a child once, from here
            )
        return Job(task, process, log, claim)

    def _environment(self) -> dict[str, str]:
        share = max(1, granted_cores() // (self.jobs * self.ranks))
        return {"COOLGP_THREADS": str(share)} | dict(os.environ)

    def _stop(self, running: Sequence[Job], number: int) -> None:
        """Ask the children to stop, and wait until they have."""
        if running:
            self.say(f"stopping: {len(running)} running cells end their round and leave a checkpoint")
        for job in running:
            with suppress(OSError):  # it has just ended
                job.process.send_signal(number if POSIX else signal.SIGTERM)
        for job in running:
            with job.claim:
                job.wait()


def failure_words(output: str, code: int) -> str:
    """Why a child failed, from its output and its exit code; after an empty line the end of the output.

    >>> failure_words("round 1/2: RMSE 0.3\\ncoolgp: run.rounds: needed a number", 2).splitlines()[0]
    'run.rounds: needed a number'
    """
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    own = [i for i, line in enumerate(lines) if line.startswith("coolgp: ") and "coolgp: warning: " not in line]
    if code < 0:
        why = f"ended by signal {-code} ({signal.strsignal(-code)})"
    elif own:
        why = "\n".join(lines[own[-1] :]).removeprefix("coolgp: ")
    else:
        why = lines[-1] if lines else f"exit code {code}, without a message"
    return "\n\n".join([why, "\n".join(lines[-LOG_LINES:])]).strip()
