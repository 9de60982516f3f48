"""The figure and the report of the kind "timing", from its run folder: seconds and errors of agents and of a centre.

Axes: `R` rounds, `n` seeds.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.experiments.report import ExperimentFolder, Findings, ResultTable
from coolgp.scenarios.experiments.timing import CENTRAL
from coolgp.scenarios.plots.style import AFTER, BEFORE, LINES

__all__ = ["AGENTS", "METHODS", "findings", "timing_figure"]

AGENTS = {"fixed": "COOL-GP, an agent", "local": "COOL-GP, an agent that learns hyper-parameters"}
"""By the way with hyper-parameters."""
METHODS = CENTRAL | AGENTS
"""What each method is called, by the end of its columns' names; those of "fixed" have none."""
PAPER = {"dtc": 445.0, "pitc": 1145.0, "fixed": 13.0}
"""Seconds in the paper, on its traffic data: 100 agents, 30 batches each, 6,000 rows in all."""
PAPER_SOURCE = "road"
"""The data that stand for the paper's."""
Ends = Mapping[str, Mapping[int, Floats]]
"""By column of ``agents.csv`` and number of agents: the values `[n]` of the seeds."""


def timing_figure(folder: ExperimentFolder) -> Figure:
    """Draw seconds against rows for each method; errors and seconds of an agent against the number of agents."""
    ends, points = _ends(folder.path), folder.metrics["observations"]
    figure = Figure(figsize=(13.4, 4.6), layout="constrained")
    times, errors, seconds = figure.subplots(1, 3, width_ratios=[1.7, 1, 1])
    for (method, words), (colour, mark) in zip(METHODS.items(), LINES, strict=False):
        spent = np.cumsum(folder.metrics[_column("seconds", method)])
        times.plot(points, spent, color=colour, marker=mark, markersize=3.5, label=words)
    times.set(title="Learning", xlabel="rows of all agents", ylabel="seconds since the start", yscale="log")
    times.xaxis.set_major_formatter("{x:,.0f}")
    figure.legend(*times.get_legend_handles_labels(), loc="outside lower left", ncols=2)
    for when, label, colour in (("pre", "before fusion", BEFORE), ("post", "after fusion", AFTER)):
        _against_agents(errors, ends[f"rmse_{when}"], colour, label)
    errors.set(title="Error after the last batch", ylabel=_error_words(folder))
    errors.legend()
    _against_agents(seconds, ends["seconds"], AFTER, "")
    seconds.set(title="Seconds of an agent", ylabel="seconds, all batches")
    seconds.set_ylim(bottom=0)
    seeds = len(next(iter(ends["seconds"].values())))
    words = f"Middle and right: means over {seeds} seeds; bars: their extremes."
    figure.supxlabel(words, x=0.98, ha="right", fontsize="small", color="0.35")
    return figure


def findings(folder: ExperimentFolder) -> Findings:
    """Seconds and errors of each method, and the reasons for the differences, in words made from the numbers."""
    metrics, paper = folder.metrics, folder.config.data.source == PAPER_SOURCE
    seconds = {method: float(np.sum(metrics[_column("seconds", method)])) for method in METHODS}
    errors = {method: float(metrics[_column("rmse", method)][-1]) for method in METHODS}
    rows, rounds = metrics["observations"][-1], len(metrics["round"])
    again, kept_up = seconds["dtc"] / seconds["incremental"], seconds["incremental"] / seconds["fixed"]
    table = ResultTable(
        title="Seconds of an agent and of a centre",
        header=["method", "seconds", "times an agent's", *["in the paper"] * paper, "RMSE"],
        rows=[_line(method, seconds, errors, paper=paper) for method in METHODS],
        note="“Times an agent's” are a method's seconds divided by those of an agent of COOL-GP with fixed "
        "hyper-parameters, as the centre's are.",
    )
    return Findings(
        f"{rows:,.0f} rows in {rounds} rounds: an agent of COOL-GP learns in {seconds['fixed']:.3g} s, a centre "
        f"that has all rows in {seconds['incremental']:.3g} s where it keeps up its sums, in {seconds['dtc']:.3g} s "
        "where it trains DTC again after each round.",
        (table,),
        (
            f"DTC that is trained again takes {again * kept_up:.3g} times an agent's seconds. Training again makes "
            f"{again:.3g} times of that, for DTC can keep up its sums and then learns online as COOL-GP does; that an "
            f"agent takes in its own rows alone makes the other {kept_up:.3g} times.",
            *_paper_words(paper=paper),
            "One core does the work of all agents. An agent's seconds are those of learning and fusion divided by the "
            "number of agents, plus those of forming one posterior after each round. Of each round the fastest of "
            "three measurements counts.",
            f"After fusion an agent predicts as DTC on all rows does: RMSE {errors['fixed']:.6g} and "
            f"{errors['dtc']:.6g}.",
            _agents_words(_ends(folder.path)),
        ),
    )


def _column(metric: str, method: str) -> str:
    if method == "fixed":
        return {"seconds": "seconds", "rmse": "rmse_post"}[metric]
    return f"{metric}_{method}"


def _ends(path: Path) -> Ends:
    """How agents ended, from ``agents.csv``. Raises ValueError where it cannot be read."""
    ends = dict[str, dict[int, list[float]]]()
    try:
        with (path / "agents.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                for name in ("seconds", "rmse_pre", "rmse_post"):
                    ends.setdefault(name, {}).setdefault(int(row["agents"]), []).append(float(row[name]))
    except OSError as problem:
        raise ValueError(f"{path / 'agents.csv'} cannot be read: {problem.strerror}") from problem
    except (ValueError, KeyError, TypeError) as problem:
        raise ValueError(f"{path / 'agents.csv'} is not that of a timing: {problem}") from problem
    if not ends:
        raise ValueError(f"{path / 'agents.csv'} has no rows")
    return {name: {count: np.array(values) for count, values in groups.items()} for name, groups in ends.items()}


def _error_words(folder: ExperimentFolder) -> str:
    source = source_named(folder.config.data.source)
    words = f"RMSE of {source.target_words or folder.config.data.target or 'target'}"
    return f"{words} ({source.unit})" if source.unit else words


def _against_agents(axes: Axes, ends: Mapping[int, Floats], colour: str, label: str) -> None:
    """Mean and extremes over seeds, by the number of agents."""
    mean = np.array([values.mean() for values in ends.values()])
    reach = np.abs(np.array([[values.min(), values.max()] for values in ends.values()]).T - mean)
    axes.errorbar(list(ends), mean, reach, color=colour, marker="o", markersize=4, capsize=4, label=label)
    axes.set_xticks(list(ends))
    axes.set_xlabel("agents")


def _line(method: str, seconds: Mapping[str, float], errors: Mapping[str, float], *, paper: bool) -> list[str]:
    published = f"{PAPER[method]:,.0f} s ({PAPER[method] / PAPER['fixed']:.0f} times)" if method in PAPER else ""
    times = f"{seconds[method] / seconds['fixed']:.3g}"
    return [METHODS[method], f"{seconds[method]:.3g}", times, *[published] * paper, f"{errors[method]:.4g}"]


def _paper_words(*, paper: bool) -> list[str]:
    words = (
        "The paper's seconds are of another machine and other data, and are too many to be without learning the "
        "hyper-parameters; here these are fixed, in all lines but the last."
    )
    return [words] * paper


def _agents_words(ends: Ends) -> str:
    """Errors and seconds of the smallest and the largest number of agents."""
    fewest, most = min(ends["seconds"]), max(ends["seconds"])
    first, last = ({name: groups[count].mean() for name, groups in ends.items()} for count in (fewest, most))
    return (
        f"From {fewest} to {most} agents, each with as many batches, the RMSE goes from {first['rmse_post']:.4g} to "
        f"{last['rmse_post']:.4g} after fusion, and from {first['rmse_pre']:.4g} to {last['rmse_pre']:.4g} before it; "
        f"an agent takes {first['seconds']:.3g} s and {last['seconds']:.3g} s. In the paper the error and the seconds "
        "fall. Here an agent's own work is the same however many others there are: what is shared out over more of "
        "them is what the simulator does once a round."
    )
