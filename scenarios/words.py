"""Numbers in words for people."""

from __future__ import annotations

import math
import re

__all__ = ["metric_words", "size_text", "uncovered_words"]

METRICS = {"rmse": "RMSE", "nlpd": "NLPD", "crps": "CRPS", "error": "RMSE to the noiseless function"}
TIMES = {"pre": "before fusion", "post": "after fusion"}
TOLERATED = 0.05
"""Share of rows outside the coverage of the inducing inputs from which on it is worth a word."""


def metric_words(column: str) -> str:
    """What a column of ``metrics.csv`` is, for the axis of a figure.

    >>> metric_words("rmse_post"), metric_words("coverage95_post"), metric_words("fusion_error")
    ('RMSE after fusion', 'coverage of the central 95 % interval after fusion', 'fusion error')
    """
    name, _, when = column.partition("_")
    level = re.fullmatch(r"coverage(\d+)", name)
    words = f"coverage of the central {level[1]} % interval" if level else METRICS.get(name)
    unit = " (nats)" if name == "nlpd" else ""
    return f"{words} {TIMES[when]}{unit}" if words and when in TIMES else column.replace("_", " ")


def size_text(size: float) -> str:
    """A number of bytes in a fitting unit.

    >>> size_text(0), size_text(82_685_232)
    ('0 B', '82.7 MB')
    """
    if not math.isfinite(size):
        return "–"
    power = min(int(math.log10(max(size, 1)) / 3), 4)
    return f"{size / 1000**power:.3g} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"


def uncovered_words(share: float, inducing: float) -> str:
    """What there is to say where such a share of a round's rows is outside the coverage of so many inducing inputs.

    >>> uncovered_words(0.02, 100)
    ''
    """
    if not share > TOLERATED:
        return ""
    return (
        f"{100 * share:.0f} % of the last round's inputs are outside the coverage of the {inducing:.0f} inducing "
        "inputs: what is observed there is mostly lost; take more of them (agents.inducing), or let agents add some "
        "(agents.inducing_most)"
    )
