"""Figures of models trained apart: who has which rows, every agent before and after fusion, rounds, calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coolgp.scenarios.plots.apart.costs import costs_figure
from coolgp.scenarios.plots.apart.folder import Folder, read_rows, score_of, score_words
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.plots.style import AFTER, BEFORE, NEUTRAL, round_ticks

__all__ = ["FIGURES"]

NAMED_AGENTS = 30
"""So many at most are named on an axis."""


def models_figure(folder: Folder) -> Figure:
    """Draw the training rows of every agent, and its score before and after fusion."""
    agents = read_rows(folder.path / "agents.csv")
    names = [" ".join(filter(None, (row["agent"], row.get("model", "")))) for row in agents]
    figure = Figure(figsize=(12.6, max(3.6, 1.6 + 0.3 * min(len(agents), NAMED_AGENTS))), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.1, 1], sharey=True)
    if (folder.path / "shards.csv").is_file():
        _draw_shards(figure, left, read_rows(folder.path / "shards.csv"), len(agents))
    else:
        left.barh(np.arange(len(agents)), [float(row["rows"]) for row in agents], color=NEUTRAL)
        left.set(title="Training rows", xlabel="rows")
    score = score_of(folder)
    before, after = (np.array([float(row[f"{score}_{when}"]) for row in agents]) for when in ("pre", "post"))
    places = np.arange(len(agents))
    right.hlines(places, before, after, color="0.8", linewidth=2, zorder=1)
    right.scatter(before, places, color=BEFORE, s=34, label="its own model", zorder=2)
    right.scatter(after, places, color=AFTER, s=34, marker="D", label=f"fused by {folder.config.fusion.rule}", zorder=3)
    right.set(title="Each agent on the test rows", xlabel=score_words(folder, score))
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=2)
    if len(agents) <= NAMED_AGENTS:
        left.set_yticks(places, names)
    left.set(ylabel="agent", ylim=(len(agents) - 0.5, -0.5))
    return figure


def rounds_figure(folder: Folder) -> Figure | None:
    """Draw the score after each round: mean and worst agent, before and after fusion; None of a single round."""
    rounds = folder.metrics["round"]
    if len(rounds) < 2:
        return None
    score = score_of(folder)
    figure = Figure(figsize=(8.2, 4.4), layout="constrained")
    axes = figure.subplots()
    for when, colour, words in (("pre", BEFORE, "local models"), ("post", AFTER, "fused")):
        axes.plot(rounds, folder.metrics[f"{score}_{when}"], color=colour, marker="o", label=f"{words}, mean")
        worst = folder.metrics[f"{score}_worst_{when}"]
        axes.plot(rounds, worst, color=colour, linestyle="--", marker="v", label=f"{words}, worst agent")
    axes.set(xlabel="round", ylabel=score_words(folder, score))
    axes.xaxis.set_major_locator(round_ticks(rounds, 12))
    axes.legend()
    return figure


def calibration_figure(folder: Folder) -> Figure | None:
    """Draw accuracy against confidence, before and after fusion; None where numbers are predicted."""
    if not (folder.path / "calibration.csv").is_file():
        return None
    rows = read_rows(folder.path / "calibration.csv")
    figure = Figure(figsize=(6.2, 5.4), layout="constrained")
    curve, shares = figure.subplots(2, 1, height_ratios=[3, 1], sharex=True)
    curve.plot([0, 1], [0, 1], color="0.6", linestyle=(0, (4, 3)), linewidth=1)
    for stage, colour, mark, words in (("pre", BEFORE, "o", "local models"), ("post", AFTER, "D", "fused")):
        own = [row for row in rows if row["stage"] == stage]
        share, confidence, right = (
            np.array([float(row[k]) for row in own]) for k in ("share", "confidence", "accuracy")
        )
        filled = share > 0
        curve.plot(confidence[filled], right[filled], color=colour, marker=mark, markersize=5, label=words)
        edges = np.linspace(0, 1, len(share) + 1)
        shares.stairs(share, edges, color=colour, linewidth=1.6)
    curve.set(ylabel="accuracy")
    curve.legend(loc="upper left")
    shares.set(xlabel="confidence: the largest probability", ylabel="share of rows")
    return figure


def _draw_shards(figure: Figure, axes: Axes, rows: list[dict[str, str]], agents: int) -> None:
    """Training rows of each agent and class, darker for more."""
    counts = np.array([float(row["rows"]) for row in rows]).reshape(agents, -1)
    classes = [row["class"] for row in rows[: counts.shape[1]]]
    axes.grid(visible=False)
    image = axes.imshow(counts, aspect="auto", cmap="Blues", vmin=0)
    if counts.size <= 10 * NAMED_AGENTS:
        for (agent, place), count in np.ndenumerate(counts):
            colour = "white" if count > 0.6 * counts.max() else "0.25"
            axes.text(place, agent, f"{count:.0f}", ha="center", va="center", color=colour, fontsize=8)
    else:
        figure.colorbar(image, ax=axes, label="rows")
    if len(classes) <= NAMED_AGENTS:
        axes.set_xticks(np.arange(len(classes)), classes)
    axes.set(title="Training rows of each class", xlabel="class")


FIGURES: dict[str, Drawing[Any]] = {
    "models": Drawing(
        models_figure,
        "Left: the training rows of every agent, by class where classes are predicted. Right: the score of every agent "
        "on the test rows, by its own model and after fusion in the last round.",
    ),
    "rounds": Drawing(
        rounds_figure,
        "The score after each round, mean over agents and of the worst one, of local models and after fusion.",
        "where there are several rounds",
    ),
    "costs": Drawing(
        costs_figure,
        "The score, and the disagreement of the agents where numbers are predicted, against communication rounds, "
        "queries and bytes so far: of local models, and after fusion as the mean over agents and of the worst one. "
        "Thin lines: what simple combinations of the local models score, all answers in one place.",
        "where there are several rounds",
    ),
    "calibration": Drawing(
        calibration_figure,
        "Above: accuracy against confidence, the largest probability of a row, in 15 bins over all agents and test "
        "rows; on the dashed line models are as often right as they say. Below: the share of rows in each bin.",
        "where classes are predicted",
    ),
}
"""By the names of their files."""
