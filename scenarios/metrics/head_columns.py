"""Entries of the table of columns for scenarios of newcomers' networks (``[heads]``)."""

from __future__ import annotations

from coolgp.scenarios.metrics.column import Column

__all__ = ["HEAD_COLUMNS", "HEAD_MEASURES", "HEAD_WORDS"]

HEAD_WORDS = {
    "refit": "fused network, head refitted about its own",
    "no_prior": "fused features, head about zero by evidence",
    "probe": "fused features, logistic regression",
    "fused": "fused network as it is",
    "ensemble": "ensemble of the owners' networks",
    "best": "best of the owners' networks",
    "scratch": "network of the rows alone",
    "logistic": "logistic regression of the rows alone",
}
"""What each method is called, by the end of its columns' names."""
_NEWCOMERS = "of newcomers' networks, mean over draws: "
HEAD_MEASURES = ("right", "nlp")

HEAD_COLUMNS = (
    Column(
        name="situation",
        words="situation",
        meaning="of newcomers' networks: number of the situation in the order of the scenario, from 1; names are in "
        "heads.csv",
        files=(),
    ),
    *(
        Column(
            name=f"right_{method}",
            words=f"share right, {words}",
            meaning=f"{_NEWCOMERS}share of test images with the right class",
            better="higher",
            files=(),
        )
        for method, words in HEAD_WORDS.items()
    ),
    *(
        Column(
            name=f"nlp_{method}",
            words=f"negative log probability, {words}",
            meaning=f"{_NEWCOMERS}mean negative log probability of the right class, of at least 0.001",
            unit="nats",
            better="lower",
            files=(),
        )
        for method, words in HEAD_WORDS.items()
    ),
)
