"""Calibration: the coverage of central predictive intervals, and the probability integral transform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.metrics.scores import Forecast, coverage, crps, nlpd, pit
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.plots.style import AFTER, BEFORE, LINES
from coolgp.scenarios.records.run_folder import Predictions, RunFolder

__all__ = ["LEVELS", "RELIABILITY", "forecasts", "reliability_figure", "reliability_figure_of", "share_inside"]

LEVELS: Floats = np.linspace(0, 1, 101)
"""Of the central intervals whose reliability is drawn; ``[L]``."""
BARS = 20
DIAGONAL: dict[str, Any] = {"color": "0.45", "linewidth": 1.0, "linestyle": "--"}
PERCENT = "{x:.0%}"


def reliability_figure(folder: RunFolder) -> Figure:
    """Draw the coverage of central intervals against their probability, and the histogram of the PIT."""
    predictions = folder.predictions
    before, after = forecasts(predictions)
    figure = Figure(figsize=(11, 5.4), layout="constrained")
    inside, transform = figure.subplots(1, 2)
    _draw_frame(inside)
    inside.plot(LEVELS, share_inside(before, predictions), color=BEFORE, linewidth=1.8, label="before fusion")
    inside.plot(LEVELS, share_inside(after, predictions), color=AFTER, linewidth=1.8, label="after fusion")
    inside.legend(loc="upper left")
    _draw_transform(transform, before, after, predictions)
    words = (
        f"Before fusion: {_score_words(before, predictions, folder.unit)}",
        f"After fusion: {_score_words(after, predictions, folder.unit)}",
        f"Means over {len(predictions.agents)} probe agents, each on its test rows, after the last round.",
    )
    figure.supxlabel("\n".join(words), fontsize="small", color="0.35")
    return figure


def reliability_figure_of(panels: Mapping[str, Mapping[str, Sequence[RunFolder]]]) -> Figure:
    """Draw coverage less probability of central intervals after fusion: a panel for each label, a line a rule.

    panels: of each label and rule its runs, of several seeds say; they are pooled, each with the same weight. In the
    style in force. Raises ValueError where a line has no run.
    """
    lines = {(panel, rule): runs for panel, rules in panels.items() for rule, runs in rules.items()}
    empty = [f"{panel}, {rule}" for (panel, rule), runs in lines.items() if not runs]
    if empty or not lines:
        raise ValueError(f"a reliability figure needs a run for each line; got none for {'; '.join(empty) or 'any'}")
    figure = Figure(figsize=(4.4 * len(panels) + 2.4, 5.2), layout="constrained")
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    looks = dict(zip(dict.fromkeys(rule for _, rule in lines), cycle(LINES)))
    for axes, (panel, rules) in zip(row, panels.items(), strict=True):
        axes.axhline(0, **DIAGONAL)
        for number, (rule, runs) in enumerate(rules.items()):
            share = np.mean([share_inside(forecasts(run.predictions)[1], run.predictions) for run in runs], axis=0)
            colour, mark = looks[rule]
            axes.plot(LEVELS, share - LEVELS, color=colour, marker=mark, markevery=(number % 10, 10), markersize=5)
        axes.set(title=panel, xlim=(0, 1), xlabel="probability of the central interval")
        axes.xaxis.set_major_formatter(PERCENT)
        axes.yaxis.set_major_formatter("{x:+.0%}")
    row[0].set_ylabel("share of test rows inside, less that probability")
    handles = [Line2D([], [], color=colour, marker=mark, label=rule) for rule, (colour, mark) in looks.items()]
    figure.legend(handles=handles, loc="outside right upper")
    counts = sorted({len(runs) for runs in lines.values()})
    pooled = f"{'–'.join(map(str, (counts[0], counts[-1])[: len(counts)]))} run{'' if counts == [1] else 's'}"
    caption = "After fusion in the last round. Over-confident below zero, under-confident above. "
    caption += f"Each line is over all probe agents of {pooled} and their test rows."
    figure.supxlabel(caption, fontsize="small", color="0.35")
    return figure


def forecasts(predictions: Predictions) -> tuple[Forecast, Forecast]:
    """The probes' forecasts before and after fusion."""
    before = Forecast(predictions.mean_pre, predictions.variance_pre)
    return before, Forecast(predictions.mean_post, predictions.variance_post)


def share_inside(forecast: Forecast, predictions: Predictions) -> Floats:
    """Share ``[L]`` of test rows inside the central interval of each of `LEVELS`: mean over probes, on rows asked."""
    needed = np.abs(2 * pit(forecast, predictions.y_test) - 1)
    share = np.histogram(needed, len(LEVELS) - 1, (0, 1), weights=_weights(predictions))[0]
    return np.concatenate([[0.0], np.cumsum(share)])


def _weights(predictions: Predictions) -> Floats:
    """Weights ``[probes, Q]`` that sum to one: zero on rows not asked, and in all the same for each probe."""
    weights: Floats = predictions.asked / predictions.asked.sum(axis=1, keepdims=True) / len(predictions.asked)
    return weights


def _draw_frame(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], **DIAGONAL)
    axes.set(title="Over-confident below the diagonal, under-confident above", xlim=(0, 1), ylim=(0, 1.01))
    axes.set(xlabel="probability of the central interval", ylabel="share of test rows inside")
    axes.xaxis.set_major_formatter(PERCENT)
    axes.yaxis.set_major_formatter(PERCENT)


def _draw_transform(axes: Axes, before: Forecast, after: Forecast, predictions: Predictions) -> None:
    """Histograms of the probability integral transform, in multiples of the uniform density."""
    edges, weights = np.linspace(0, 1, BARS + 1), BARS * _weights(predictions)
    first, last = (np.histogram(pit(one, predictions.y_test), edges, weights=weights)[0] for one in (before, after))
    axes.stairs(last, edges, fill=True, color=AFTER, alpha=0.45)
    axes.stairs(first, edges, color=BEFORE, linewidth=1.8)
    axes.axhline(1, **DIAGONAL)
    axes.set(title="High ends: over-confident; high middle: under-confident", xlim=(0, 1), ylim=(0, None))
    axes.set(xlabel="probability integral transform of a test row", ylabel="density (1 where calibrated)")
    axes.xaxis.set_major_formatter(PERCENT)


def _score_words(forecast: Forecast, predictions: Predictions, unit: str) -> str:
    rows = predictions.y_test, predictions.asked.astype(float)
    shares = (coverage(forecast, *rows, level).mean() for level in (0.5, 0.9, 0.95))
    inside = " / ".join(f"{100 * share:.1f}" for share in shares)
    ranked = f"CRPS {crps(forecast, *rows).mean():.4g} {unit}".rstrip()
    return f"NLPD {nlpd(forecast, *rows).mean():.4g} nats, {ranked}, {inside} % inside intervals of 50 / 90 / 95 %."


RELIABILITY = Drawing(
    reliability_figure,
    "How calibrated the predictive distributions are. Left: the share of test observations inside each central "
    "interval, against the probability of the interval. Right: histogram of the predictive distribution function at "
    "the test observations (probability integral transform); uniform for a calibrated model.",
)
