"""What `paper-fig3` leaves: tables of errors and seconds, the figure of them, and what it says beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.base.files import write_table, write_whole
from coolgp.scenarios.experiments.timing import CENTRAL, TimingCurve
from coolgp.scenarios.plots.style import AFTER, BEFORE, LINES, house_style, save_picture

__all__ = ["AGENTS", "FILES", "write_race"]

FILES = ("times.csv", "agents.csv", "race.png", "report.md")
AGENTS = {"fixed": "COOL-GP, an agent", "local": "COOL-GP, an agent that learns hyper-parameters"}
"""By what becomes of the hyper-parameters."""
AGENT = AGENTS["fixed"]
PAPER = {CENTRAL["dtc"]: 445.0, CENTRAL["pitc"]: 1145.0, AGENT: 13.0}
"""Seconds in the paper, on its traffic data: 100 agents, 30 batches each, 6,000 rows in all."""
Courses = Mapping[str, TimingCurve]
Crowds = Mapping[int, Sequence[TimingCurve]]
"""By the number of agents, a course for each seed."""


def write_race(folder: Path, courses: Courses, crowds: Crowds) -> str:
    """Write `FILES` into the folder; what to tell the user."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "times.csv", _times(courses))
    write_table(folder / "agents.csv", _agents(crowds))
    with house_style():
        save_picture(_figure(courses, crowds), folder / "race.png")
    write_whole(folder / "report.md", _report(courses, crowds).encode())
    return f"report: {folder / 'report.md'}; figure: {folder / 'race.png'}"


def _times(courses: Courses) -> list[dict[str, object]]:
    columns = ("method", "points", "seconds", "rmse")
    return [
        dict(zip(columns, (name, *row), strict=True))
        for name, course in courses.items()
        for row in zip(course.points, course.seconds, course.error, strict=True)
    ]


def _agents(crowds: Crowds) -> list[dict[str, object]]:
    """Repeats in the order of their seeds."""
    columns = ("agents", "repeat", "points", "seconds", "rmse_pre", "rmse_post")
    return [
        dict(zip(columns, (count, repeat, *(part[-1] for part in _parts(course))), strict=True))
        for count, several in crowds.items()
        for repeat, course in enumerate(several)
    ]


def _parts(course: TimingCurve) -> tuple[Floats, ...]:
    return course.points, course.seconds, course.alone, course.error


def _figure(courses: Courses, crowds: Crowds) -> Figure:
    figure = Figure(figsize=(13.4, 4.6), layout="constrained")
    times, errors, seconds = figure.subplots(1, 3, width_ratios=[1.7, 1, 1])
    for (name, course), (colour, mark) in zip(courses.items(), LINES, strict=False):
        times.plot(course.points, course.seconds, color=colour, marker=mark, markersize=3.5, label=name)
    times.set(title="Learning", xlabel="rows of all agents", ylabel="seconds since the start", yscale="log")
    times.xaxis.set_major_formatter("{x:,.0f}")
    figure.legend(*times.get_legend_handles_labels(), loc="outside lower left", ncols=2)
    for part, label, colour in ((2, "before fusion", BEFORE), (3, "after fusion", AFTER)):
        _against_agents(errors, crowds, part, colour, label)
    errors.set(title="Error after the last batch", ylabel="RMSE of speed (km/h)")
    errors.legend()
    _against_agents(seconds, crowds, 1, AFTER, "")
    seconds.set(title="Seconds of an agent", ylabel="seconds, all batches")
    seconds.set_ylim(bottom=0)
    repeats = len(next(iter(crowds.values())))
    words = f"Middle and right: means over {repeats} seeds; bars: their extremes."
    figure.supxlabel(words, x=0.98, ha="right", fontsize="small", color="0.35")
    return figure


def _against_agents(axes: Axes, crowds: Crowds, part: int, colour: str, label: str) -> None:
    """Mean and extremes over seeds of one of `_parts` at the end."""
    ends = np.array([[_parts(course)[part][-1] for course in several] for several in crowds.values()])
    mean = ends.mean(axis=1)
    reach = np.abs(np.stack([ends.min(axis=1), ends.max(axis=1)]) - mean)
    axes.errorbar(list(crowds), mean, reach, color=colour, marker="o", markersize=4, capsize=4, label=label)
    axes.set_xticks(list(crowds))
    axes.set_xlabel("agents")


def _report(courses: Courses, crowds: Crowds) -> str:
    """The table beside the paper's, and what differs, in words made from the numbers."""
    agent, again, kept_up = (courses[name] for name in (AGENT, CENTRAL["dtc"], CENTRAL["incremental"]))
    apart = [again.seconds[-1] / kept_up.seconds[-1], kept_up.seconds[-1] / agent.seconds[-1]]
    return f"""# Seconds of COOL-GP and of a centre

{agent.points[-1]:,.0f} rows in {len(agent.points)} rounds. "Times an agent's" are a method's seconds by those of an
agent of COOL-GP whose hyper-parameters are held, as the centre's are.

| method | seconds | times an agent's | in the paper | RMSE |
| --- | --- | --- | --- | --- |
{chr(10).join(_line(name, course, agent) for name, course in courses.items())}

Where these numbers differ from the paper's, and why:

- DTC that is trained again takes {apart[0] * apart[1]:.3g} times an agent's seconds. Training again makes
  {apart[0]:.3g} times of that, for DTC can keep up its sums and then learns online as COOL-GP does; that an agent takes
  in its own rows alone makes the other {apart[1]:.3g} times.
- The paper's seconds are of another machine and other data, and are too many to be without learning the
  hyper-parameters; here they are held, in all lines but the last.
- One core does the work of all agents. An agent's seconds are those of learning and fusion by the number of agents,
  plus those of forming one posterior after each round. Of each round the fastest of three counts.
- After fusion an agent predicts as DTC on all rows does: RMSE {agent.error[-1]:.6g} and {again.error[-1]:.6g}.
{_crowd_words(crowds)}
"""


def _line(name: str, course: TimingCurve, agent: TimingCurve) -> str:
    paper = f"{PAPER[name]:,.0f} s ({PAPER[name] / PAPER[AGENT]:.0f} times)" if name in PAPER else ""
    times = course.seconds[-1] / agent.seconds[-1]
    return f"| {name} | {course.seconds[-1]:.3g} | {times:.3g} | {paper} | {course.error[-1]:.4g} |"


def _crowd_words(crowds: Crowds) -> str:
    """Errors and seconds of the smallest and the largest number of agents."""
    few, many = (
        (count, *np.mean([[part[-1] for part in _parts(course)] for course in crowds[count]], axis=0))
        for count in (min(crowds), max(crowds))
    )
    return f"""- From {few[0]} to {many[0]} agents, each with as many batches, the RMSE goes from {few[4]:.4g} to
  {many[4]:.4g} after fusion, and from {few[3]:.4g} to {many[3]:.4g} before it; an agent takes {few[2]:.3g} s and
  {many[2]:.3g} s. In the paper the error and the seconds fall. Here an agent's own work is the same however many others
  there are: what is shared out over more of them is what the simulator does once a round."""
