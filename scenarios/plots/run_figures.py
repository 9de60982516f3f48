"""The figures of a run, drawn from its folder alone."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, Locator, MaxNLocator

from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.plots.agents import agents_figure
from coolgp.scenarios.plots.field import field_figure
from coolgp.scenarios.plots.fusion import fusion_figure
from coolgp.scenarios.plots.network import network_figure
from coolgp.scenarios.plots.relevance import relevances_figure
from coolgp.scenarios.plots.reliability import reliability_figure
from coolgp.scenarios.plots.road import road_figure
from coolgp.scenarios.plots.style import AFTER, BEFORE, NEUTRAL, band, house_style, save_picture
from coolgp.scenarios.records.run_folder import Columns, RunFolder

__all__ = ["convergence_figure", "draw_all", "profiles_figure", "spread_words"]

SHOWN_ROUNDS = 8


def draw_all(folder: RunFolder) -> dict[str, Path]:
    """Draw every figure that the run allows into its folder, each file replaced whole; return them by name.

    The field is drawn only where the truth is known on a regular two-dimensional grid.
    """
    drawn = {}
    with house_style():
        for name, draw in FIGURES.items():
            figure = draw(folder)
            if figure is not None:
                drawn[name] = folder.path / f"{name}.png"
                save_picture(figure, drawn[name])
    return drawn


def convergence_figure(folder: RunFolder) -> Figure:
    """Draw errors, log densities and traffic against the observations seen by all agents together."""
    metrics, probes = folder.metrics, len(folder.probes.agents)
    seen = metrics["observations"]
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    with rc_context({"axes.titley": None}):  # that of the errors stands above the rounds along the top
        panels = figure.subplot_mosaic([["error", "density"], ["error", "traffic"]], width_ratios=[1.7, 1])
        panels["error"].set_title("Error on the test set")
    error, density, traffic = panels["error"], panels["density"], panels["traffic"]
    for when, label, colour in (("pre", "before fusion", BEFORE), ("post", "after fusion", AFTER)):
        band(error, seen, metrics[f"rmse_{when}"], metrics[f"rmse_{when}_std"], colour, label)
        density.plot(seen, metrics[f"nlpd_{when}"], color=colour, marker="o", markersize=3, label=label)
    error.set(ylabel=_with_unit(f"RMSE of {folder.target}", folder.unit))
    density.set(title="Negative log predictive density", ylabel="NLPD (nats)")
    _draw_traffic(traffic, seen, metrics)
    for axes in panels.values():
        axes.xaxis.set_major_locator(_ticks(seen, 6 if axes is error else 4))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel("observations seen by all agents")
    error.legend()
    _count_rounds(error, seen, metrics["round"])
    mean, spread = ("Line", "band") if len(seen) > 1 else ("Dot", "bar")
    caption = f"{mean}: mean over {probes} probe agents; {spread}: ± one standard deviation over them."
    figure.supxlabel(caption if probes > 1 else "One agent was evaluated.", fontsize="small", color="0.35")
    return figure


def profiles_figure(folder: RunFolder) -> Figure:
    """Draw the error of every probe agent, before and after fusion, over the rounds, and both at the last round."""
    probes = folder.probes
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    history, last = figure.subplots(1, 2, sharey=True, width_ratios=[3.2, 1])
    marker = "o" if len(probes.rounds) < 2 else ""
    for errors, label, colour in (
        (probes.rmse_pre, "before fusion", BEFORE),
        (probes.rmse_post, "after fusion", AFTER),
    ):
        lines = history.plot(probes.rounds, errors, color=colour, linewidth=1, alpha=0.65, marker=marker)
        lines[0].set_label(f"{label}, one line for each of {len(lines)} agents" if len(lines) > 1 else label)
    history.set(xlabel="round of learning", ylabel=_with_unit(f"RMSE of {folder.target}", folder.unit))
    history.xaxis.set_major_locator(_ticks(probes.rounds, 10))
    history.set_title(_spread_title(folder))
    history.legend()
    ends = np.stack([probes.rmse_pre[-1], probes.rmse_post[-1]])
    last.plot([0, 1], ends, color="0.75", linewidth=0.8, zorder=1)
    for place, colour in enumerate((BEFORE, AFTER)):
        last.scatter(np.full(ends.shape[1], place), ends[place], s=22, color=colour, alpha=0.7, linewidths=0, zorder=2)
    last.set_xticks([0, 1], ["before", "after"])
    last.set(xlim=(-0.4, 1.4), title=f"Round {probes.rounds[-1]}")
    caption = "Spread: standard deviation of the RMSE over the probe agents, at the last round."
    figure.supxlabel(caption if len(probes.agents) > 1 else "One agent was evaluated.", fontsize="small", color="0.35")
    return figure


def spread_words(before: float, after: float) -> str:
    """Say how much closer together the agents are after fusion.

    >>> spread_words(1.0, 0.03), spread_words(1.0, 1e-12), spread_words(0.5, 1.0)
    ('33 times smaller', 'more than 1,000 times smaller', '2 times larger')
    """
    if not (math.isfinite(before) and math.isfinite(after)) or before == after:
        return "unchanged"
    ratio = max(before, after) / min(before, after) if min(before, after) > 0 else math.inf
    times = "more than 1,000" if ratio > 1000 else f"{ratio:.2g}"
    return f"{times} times {'smaller' if after < before else 'larger'}"


def _spread_title(folder: RunFolder) -> str:
    before, after = (float(folder.metrics[f"rmse_{when}_std"][-1]) for when in ("pre", "post"))
    if len(folder.probes.agents) < 2 or not (math.isfinite(before) and math.isfinite(after)):
        return "Error of the probe agents"
    unit = f" {folder.unit}" if folder.unit else ""
    left = f"{after:.2g}" if after >= 1e-3 * before else f"under {1e-3 * before:.1g}"
    return f"Spread over agents: {before:.3g}{unit} before fusion, {left}{unit} after ({spread_words(before, after)})"


def _draw_traffic(axes: Axes, seen: Floats, metrics: Columns) -> None:
    megabytes = np.cumsum(np.nan_to_num(metrics["bytes"])) / 1e6
    axes.plot(seen, megabytes, color=NEUTRAL, marker="o", markersize=3)
    axes.fill_between(seen, megabytes, color=NEUTRAL, alpha=0.12, linewidth=0)
    axes.set(title="Sent by all agents since the start", ylabel="megabytes")
    axes.set_ylim(bottom=0, top=None if megabytes[-1] else 1)
    if not megabytes[-1]:
        axes.text(0.5, 0.5, "no message was sent", transform=axes.transAxes, ha="center", color="0.35")


def _count_rounds(axes: Axes, seen: Floats, rounds: Floats) -> None:
    """Write every k-th round, counted back from the last, along the top."""
    chosen = np.arange(len(rounds) - 1, -1, -max(1, -(-len(rounds) // SHOWN_ROUNDS)))[::-1]
    top = axes.secondary_xaxis("top")
    top.set_xticks(seen[chosen], [f"{number:.0f}" for number in rounds[chosen]])
    top.set_xlabel("round of learning", color="0.3", fontsize="small")


def _ticks(places: Floats | Ints, count: int) -> Locator:
    return MaxNLocator(count, integer=True) if len(places) > 1 else FixedLocator(places.tolist())


def _with_unit(words: str, unit: str) -> str:
    return f"{words} ({unit})" if unit else words


FIGURES = {
    "convergence": convergence_figure,
    "profiles": profiles_figure,
    "agents": agents_figure,
    "reliability": reliability_figure,
    "fusion": fusion_figure,
    "relevances": relevances_figure,
    "network": network_figure,
    "field": field_figure,
    "road": road_figure,
}
