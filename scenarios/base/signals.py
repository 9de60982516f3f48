"""Ctrl-C and SIGTERM while the rounds go: noted, so that the run ends after its round, with a checkpoint."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

__all__ = ["Interrupted", "Noted", "Terminated", "noted", "obeyed", "stopped"]

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
"""What a shell reports of a process that such a signal ended."""
STAND_INS = {signal.SIGUSR1: signal.SIGINT, signal.SIGUSR2: signal.SIGTERM} if hasattr(signal, "SIGUSR1") else {}
"""Signals that mean the same, where a launcher keeps the others to itself or a batch system sends a warning."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C: the run stopped after a round. Its text says after which, and how to go on."""

    code = EXIT_CODES[signal.SIGINT]


class Terminated(SystemExit):
    """SIGTERM: the run stopped after a round; left alone it ends the process with exit code 143."""

    def __init__(self, words: str) -> None:
        super().__init__(EXIT_CODES[signal.SIGTERM])
        self.words = words

    def __str__(self) -> str:
        return self.words


@dataclass
class Noted:
    """The signals that came."""

    signals: list[int] = field(default_factory=list)

    @property
    def counts(self) -> list[int]:
        """How often SIGINT and SIGTERM came."""
        return [self.signals.count(number) for number in EXIT_CODES]


@contextmanager
def noted() -> Iterator[Noted]:
    """Note SIGINT, SIGTERM and their stand-ins instead of obeying them; the second one ends the process at once.

    Only the main thread can do so: in another nothing is noted and nothing changes. A signal that was ignored stays so.
    """
    received = Noted()
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def note(number: int, frame: FrameType | None) -> None:
        received.signals.append(STAND_INS.get(signal.Signals(number), number))
        for other in before:  # by the system itself: Python would wait for the end of a call into MPI
            signal.signal(other, signal.SIG_DFL)

    before = {number: signal.getsignal(number) for number in (*EXIT_CODES, *STAND_INS)}
    before = {number: old for number, old in before.items() if old not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def obeyed() -> Iterator[Noted]:
    """Let SIGTERM raise Terminated at once, as Ctrl-C raises KeyboardInterrupt; nothing is noted.

    Only the main thread can do so. A handler of somebody else's stays, and so does a signal that was ignored.
    """
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated("stopped")

    if ours:
        signal.signal(signal.SIGTERM, end)
    try:
        yield Noted()
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def stopped(interrupts: int, words: str) -> BaseException:
    """What a run raises when it has stopped: for Ctrl-C if there was one, else for SIGTERM."""
    return Interrupted(words) if interrupts else Terminated(words)
