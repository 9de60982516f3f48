"""Mistakes of the user: one clear message for all ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from coolgp.network.launcher import launched_rank, launched_size
from coolgp.scenarios.base.mpiexec import LauncherError, first_refusal
from coolgp.scenarios.config.scenario import Scenario

__all__ = ["check_agents", "explained", "say", "show_table"]


@contextmanager
def explained(kinds: tuple[type[Exception], ...] = (ValueError, OSError)) -> Iterator[None]:
    """Turn an error of these kinds in the user's input into a message, once for all ranks, and exit code 2."""
    try:
        yield
    except kinds as problem:
        if _speaks(problem) and str(problem):
            say(_words(problem))
        raise typer.Exit(2) from None


def _speaks(problem: Exception) -> bool:
    """Whether this rank is the one to print the message: the first of those that refused their input."""
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


def check_agents(scenario: Scenario) -> None:
    """Refuse a scenario of a kind without agents that learn online. Raises ValueError."""
    if "agents" not in scenario.sections():
        raise ValueError(f'{scenario.name}: is of the kind "{scenario.kind}", which has no section [agents] to plan by')


def say(words: str) -> None:
    """Say something on the error stream."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"[red]coolgp:[/red] {escape(words)}")


def show_table(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """A table of names and what there is to say of each, with its title and a blank line after it."""
    console = Console()
    console.print(escape(title))
    table = Table(show_header=False, box=None, padding=(0, 2))
    for name, words in rows:
        table.add_row(f"[bold]{name}[/bold]", escape(words))
    console.print(table)
    console.print()
