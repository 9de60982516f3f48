"""How fusing went where the network fails or the sum is only approached: error, agents counted, messages lost."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.records.guarantee import with_exchange
from coolgp.scenarios.records.run_folder import RunFolder
from coolgp.scenarios.records.tables import Columns

__all__ = ["FUSION", "fusion_figure"]

SEEN, LOST = "#0072B2", "#D55E00"
EXACT = 1e-9
"""Sums this close count as exact: there is nothing to draw."""


def fusion_figure(folder: RunFolder) -> Figure | None:
    """Draw the distance from the exact sum, who was there and counted, and what was lost; None if all went well."""
    metrics, size = folder.metrics, folder.network.graph.size
    heard = with_exchange(metrics["communication_rounds"])
    error, away = np.nan_to_num(metrics["fusion_error"][heard]), metrics["present"] < size
    if not ((error > EXACT).any() or away.any() or (metrics["lost"] > 0).any()):
        return None
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    distance, agents, messages = figure.subplots(1, 3)
    _draw_error(distance, metrics)
    _draw_agents(agents, metrics)
    _draw_messages(messages, metrics)
    for axes in (distance, agents, messages):
        axes.set_xlabel("round of learning")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    words = "Distance: root mean square over agents, relative to what they contributed. Counted: mean over the probes."
    figure.supxlabel(words, fontsize="small", color="0.35")
    return figure


def _draw_error(axes: Axes, metrics: Columns) -> None:
    axes.set_title("Distance from the exact sum")
    heard = with_exchange(metrics["communication_rounds"])
    error = np.maximum(metrics["fusion_error"][heard], 1e-17)
    if np.isfinite(error).any():
        axes.semilogy(metrics["round"][heard], error, color=SEEN, marker="o", markersize=3)
        low, high = np.floor(np.log10(np.nanmin(error))), np.ceil(np.log10(np.nanmax(error)))
        axes.set_ylim(10.0**low, 10.0 ** max(high, low + 1))
        if high - low <= 1:  # one power of ten: what lies between needs numbers of its own
            axes.yaxis.set_minor_formatter("{x:.1g}")
            axes.yaxis.set_major_formatter("{x:.1g}")
    axes.set_ylabel("relative distance")


def _draw_agents(axes: Axes, metrics: Columns) -> None:
    axes.set_title("Agents")
    axes.step(metrics["round"], metrics["present"], where="mid", color="0.55", label="in the network")
    axes.plot(metrics["round"], metrics["counted"], color=SEEN, marker="o", markersize=3, label="counted in the sum")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower left")


def _draw_messages(axes: Axes, metrics: Columns) -> None:
    axes.set_title("Messages a round of learning")
    sent, lost = (metrics[name] / np.diff(metrics["round"], prepend=0.0) for name in ("messages", "lost"))
    axes.fill_between(metrics["round"], sent, color="0.8", linewidth=0, label="sent")
    axes.plot(metrics["round"], lost, color=LOST, marker="o", markersize=3, label="lost")
    axes.set_ylim(bottom=0, top=1.25 * max(float(np.nanmax(sent)), 1))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.legend(loc="upper right", ncols=2)


FUSION = Drawing(
    fusion_figure,
    "Fusion on a network that fails, or by a rule that approaches the sum: the distance of the agents' sums from the "
    "sum over all agents, the agents in the network and those that the probes counted, the messages sent and lost.",
    when="agents are absent, messages are lost, or sums are not exact",
    needs=("communication_rounds", "fusion_error", "present", "counted", "messages", "lost"),
)
