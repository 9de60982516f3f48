"""Between two rounds: a checkpoint when it is due, and the end of the run when somebody asked for it.

The root's clock and its files decide, and the signals of any rank; all ranks hear of it in one sum a round.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np

from coolgp.scenarios.base.errors import FoundByAll
from coolgp.scenarios.base.signals import Noted, stopped
from coolgp.scenarios.runs.checkpoints.checkpoint import save
from coolgp.scenarios.runs.checkpoints.places import clear
from coolgp.scenarios.runs.recorder import Recorder
from coolgp.scenarios.simulation.state import RunState, Simulation

__all__ = ["CannotRecord", "Say", "Supervisor", "failure_of"]

Say = Callable[[str], None]


class CannotRecord(FoundByAll):
    """The run folder cannot be written to any more: raised on all ranks."""


def failure_of(action: Callable[[], None]) -> str:
    """Act; what the system refused to do, in words, empty where it did not."""
    try:
        action()
    except OSError as problem:
        return f"{problem.filename or 'a table'}: cannot be written: {problem.strerror}"
    return ""


class Supervisor:
    """Looks after one run with a folder, on every rank. recorder: on the root alone."""

    def __init__(self, folder: Path, simulation: Simulation, recorder: Recorder | None, say: Say) -> None:
        self.folder, self.simulation, self.recorder, self.say = folder, simulation, recorder, say
        self.period = 60 * simulation.scenario.run.checkpoint_minutes
        self.last, self.written, self.warned = perf_counter(), 0, False

    def between(self, run_state: RunState, noted: Noted, failure: str) -> None:
        """What there is to do after a round; failure: why the root could not write its tables. Collective.

        Raises CannotRecord where it could not, KeyboardInterrupt or SystemExit where a signal came and rounds are left.
        """
        transport, rounds = self.simulation.transport, self.simulation.rounds
        due = transport.root and perf_counter() - self.last >= self.period
        asked = np.array([due, bool(failure), *noted.counts], dtype=np.int64)
        due_now, failed, interrupts, terms = transport.total(asked).tolist()
        self._end_if(failed, failure)
        stop = interrupts + terms > 0
        if run_state.turn == rounds or not (due_now or stop):
            return
        problem = self._save(run_state)
        if stop:
            reached = f"stopped after round {run_state.turn} of {rounds}"
            lost = f" ({problem}, so what was learned after round {self.written} is lost)" if problem else ""
            raise stopped(interrupts, f"{reached}{lost}; go on with: coolgp resume {self.folder}")

    def finish(self, failure: str) -> None:
        """The run is over: nobody needs its checkpoints. Raises CannotRecord as `between` does. Collective."""
        failed = self.simulation.transport.total(np.array([bool(failure)]))[0]
        self._end_if(failed, failure)
        if self.simulation.transport.root:
            clear(self.folder)

    def _save(self, run_state: RunState) -> str | None:
        problem = save(self.folder, self.simulation, run_state, self._tables)
        self.last = perf_counter()
        if problem is None:
            self.written = run_state.turn
        elif not self.warned and self.simulation.transport.root:
            last = f"the last good one is of round {self.written}" if self.written else "there is none yet"
            self.say(f"no checkpoint of round {run_state.turn}: {problem}; the run goes on ({last})")
        self.warned = self.warned or problem is not None
        return problem

    def _tables(self) -> dict[str, int]:
        assert self.recorder is not None
        return self.recorder.settle()

    def _end_if(self, failed: int, failure: str) -> None:
        if failed:
            raise CannotRecord(f"{failure}; once that is put right, go on with: coolgp resume {self.folder}")
