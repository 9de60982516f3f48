"""Entries of the table of columns for scenarios with newcomers (``[tasks]``)."""

from __future__ import annotations

from coolgp.scenarios.metrics.column import TARGET, Column

__all__ = ["MEASURES", "NEWCOMER_COLUMNS", "START_WORDS"]

START_WORDS = {
    "mixture": "warm start",
    "mixture_experts": "warm start, owners' models too",
    "population": "population prior alone",
    "scratch": "scratch",
    "summed": "all evidence summed",
    "weighted": "owners' evidence, best weights",
    "neighbour": "best neighbour",
    "owners_mean": "mean of the owners' models",
}
"""What each method is called, by the end of its columns' names."""
MEASURES = ("error", "nlpd", "coverage95")
_NEWCOMERS = "of newcomers, mean over them and over draws: "


def _compared(name: str, words: str, meaning: str, unit: str = "", nominal: float | None = None) -> tuple[Column, ...]:
    """A score of every method."""
    return tuple(
        Column(
            name=f"{name}_{method}",
            words=f"{words}, {method_words}",
            meaning=f"{_NEWCOMERS}{meaning}",
            unit=unit,
            better="lower" if nominal is None else "",
            nominal=nominal,
            files=(),
        )
        for method, method_words in START_WORDS.items()
    )


NEWCOMER_COLUMNS = (
    Column(
        name="relation",
        words="relation of the tasks",
        meaning="of newcomers: number of the relation in the order of the scenario, from 1; names are in newcomers.csv",
        files=(),
    ),
    Column(name="examples", words="rows of a newcomer", meaning="of newcomers: rows that each has", files=()),
    *_compared(
        "error",
        "RMSE",
        "root mean square error to the function where it is known, and else to rows that were not seen",
        TARGET,
    ),
    *_compared(
        "nlpd",
        "NLPD",
        "mean negative log predictive density of the function where it is known, and else of rows that were not seen",
        "nats",
    ),
    *_compared(
        "coverage95",
        "coverage of the central 95 % interval",
        "share of values of the function, where it is known, and else of rows, inside the central interval of 95 %",
        nominal=0.95,
    ),
)
