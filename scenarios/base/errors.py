"""Errors for mistakes of the user; one error carries all problems that were found."""

from __future__ import annotations

__all__ = ["ConfigError", "DataError", "FoundByAll", "Problems"]


class Problems(ValueError):
    """Something of the user's that cannot be used: `problems`, one line each."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)  # as args, so that the error survives pickling between ranks
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


class ConfigError(Problems):
    """What is wrong with a scenario."""


class DataError(Problems):
    """What is wrong with the data."""


class FoundByAll(ValueError):
    """A mistake that all ranks find alike in the middle of a run: one message, where other errors end the job."""
