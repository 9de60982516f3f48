"""How far predicted intervals can be trusted: what share of the test rows lies inside, against what was predicted."""

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
    """Draw the share of test rows inside each central interval, and where rows fell in what was predicted for them."""
    told = folder.predictions
    before, after = forecasts(told)
    figure = Figure(figsize=(11, 5.4), layout="constrained")
    inside, fallen = figure.subplots(1, 2)
    _draw_frame(inside)
    inside.plot(LEVELS, share_inside(before, told), color=BEFORE, linewidth=1.8, label="before fusion")
    inside.plot(LEVELS, share_inside(after, told), color=AFTER, linewidth=1.8, label="after fusion")
    inside.legend(loc="upper left")
    _draw_fallen(fallen, before, after, told)
    words = (
        f"Before fusion: {_score_words(before, told, folder.unit)}",
        f"After fusion: {_score_words(after, told, folder.unit)}",
        f"Means over {len(told.agents)} probe agents, each on its test rows, after the last round.",
    )
    figure.supxlabel("\n".join(words), fontsize="small", color="0.35")
    return figure


def reliability_figure_of(panels: Mapping[str, Mapping[str, Sequence[RunFolder]]]) -> Figure:
    """Draw how far the reliability after fusion is from what was predicted: a panel for each label, a line a rule.

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
        axes.set(title=panel, xlim=(0, 1), xlabel="share that a central interval is predicted to hold")
        axes.xaxis.set_major_formatter(PERCENT)
        axes.yaxis.set_major_formatter("{x:+.0%}")
    row[0].set_ylabel("share of test rows inside it, less that")
    handles = [Line2D([], [], color=colour, marker=mark, label=rule) for rule, (colour, mark) in looks.items()]
    figure.legend(handles=handles, loc="outside right upper")
    counts = sorted({len(runs) for runs in lines.values()})
    pooled = f"{'–'.join(map(str, (counts[0], counts[-1])[: len(counts)]))} run{'' if counts == [1] else 's'}"
    caption = "After fusion in the last round. Over-confident below zero, too cautious above. "
    caption += f"Each line is over all probe agents of {pooled} and their test rows."
    figure.supxlabel(caption, fontsize="small", color="0.35")
    return figure


def forecasts(told: Predictions) -> tuple[Forecast, Forecast]:
    """What the probes said before and after fusion."""
    return Forecast(told.mean_pre, told.variance_pre), Forecast(told.mean_post, told.variance_post)


def share_inside(forecast: Forecast, told: Predictions) -> Floats:
    """Share ``[L]`` of test rows inside the central interval of each of `LEVELS`: mean over probes, on rows asked."""
    needed = np.abs(2 * pit(forecast, told.y_test) - 1)
    share = np.histogram(needed, len(LEVELS) - 1, (0, 1), weights=_weights(told))[0]
    return np.concatenate([[0.0], np.cumsum(share)])


def _weights(told: Predictions) -> Floats:
    """Weights ``[probes, Q]`` that sum to one: zero on rows not asked, and in all the same for each probe."""
    weights: Floats = told.asked / told.asked.sum(axis=1, keepdims=True) / len(told.asked)
    return weights


def _draw_frame(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], **DIAGONAL)
    axes.set(title="Over-confident below the diagonal, too cautious above", xlim=(0, 1), ylim=(0, 1.01))
    axes.set(xlabel="share that a central interval is predicted to hold", ylabel="share of test rows inside it")
    axes.xaxis.set_major_formatter(PERCENT)
    axes.yaxis.set_major_formatter(PERCENT)


def _draw_fallen(axes: Axes, before: Forecast, after: Forecast, told: Predictions) -> None:
    """Histograms of the probability integral transform, in multiples of what each bar is predicted to hold."""
    edges, weights = np.linspace(0, 1, BARS + 1), BARS * _weights(told)
    first, last = (np.histogram(pit(one, told.y_test), edges, weights=weights)[0] for one in (before, after))
    axes.stairs(last, edges, fill=True, color=AFTER, alpha=0.45)
    axes.stairs(first, edges, color=BEFORE, linewidth=1.8)
    axes.axhline(1, **DIAGONAL)
    axes.set(title="High ends: over-confident; high middle: too cautious", xlim=(0, 1), ylim=(0, None))
    axes.set(xlabel="where a test row fell in its predicted distribution", ylabel="test rows (1: as many as predicted)")
    axes.xaxis.set_major_formatter(PERCENT)


def _score_words(forecast: Forecast, told: Predictions, unit: str) -> str:
    rows = told.y_test, told.asked.astype(float)
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
