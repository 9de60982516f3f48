"""The numbers of a run's report: key figures, and tables of its columns, of those that its folder has."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping

import numpy as np

from coolgp.scenarios.base.formatting import counted, number, plus_minus, size_text
from coolgp.scenarios.metrics.words import described, is_summed, metric_words
from coolgp.scenarios.records.run_folder import RunFolder
from coolgp.scenarios.records.tables import Columns

__all__ = [
    "SHOWN",
    "change_words",
    "final_values",
    "hyperparameter_rows",
    "key_figures",
    "rmse_text",
    "rounds_table",
    "subset_words",
]

SHOWN_ROUNDS = 12
SHOWN = (
    "round", "observations", "rmse_pre", "rmse_post", "nlpd_pre", "nlpd_post", "coverage95_post", "disagreement",
    "fusion_error", "communication_rounds", "messages", "bytes", "seconds",
)  # fmt: skip
"""Columns of the table of rounds; the others are in the table of final values."""
HEAD_WIDTH = 18
"""Characters of a line in the head of the table of rounds."""

Last = Mapping[str, float]
Tile = tuple[str, str, str]


def key_figures(folder: RunFolder) -> list[Tile]:
    """Value, name and note of each key figure whose columns the run has."""
    last = {name: float(column[-1]) for name, column in folder.metrics.items()}
    tiles = [tile(folder, last) for needs, tile in _TILES.items() if set(needs.split()) <= last.keys()]
    links = f"{folder.network.spoken_count:,}", "links used", f"of {folder.network.link_count:,} in the graph"
    return [*tiles, links]


def rounds_table(metrics: Columns, unit: str) -> tuple[list[list[str]], list[list[str]]]:
    """The head, each cell in lines, and the rows of the first, every k-th and the last round."""
    names = [name for name in SHOWN if name in metrics]
    count = len(metrics["round"])
    chosen = sorted({*range(0, count, -(-count // SHOWN_ROUNDS)), count - 1})
    head = [textwrap.wrap(metric_words(name, unit), HEAD_WIDTH) for name in names]
    return head, [[_cell(metrics, name, i) for name in names] for i in chosen]


def subset_words(metrics: Columns) -> str:
    """That scores before the last round are over a part of the test rows, where they are; empty elsewhere."""
    rows = metrics["test_rows"] if "test_rows" in metrics else np.empty(0)
    if not rows.size or not rows[0] < rows[-1]:
        return ""
    return (
        f"Scores before the last round are over {rows[0]:,.0f} of {rows[-1]:,.0f} test rows, the same ones in each "
        "round (run.evaluate_rows); those of the last round are over all, and curves over the same ones."
    )


def final_values(metrics: Columns, unit: str) -> list[tuple[str, ...]]:
    """Of each column its name, what it is, which values are better, and its value of the run: the last, or the sum."""
    return [
        (name, metric_words(name, unit), getattr(described(name), "better", ""), _final_text(metrics, name))
        for name in metrics
        if name != "round" and not _is_spread(name)
    ]


def _is_spread(name: str) -> bool:
    column = described(name)
    return column is not None and column.spread and name.endswith("_std")


def _final_text(metrics: Columns, name: str) -> str:
    return f"{_text(name, float(np.nansum(metrics[name])))} in all" if is_summed(name) else _cell(metrics, name, -1)


def hyperparameter_rows(columns: Columns) -> list[tuple[str, str, str]]:
    """Of each hyper-parameter what it is, and its mean and spread in the first and the last round."""
    names = [name for name in columns if name != "round" and not name.endswith("_std")]
    no_spread = np.full(len(columns["round"]), np.nan)
    rows = []
    for name in names:
        finite = np.flatnonzero(np.isfinite(columns[name]))
        if finite.size:
            std = columns.get(f"{name}_std", no_spread)
            first, last = (plus_minus(float(columns[name][i]), float(std[i])) for i in finite[[0, -1]])
            rows.append((metric_words(name), first, last))
    return rows


def rmse_text(folder: RunFolder, when: str) -> str:
    """The last RMSE, "pre" or "post" fusion, with its spread over agents and its unit."""
    mean, std = (float(folder.metrics[f"rmse_{when}{end}"][-1]) for end in ("", "_std"))
    text = plus_minus(mean, std if len(folder.probes.agents) > 1 else math.nan)
    return f"{text} {folder.unit}".strip()


def change_words(metrics: Columns) -> str:
    """By how much fusion changes the RMSE, in the last round."""
    before, after = (float(metrics[f"rmse_{when}"][-1]) for when in ("pre", "post"))
    if not (math.isfinite(before) and math.isfinite(after) and before > 0):
        return "the change is not known"
    share = 100 * (before - after) / before
    return f"{abs(share):.2g} % {'lower' if share >= 0 else 'higher'}"


def _cell(metrics: Columns, name: str, place: int) -> str:
    std = metrics.get(f"{name}_std")
    value = float(metrics[name][place])
    return _text(name, value) if std is None else plus_minus(value, float(std[place]))


def _text(name: str, value: float) -> str:
    """A value of a column: bytes in a fitting unit, whole numbers in full."""
    column = described(name)
    if column and column.unit == "bytes":
        return size_text(value)
    return number(value, 12 if value.is_integer() else 3)


def _with_unit(value: float, folder: RunFolder) -> str:
    return f"{number(value)} {folder.unit}".strip()


def _coverage_note(last: Last) -> str:
    shares = {percent: last.get(f"coverage{percent}_post") for percent in (90, 50)}
    others = [f"{number(share)} inside {percent} %" for percent, share in shares.items() if share is not None]
    return "share inside 95 % intervals" + (f"; {', '.join(others)}" if others else "")


_TILES: Mapping[str, Callable[[RunFolder, Last], Tile]] = {
    "rmse_pre rmse_pre_std": lambda folder, last: (
        rmse_text(folder, "pre"),
        "RMSE before fusion",
        "an agent's own observations alone",
    ),
    "rmse_pre rmse_post rmse_post_std": lambda folder, last: (
        rmse_text(folder, "post"),
        "RMSE after fusion",
        change_words(folder.metrics),
    ),
    "nlpd_pre nlpd_post": lambda folder, last: (
        number(last["nlpd_post"]),
        "NLPD after fusion",
        f"{number(last['nlpd_pre'])} before, in nats",
    ),
    "crps_pre crps_post": lambda folder, last: (
        _with_unit(last["crps_post"], folder),
        "CRPS after fusion",
        f"{_with_unit(last['crps_pre'], folder)} before",
    ),
    "coverage95_post": lambda folder, last: (
        number(last["coverage95_post"]),
        "coverage after fusion",
        _coverage_note(last),
    ),
    "disagreement": lambda folder, last: (
        _with_unit(last["disagreement"], folder),
        "disagreement",
        "between predictions after fusion",
    ),
    "bytes messages": lambda folder, last: (
        size_text(np.nansum(folder.metrics["bytes"])),
        "sent",
        f"{np.nansum(folder.metrics['messages']):,.0f} messages",
    ),
    "seconds": lambda folder, last: (
        f"{np.nansum(folder.metrics['seconds']):.3g} s",
        "computing",
        counted(folder.env.get("ranks") or 1, "rank"),
    ),
}
"""Key figures by the columns that they need."""
