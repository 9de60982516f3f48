"""A figure of two agents, each by its name: what it had from the other."""

from __future__ import annotations

from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import MaxNLocator

from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.plots.run_tables import subset_words
from coolgp.scenarios.plots.style import AFTER, ALL_ROWS, BEFORE
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["AGENTS", "agents_figure", "draw_agents"]


def agents_figure(folder: RunFolder) -> Figure | None:
    """Draw the error of each agent over the rounds, a panel for each; None unless there are two: more are a cloud."""
    probes = folder.probes
    if not len(probes.agents) == folder.network.agents == 2:
        return None
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    draw_agents(figure, folder)
    return figure


def draw_agents(figure: FigureBase, folder: RunFolder) -> None:
    """Draw two agents' errors into a figure or a part of one."""
    probes, some = folder.probes, bool(subset_words(folder.metrics))
    panels = figure.subplots(1, 2, sharey=True)
    marker = "o" if len(probes.rounds) < 2 else ""
    for place, (axes, name) in enumerate(zip(panels, probes.agents, strict=True)):
        before, after = probes.rmse_pre[:, place], probes.rmse_post[:, place]
        axes.plot(probes.rounds, probes.curve_pre[:, place], color=BEFORE, marker=marker, label="before fusion")
        axes.plot(probes.rounds, probes.curve_post[:, place], color=AFTER, marker=marker, label="after fusion")
        if some:
            axes.plot(probes.rounds[-1:], before[-1:], color=BEFORE, **ALL_ROWS)
            axes.plot(probes.rounds[-1:], after[-1:], color=AFTER, **ALL_ROWS)
        axes.set_title(f"Agent {name}: {before[-1]:.4g} before, {after[-1]:.4g} after, in the last round")
        axes.set_xlabel("round of learning")
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    unit = f" ({folder.unit})" if folder.unit else ""
    panels[0].set_ylabel(f"RMSE of {folder.target}{unit}")
    panels[0].legend()
    if some:
        words = "Lines: the same test rows in each round; diamonds and titles: all test rows."
        figure.supxlabel(words, fontsize="small", color="0.35")


AGENTS = Drawing(
    agents_figure,
    "The test error of each of two agents, from its own observations alone and after fusion, on the same test rows in "
    "each round; diamonds and titles are over all test rows.",
    when="two agents",
)
