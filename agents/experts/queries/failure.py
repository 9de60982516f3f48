"""What goes wrong with an expert that is asked, as errors that name it."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

__all__ = ["ExpertFailed", "QueriesUsedUp", "within"]

Answer = TypeVar("Answer")


class ExpertFailed(ValueError):
    """An expert that raised an error, took too long, or answered what no model of its kind can: `name`, `reason`."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)  # as args, so that the error survives pickling between ranks
        self.name, self.reason = name, reason

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


class QueriesUsedUp(ValueError):
    """A call that would have asked an expert for more than it may be asked; nothing was asked."""


def within(seconds: float | None, call: Callable[..., Answer], *arguments: Any) -> Answer:
    """The answer of a call, which goes on in a thread of its own. Raises TimeoutError when it takes longer.

    Python cannot stop a thread: a call that hangs is left behind, and keeps its core until the process ends.

    >>> within(5.0, max, 1, 2)
    2
    """
    if seconds is None:
        return call(*arguments)
    outcome: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def work() -> None:
        try:
            outcome.put((call(*arguments), None))
        except BaseException as problem:  # raised again where the answer is waited for
            outcome.put((None, problem))

    Thread(target=work, daemon=True).start()
    try:
        answer, problem = outcome.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"gave no answer within {seconds:g} s") from None
    if problem is not None:
        raise problem
    return answer  # type: ignore[no-any-return]
