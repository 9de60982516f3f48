"""The figures of the report, drawn from results alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.results import Result, Row
from benchmarks.update import bytes_moved, flops
from coolgp.scenarios.picture import AFTER, BEFORE, NEUTRAL, house_style, save_picture

__all__ = ["FIGURES", "draw"]

COLOURS = {"coolgp": AFTER, "plain loop": BEFORE, "sparse product": "#CC79A7", "DISROPT": "#009E73"}
PEERS = {"gpflow": "#009E73", "gpytorch": "#CC79A7", "scikit-learn": "#56B4E9"}


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
    most = max(int(row.case["B"]) for row in result.found.rows)
    rows = [row for row in result.found.rows if row.case["B"] == most and row.case["dtype"] == "float64"]
    for who in dict.fromkeys(row.who for row in rows):
        mine = [row for row in rows if row.who == who]
        colour = (COLOURS | PEERS).get(who, NEUTRAL)
        axes.plot([row.case["m"] for row in mine], [1e6 / row.value for row in mine], "o-", color=colour, label=who)
    bound = [row for row in rows if row.who == "coolgp" and row.limit]
    limits = [1e6 / row.limit for row in bound if row.limit]
    axes.plot([row.case["m"] for row in bound], limits, ":", color=NEUTRAL, label="the machine's limit")
    axes.set_xticks(sorted({int(row.case["m"]) for row in rows}))
    axes.set(xlabel="inducing points m", ylabel="µs per agent-update", yscale="log", title=f"One update, B = {most}")
    axes.legend()


def _roofline(axes: Axes, result: Result) -> None:
    """Operations a second against operations a byte, under what the machine can do."""
    limits, reach = result.found.limits, np.geomspace(0.1, 100, 50)
    for gemm, dtype, width, colour in (("dgemm", "float64", 8, AFTER), ("sgemm", "float32", 4, BEFORE)):
        roof = np.minimum(limits[gemm], reach * limits["copy"]) / 1e9
        axes.plot(reach, roof, color=colour, label=f"limit: copy, then {gemm}")
        for row in result.found.rows:
            m, b = int(row.case["m"]), int(row.case["B"])
            if row.who == "coolgp" and row.case["dtype"] == dtype and b > 1:
                at = flops(m, b) / bytes_moved(m, b, width)
                axes.plot(at, flops(m, b) * row.value / 1e9, "o", color=colour)
                axes.annotate(f" m={m}, B={b}", (at, flops(m, b) * row.value / 1e9), fontsize=7, va="center")
    axes.set(xscale="log", yscale="log", xlabel="flop per byte that must move", ylabel="Gflop/s")
    axes.set_title("Updates under the roofline, one core (without exponentials)")
    axes.legend()


def _averaging(axes: Axes, result: Result) -> None:
    """Rounds a second for each size, and the limit as a line across the bars."""
    rows, names = result.found.rows, list(dict.fromkeys(row.who for row in result.found.rows))
    cases = list(dict.fromkeys((row.case["N"], row.case["P"]) for row in rows))
    for row in rows:
        place = cases.index((row.case["N"], row.case["P"])) + 0.2 * (names.index(row.who) - len(names) / 2 + 0.5)
        axes.bar(place, row.value, 0.18, color=COLOURS.get(row.who, NEUTRAL))
        if row.limit:
            axes.plot([place - 0.1, place + 0.1], [row.limit] * 2, ":", color="black")
    for name in names:
        axes.bar(0, 0, color=COLOURS.get(name, NEUTRAL), label=name)
    axes.plot([], [], ":", color="black", label="copy limit")
    axes.set_xticks(range(len(cases)), [f"N={size:,}\nP={width:,}" for size, width in cases])
    axes.set(yscale="log", ylabel="rounds per second", title="Averaging on one core; DISROPT on all of them")
    axes.figure.legend(loc="outside lower center", ncols=5)


def _against_agents(axes: Axes, result: Result) -> None:
    """Microseconds of an agent-round against the number of agents."""
    rows = [row for row in result.found.rows if row.what == "learning and fusion"]
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
