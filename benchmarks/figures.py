"""The figures of the report, drawn from results alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coolgp.scenarios.plots.style import AFTER, BEFORE, NEUTRAL, house_style, save_picture

from benchmarks.measured.update import ROWS, bytes_moved, flops
from benchmarks.results import Result, Row

__all__ = ["FIGURES", "draw"]

COLOURS = {
    "coolgp": AFTER,
    "coolgp, 2 cores": "#56B4E9",
    "coolgp, kernel": "#56B4E9",
    "plain loop": BEFORE,
    "sparse product": "#CC79A7",
    "DISROPT": "#009E73",
}
PEERS = {"gpflow": "#009E73", "gpytorch": "#CC79A7", "scikit-learn": "#E69F00"}
MARKERS = {"coolgp": "o", "coolgp, kernel": "^"}


def draw(results: Mapping[str, Result], folder: Path) -> dict[str, list[str]]:
    """Draw what the results allow; file names by benchmark."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, list[str]] = {}
    for name, (benchmark, plot) in FIGURES.items():
        if benchmark in results:
            with house_style():
                figure = Figure(figsize=(7, 4), layout="constrained")
                plot(figure.subplots(), results[benchmark])
                save_picture(figure, folder / f"performance-{name}.png")
            drawn.setdefault(benchmark, []).append(f"performance-{name}.png")
    return drawn


def _against_m(axes: Axes, result: Result) -> None:
    """Microseconds of an update against m, for the largest batch, float64."""
    most = max(int(row.case["B"]) for row in result.measurement.rows)
    rows = [row for row in result.measurement.rows if row.case["B"] == most and row.case["dtype"] == "float64"]
    for who in dict.fromkeys(row.who for row in rows):
        mine = [row for row in rows if row.who == who]
        colour = (COLOURS | PEERS).get(who, NEUTRAL)
        axes.plot([row.case["m"] for row in mine], [1e6 / row.value for row in mine], "o-", color=colour, label=who)
    bound = [row for row in rows if row.who == "coolgp" and row.limit]
    limits = [1e6 / row.limit for row in bound if row.limit]
    axes.plot([row.case["m"] for row in bound], limits, ":", color=NEUTRAL, label="the machine's limit")
    axes.set_xticks(sorted({int(row.case["m"]) for row in rows}))
    axes.set(xlabel="inducing points m", ylabel="µs per agent-update", yscale="log", title=f"One update, B = {most}")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _roofline(axes: Axes, result: Result) -> None:
    """Operations a second against operations a byte, folded as in a run, under what the machine can do."""
    limits, reach = result.measurement.limits, np.geomspace(0.5, 100, 50)
    most = max(int(row.case["B"]) for row in result.measurement.rows)
    for gemm, dtype, width, colour in (("dgemm", "float64", 8, AFTER), ("sgemm", "float32", 4, BEFORE)):
        roof = np.minimum(limits[gemm], reach * limits["copy"]) / 1e9
        axes.plot(reach, roof, color=colour, label=f"limit: copy, then {gemm}")
        for row in result.measurement.rows:
            m, b = int(row.case["m"]), int(row.case["B"])
            if row.who in MARKERS and row.case["dtype"] == dtype and b == most:
                at, speed = flops(m, ROWS) / bytes_moved(m, ROWS, width), flops(m, b) * row.value / 1e9
                axes.plot(at, speed, MARKERS[row.who], color=colour)
                side = "left" if row.who == "coolgp" else "right"
                axes.annotate(f"  m = {m}  ", (at, speed), fontsize=8, va="center", ha=side)
    for who, marker in MARKERS.items():
        axes.plot([], [], marker, color=NEUTRAL, label=who)
    axes.set(xscale="log", yscale="log", xlabel="flop per byte that must move", ylabel="Gflop/s")
    axes.set_title(f"Updates under the roofline, B = {most}, one core (without exponentials)")
    axes.legend(loc="upper left")


def _averaging(axes: Axes, result: Result) -> None:
    """Rounds a second for each size, and the limit as a line across the bars."""
    rows, names = result.measurement.rows, list(dict.fromkeys(row.who for row in result.measurement.rows))
    cases = list(dict.fromkeys((row.case["N"], row.case["P"]) for row in rows))
    for row in rows:
        place = cases.index((row.case["N"], row.case["P"])) + 0.17 * (names.index(row.who) - len(names) / 2 + 0.5)
        axes.bar(place, row.value, 0.15, color=COLOURS.get(row.who, NEUTRAL))
        if row.limit:
            axes.plot([place - 0.085, place + 0.085], [row.limit] * 2, ":", color="black")
    for name in names:
        words = f"{name}, 2 cores" if name == "DISROPT" else name
        axes.bar(0, 0, color=COLOURS.get(name, NEUTRAL), label=words)
    axes.plot([], [], ":", color="black", label="copy limit")
    axes.set_xticks(range(len(cases)), [f"N={size:,}\nP={width:,}" for size, width in cases])
    axes.set(yscale="log", ylabel="rounds per second", title="Averaging, on one core where nothing else is said")
    axes.legend(loc="upper right", fontsize=9)


def _against_agents(axes: Axes, result: Result) -> None:
    """Microseconds of an agent-round against the number of agents."""
    rows = [row for row in result.measurement.rows if row.what == "learning and fusion"]
    for key in dict.fromkeys((row.case["m"], row.case["ranks"]) for row in rows):
        mine = [row for row in rows if (row.case["m"], row.case["ranks"]) == key]
        low, high = ([getattr(row, end) for row in mine] for end in ("least", "most"))
        place, label = [row.case["N"] for row in mine], f"m = {key[0]}, ranks: {key[1]}"
        (line,) = axes.plot(place, [row.value for row in mine], "o-", label=label)
        axes.vlines(place, low, high, color=line.get_color())
    axes.set(xscale="log", xlabel="agents", ylabel="µs per agent-round", title="Learning and fusion, of one agent")
    axes.set_ylim(bottom=0)
    axes.legend()


def _scaling(axes: Axes, result: Result) -> None:
    """Speed on 2 ranks as a multiple of that on 1; ideal is 2 in both, as weak scaling does twice the work."""
    pairs = {kind: [_learning(result, kind, ranks) for ranks in (1, 2)] for kind in ("strong", "weak")}
    for place, (one, two) in enumerate(pairs.values()):
        if one and two:
            work = int(two.case["N"]) / int(one.case["N"])
            axes.bar(place, work * one.value / two.value, 0.5, color=AFTER)
    axes.axhline(2, ls=":", color="black", label="ideal")
    axes.set_xticks(range(len(pairs)), [f"{kind} scaling" for kind in pairs])
    axes.set(ylabel="speed on 2 ranks against 1", title="Learning and fusion on two ranks")
    axes.legend()


def _learning(result: Result, kind: str, ranks: int) -> Row | None:
    return result.pick(what="learning and fusion", scaling=kind, ranks=ranks)


FIGURES: dict[str, tuple[str, Callable[[Axes, Result], None]]] = {
    "update": ("update", _against_m),
    "roofline": ("update", _roofline),
    "consensus": ("consensus", _averaging),
    "scale": ("scale", _against_agents),
    "ranks": ("ranks", _scaling),
}
