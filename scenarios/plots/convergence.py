"""Errors, log densities and traffic as observations come in."""

from __future__ import annotations

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.metrics.words import alike
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.plots.run_tables import subset_words
from coolgp.scenarios.plots.style import AFTER, ALL_ROWS, BEFORE, NEUTRAL, band, round_ticks, with_unit
from coolgp.scenarios.records.run_folder import RunFolder
from coolgp.scenarios.records.tables import Columns

__all__ = ["CONVERGENCE", "convergence_figure"]

SHOWN_ROUNDS = 8


def convergence_figure(folder: RunFolder) -> Figure:
    """Draw errors, log densities and traffic against the observations seen by all agents together."""
    metrics, probes = folder.metrics, len(folder.probes.agents)
    seen, some = metrics["observations"], bool(subset_words(metrics)) and "rmse_post_subset" in metrics
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    with rc_context({"axes.titley": None}):  # that of the errors stands above the rounds along the top
        panels = figure.subplot_mosaic([["error", "density"], ["error", "traffic"]], width_ratios=[1.7, 1])
        panels["error"].set_title("Error on the test set")
    error, density, traffic = panels["error"], panels["density"], panels["traffic"]
    for when, label, colour in (("pre", "before fusion", BEFORE), ("post", "after fusion", AFTER)):
        rmse, std = (alike(metrics, f"rmse_{when}{end}") for end in ("", "_std"))
        band(error, seen, rmse, std, colour, label)
        density.plot(seen, alike(metrics, f"nlpd_{when}"), color=colour, marker="o", markersize=3, label=label)
        if some:
            for axes, score in ((error, "rmse"), (density, "nlpd")):
                axes.plot(seen[-1:], metrics[f"{score}_{when}"][-1:], color=colour, **ALL_ROWS)
    error.set(ylabel=with_unit(f"RMSE of {folder.target}", folder.unit))
    density.set(title="Negative log predictive density", ylabel="NLPD (nats)")
    _draw_traffic(traffic, seen, metrics)
    for axes in panels.values():
        axes.xaxis.set_major_locator(round_ticks(seen, 6 if axes is error else 4))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel("observations seen by all agents")
    error.legend()
    _count_rounds(error, seen, metrics["round"])
    mean, spread = ("Line", "band") if len(seen) > 1 else ("Dot", "bar")
    caption = f"{mean}: mean over {probes} probe agents; {spread}: ± one standard deviation over them."
    caption = caption if probes > 1 else "One agent was evaluated."
    words = " Lines: the same test rows in each round; diamonds: all test rows." if some else ""
    figure.supxlabel(caption + words, fontsize="small", color="0.35")
    return figure


def _draw_traffic(axes: Axes, seen: Floats, metrics: Columns) -> None:
    megabytes = np.cumsum(np.nan_to_num(metrics["bytes"])) / 1e6
    axes.plot(seen, megabytes, color=NEUTRAL, marker="o", markersize=3)
    axes.fill_between(seen, megabytes, color=NEUTRAL, alpha=0.12, linewidth=0)
    axes.set(title="Sent by all agents since the start", ylabel="megabytes")
    axes.set_ylim(bottom=0, top=None if megabytes[-1] else 1)
    if not megabytes[-1]:
        axes.text(0.5, 0.5, "no message was sent", transform=axes.transAxes, ha="center", color="0.35")


def _count_rounds(axes: Axes, seen: Floats, rounds: Floats) -> None:
    """Write every k-th round, counted back from the last, along the top; fewer where observations come slowly."""
    last, least = len(rounds) - 1, 0.6 * float(seen[-1] - seen[0]) / SHOWN_ROUNDS
    chosen = [last]
    for place in range(last, -1, -max(1, -(-len(rounds) // SHOWN_ROUNDS)))[1:]:
        if seen[chosen[-1]] - seen[place] >= least:
            chosen.append(place)
    top = axes.secondary_xaxis("top")
    top.set_xticks(seen[chosen], [f"{number:.0f}" for number in rounds[chosen]])
    top.set_xlabel("round of learning", color="0.3", fontsize="small")


CONVERGENCE = Drawing(
    convergence_figure,
    "Error, log density and traffic as observations come in, on the same test rows in each round; diamonds are over "
    "all test rows. Lines are means over the probe agents, bands one standard deviation over them to either side: they "
    "show how much agents differ, and are no confidence intervals.",
    needs=("observations", "rmse_pre", "rmse_pre_std", "rmse_post", "rmse_post_std", "nlpd_pre", "nlpd_post", "bytes"),
)
