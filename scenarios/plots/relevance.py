"""Which inputs matter, as the agents learned it: automatic relevance determination (ARD)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.plots.style import LINES, band
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["RELEVANCES", "relevances", "relevances_figure"]

MOST = len(LINES)
"""Inputs with a colour and a bar of their own."""
Spread = tuple[Floats, Floats]


def relevances_figure(folder: RunFolder) -> Figure | None:
    """Draw the relevance of each input over the rounds, and sorted after the last; None for one that is held fixed."""
    inputs = relevances(folder)
    if not inputs or (len(inputs) == 1 and folder.config.agents.hyperparameters == "fixed"):
        return None
    ranked = sorted(inputs, key=lambda name: -inputs[name][0][-1])
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    history, last = figure.subplots(1, 2, width_ratios=[1.7, 1])
    _draw_history(history, folder.metrics["round"], inputs, ranked)
    fixed = ", fixed" if folder.config.agents.hyperparameters == "fixed" else ""
    history.set_title(f"Relevance of each input{fixed}")
    _draw_last(last, inputs, ranked[:MOST])
    last.set_title(f"Round {folder.metrics['round'][-1]:.0f}")
    figure.supxlabel(_caption(len(folder.probes.agents), len(inputs)), fontsize="small", color="0.35")
    return figure


def relevances(folder: RunFolder) -> dict[str, Spread]:
    """Relevance ``[R]`` of each input and how much it differs over probes: reciprocal length-scales, scaled inputs.

    Of the mean length-scale ``ℓ`` over probes it is ``1/ℓ``, and of their standard deviation ``s`` it is ``s/ℓ²``.
    """
    columns = folder.hyperparameters
    names = {name: f"lengthscale_{name}" for name in folder.features if f"lengthscale_{name}" in columns}
    scales = {name: columns[key] for name, key in names.items() if np.isfinite(columns[key]).all()}
    return {name: (1 / scale, columns[f"{names[name]}_std"] / scale**2) for name, scale in scales.items()}


def _draw_history(axes: Axes, rounds: Floats, inputs: Mapping[str, Spread], ranked: Sequence[str]) -> None:
    for name in ranked[MOST:]:
        band(axes, rounds, *inputs[name], "0.7", "")
    for (colour, _), name in zip(LINES, ranked[:MOST], strict=False):
        band(axes, rounds, *inputs[name], colour, name)
    axes.set(xlabel="round of learning", ylabel="relevance: 1 / length-scale")
    axes.set_ylim(0, 1.06 * max(float(np.nanmax(mean + np.nan_to_num(std))) for mean, std in inputs.values()))
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))


def _draw_last(axes: Axes, inputs: Mapping[str, Spread], names: Sequence[str]) -> None:
    """Bars in the colours of the lines, and so their legend."""
    ends = np.array([(inputs[name][0][-1], inputs[name][1][-1]) for name in names])
    colours = [colour for colour, _ in LINES[: len(names)]]
    axes.barh(names, ends[:, 0], xerr=np.nan_to_num(ends[:, 1]), color=colours, height=0.65, ecolor="0.3")
    axes.set_ylim(max(len(names), 5) - 0.5, -0.5)
    axes.grid(False, axis="y")
    axes.set(xlabel="relevance: 1 / length-scale", xlim=(0, None))


def _caption(probes: int, inputs: int) -> str:
    spread = f"Means over {probes} probe agents; bands and bars: ± one standard deviation over them."
    words = spread if probes > 1 else "One agent was evaluated."
    return f"{words} Grey: all but the {MOST} most relevant of {inputs} inputs." if inputs > MOST else words


RELEVANCES = Drawing(
    relevances_figure,
    "How much each input matters (automatic relevance determination): the relevance of a scaled input is one over its "
    "length-scale. The function hardly depends on an input of relevance near zero.",
    when="several inputs, or a length-scale that is learned",
)
