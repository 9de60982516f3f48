"""The figure of a study in which rules compete: a row of panels for each data set, a line for each rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.base.formatting import size_text
from coolgp.scenarios.metrics.words import described
from coolgp.scenarios.plots.style import AFTER, NEUTRAL

__all__ = ["league_figure"]

WILD = 6.0
"""Values further from the best than so many times the median distance are drawn at the edge, with their number."""
Rows = Sequence[Mapping[str, str]]


def league_figure(
    rows: Rows,
    *,
    panels: str,
    lines: str,
    metrics: Mapping[str, str],
    best: str,
    targets: Mapping[str, float],
    worst: Sequence[str] = (),
    reference: str = "",
    title: str = "",
) -> Figure:
    """Draw last values of some metrics, from the rows of a study's table: dots are means over all other settings.

    panels, lines: the axes of the grid that set rows of panels, and rules in them, apart. metrics: columns with their
    words; best: the one by which rules are ordered, the best mean first; targets: where a metric should be; worst: of
    these a tick marks the worst of a rule's values. reference: the rule that others are compared with, seed by seed.
    """
    shown = list(dict.fromkeys(row[panels] for row in rows))
    figure = Figure(figsize=(4.2 * len(metrics) + 1.6, 3.6 * len(shown) + 0.7), layout="constrained")
    grid = figure.subplots(len(shown), len(metrics), squeeze=False)
    for place, panel in enumerate(shown):
        mine = [row for row in rows if row[panels] == panel]
        order = _ordered(mine, lines, best)
        for axes, (metric, words) in zip(grid[place], metrics.items(), strict=True):
            values = np.array([_values(mine, lines, name, metric) for name in order])
            number = size_text if metric == "bytes" else "{:.3g}".format
            beside = values[order.index(reference)] if reference in order else np.median(values, axis=0)
            ticks = _worst(values, metric) if metric in worst else None
            _draw(axes, values, beside, targets.get(metric), ticks, number)
            if reference in order and metric == best:
                axes.axvline(float(beside.mean()), color=AFTER, linestyle=":", linewidth=1.0)
            axes.set_xlabel(words)
            axes.set_yticks(range(len(order)), order if axes is grid[place][0] else [""] * len(order))
        grid[place][0].set_title(panel)
    figure.suptitle(title, x=0.02, ha="left", fontsize="large")
    repeats = len(rows) // max(len({(row[lines], row[panels]) for row in rows}), 1)
    spread = f"means over {repeats} seeds" if repeats > 1 else "one run each"
    other = f'"{reference}"' if reference else "the median rule"
    bars = f"Bars: ± one standard deviation over these, of the difference from {other} of the same seed."
    bars += f"{chr(10)}Ticks: the worst seed." if worst else ""
    caption = (
        f"After the last round. Dots: {spread}. Ordered by {metrics[best]}, the best above. Values off the scale stand"
        f" at its edge as numbers.{chr(10) + bars if repeats > 1 else ''}"
    )
    figure.supxlabel(caption, fontsize="small", color="0.35")
    return figure


def _ordered(rows: Rows, lines: str, best: str) -> list[str]:
    """The rules, the best mean first."""
    sign = -1 if _is_better_higher(best) else 1
    names = list(dict.fromkeys(row[lines] for row in rows))
    return sorted(names, key=lambda name: sign * float(_values(rows, lines, name, best).mean()))


def _values(rows: Rows, lines: str, name: str, metric: str) -> Floats:
    return np.array([float(row[metric]) for row in rows if row[lines] == name])


def _is_better_higher(metric: str) -> bool:
    column = described(metric)
    return column is not None and column.better == "higher"


def _worst(values: Floats, metric: str) -> Floats:
    """Of each rule ``[rules]`` the worst of its values ``[rules, seeds]``."""
    worst: Floats = values.min(axis=1) if _is_better_higher(metric) else values.max(axis=1)
    return worst


def _draw(
    axes: Axes,
    values: Floats,
    beside: Floats,
    target: float | None,
    worst: Floats | None,
    number: Callable[[float], str],
) -> None:
    """Rules' values ``[rules, seeds]``: means, how much they vary beside those of a rule ``[seeds]``, and the worst.

    number: writes a value.
    """
    means, repeats = values.mean(axis=1), values.shape[1]
    apart = values - beside  # a seed whose test rows are hard is hard for all rules
    spreads = apart.std(axis=1, ddof=1) if repeats > 1 else np.zeros(len(values))
    low, high = _range(means, spreads, worst, target)
    for place, (mean, spread) in enumerate(zip(means, spreads, strict=True)):
        if low <= mean <= high:
            axes.errorbar(mean, place, xerr=spread, color=AFTER, fmt="o", markersize=4.5, capsize=3)
        else:
            edge, side = (low, "left") if mean < low else (high, "right")
            axes.text(edge, place, number(float(mean)), ha=side, va="center", color=NEUTRAL, fontsize="small")
        if worst is not None and low <= worst[place] <= high:
            axes.plot(worst[place], place, color=NEUTRAL, marker="|", markersize=8, linestyle="none")
    if target is not None:
        axes.axvline(target, color="0.45", linestyle="--", linewidth=1.0)
    axes.set_ylim(len(values) - 0.5, -0.5)
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    if number is size_text:
        axes.xaxis.set_major_formatter(lambda place, _: size_text(place) if place >= 0 else "")


def _range(means: Floats, spreads: Floats, worst: Floats | None, target: float | None) -> tuple[float, float]:
    """What is drawn to scale: values that are not wildly far from the middle, with their bars, and the target."""
    middle = float(np.median(means))
    reach = WILD * max(float(np.median(np.abs(means - middle))), 1e-3 * abs(middle), 1e-12)
    tame = np.abs(means - middle) <= reach
    reach = reach if worst is None else max(reach, WILD * float(np.median(np.abs(worst - means))))
    ends = [means - spreads, means + spreads, *([] if worst is None else [worst])]
    points = [np.clip(end[tame], middle - reach, middle + reach) for end in ends]
    together = np.concatenate([*points, [] if target is None else [target]])
    return float(together.min()), float(together.max())
