"""The error of every probe agent over the rounds, and how much agents differ."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.plots.style import AFTER, BEFORE, round_ticks, with_unit
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["PROFILES", "profiles_figure", "spread_words"]


def profiles_figure(folder: RunFolder) -> Figure:
    """Draw the error of every probe agent, before and after fusion, over the rounds, and both at the last round."""
    probes = folder.probes
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    history, last = figure.subplots(1, 2, sharey=True, width_ratios=[3.2, 1])
    marker = "o" if len(probes.rounds) < 2 else ""
    for errors, label, colour in (
        (probes.curve_pre, "before fusion", BEFORE),
        (probes.curve_post, "after fusion", AFTER),
    ):
        lines = history.plot(probes.rounds, errors, color=colour, linewidth=1, alpha=0.65, marker=marker)
        lines[0].set_label(f"{label}, one line for each of {len(lines)} agents" if len(lines) > 1 else label)
    history.set(xlabel="round of learning", ylabel=with_unit(f"RMSE of {folder.target}", folder.unit))
    history.xaxis.set_major_locator(round_ticks(probes.rounds, 10))
    history.set_title(_spread_title(folder))
    history.legend()
    ends = np.stack([probes.rmse_pre[-1], probes.rmse_post[-1]])
    last.plot([0, 1], ends, color="0.75", linewidth=0.8, zorder=1)
    for place, colour in enumerate((BEFORE, AFTER)):
        last.scatter(np.full(ends.shape[1], place), ends[place], s=22, color=colour, alpha=0.7, linewidths=0, zorder=2)
    last.set_xticks([0, 1], ["before", "after"])
    last.set(xlim=(-0.4, 1.4), title=f"Round {probes.rounds[-1]}")
    figure.supxlabel(_caption(folder), fontsize="small", color="0.35")
    return figure


def spread_words(before: float, after: float) -> str:
    """Say how much closer together the agents are after fusion.

    >>> spread_words(1.0, 0.03), spread_words(1.0, 1e-12), spread_words(0.5, 1.0), spread_words(1.0, 0.0097)
    ('33 times smaller', 'more than 1,000 times smaller', '2 times larger', '103 times smaller')
    """
    if not (math.isfinite(before) and math.isfinite(after)) or before == after:
        return "unchanged"
    ratio = max(before, after) / min(before, after) if min(before, after) > 0 else math.inf
    times = "more than 1,000" if ratio >= 999.5 else f"{ratio:.{3 if ratio >= 100 else 2}g}"
    return f"{times} times {'smaller' if after < before else 'larger'}"


def _spread_title(folder: RunFolder) -> str:
    before, after = (float(folder.metrics[f"rmse_{when}_std"][-1]) for when in ("pre", "post"))
    if len(folder.probes.agents) < 2 or not (math.isfinite(before) and math.isfinite(after)):
        return "Error of the probe agents"
    unit = f" {folder.unit}" if folder.unit else ""
    left = f"{after:.2g}" if after >= 1e-3 * before else f"under {1e-3 * before:.1g}"
    return f"Spread over agents: {before:.3g}{unit} before fusion, {left}{unit} after"


def _caption(folder: RunFolder) -> str:
    if len(folder.probes.agents) < 2:
        return "One agent was evaluated."
    ratio = spread_words(*(float(folder.metrics[f"rmse_{when}_std"][-1]) for when in ("pre", "post")))
    return f"Spread: standard deviation of the RMSE over the probe agents, at the last round; {ratio} after fusion."


PROFILES = Drawing(
    profiles_figure,
    "The test error of each probe agent, from its own observations alone and after fusion. Where the lines after "
    "fusion coincide, agents that observed different data have the same model.",
    needs=("rmse_pre_std", "rmse_post_std"),
)
