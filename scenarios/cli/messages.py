"""What goes wrong, said once for all ranks in one clear message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from coolgp.network.launcher import launched_rank, launched_size
from coolgp.scenarios.base.mpiexec import LauncherError, first_refusal

__all__ = ["explained", "say"]


@contextmanager
def explained(kinds: tuple[type[Exception], ...] = (ValueError, OSError)) -> Iterator[None]:
    """Turn what is wrong with the user's input into a message, once for all ranks, and exit code 2.

    kinds: of error.
    """
    try:
        yield
    except kinds as problem:
        if _speaks(problem) and str(problem):
            say(_words(problem))
        raise typer.Exit(2) from None


def _speaks(problem: Exception) -> bool:
    """Whether this rank is the one that says what is wrong: the first of those that found something."""
    if launched_size() == 1 or isinstance(problem, LauncherError):
        return launched_rank() == 0
    try:
        return first_refusal(refused=True) == launched_rank()
    except LauncherError:
        return launched_rank() == 0


def _words(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.filename:
        return f"{problem.filename}: cannot be read or written: {problem.strerror}"
    return str(problem)


def say(words: str) -> None:
    """Say something on the error stream."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"[red]coolgp:[/red] {escape(words)}")
