"""How all figures look, and how they are written.

Blue is after fusion and orange before it, in every figure; the two are told apart under all common colour blindnesses.
"""

from __future__ import annotations

import io
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rcParams, style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.ticker import FixedLocator, Formatter, Locator, LogFormatterMathtext, MaxNLocator

from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.base.files import write_whole

__all__ = [
    "AFTER",
    "ALL_ROWS",
    "BEFORE",
    "LINES",
    "NEUTRAL",
    "STYLE",
    "band",
    "check_picture_path",
    "house_style",
    "round_ticks",
    "save_picture",
    "with_unit",
]

BEFORE, AFTER, NEUTRAL = "#D55E00", "#0072B2", "#555555"
LINES = (
    ("#0072B2", "o"), ("#009E73", "s"), ("#56B4E9", "^"), ("#CC79A7", "D"), ("#D55E00", "v"), ("#E69F00", "P"),
    ("#555555", "X"), ("#8C6BB1", "<"), ("#A6761D", ">"), ("#000000", "*"),
    ("#882255", "h"), ("#999933", "p"),
)  # fmt: skip
"""Colours told apart under the common colour blindnesses, each with a mark of its own."""
ALL_ROWS: dict[str, Any] = {"marker": "D", "markersize": 6, "markerfacecolor": "none", "linestyle": "none"}
"""The mark of an error over all test rows, beside a curve over a part of them."""
COMPRESSION = 3
"""Of PNG files: at 6, the default, they are as large and take half as long again to write."""
RAISED = str.maketrans("-−0123456789", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # else every draw and layout looks for what may stand above the axes, for a sixth of the time
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "0.5",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.92",
    "xtick.color": "0.3",
    "ytick.color": "0.3",
    "legend.frameon": False,
    "figure.facecolor": "white",
    "figure.constrained_layout.w_pad": 0.12,
    "figure.constrained_layout.h_pad": 0.1,
    "text.parse_math": False,  # names of the user's are no markup
    "savefig.dpi": 150,
}


def house_style() -> AbstractContextManager[None]:
    """The style that figures are drawn and saved in, whatever the user's own is."""
    context: AbstractContextManager[None] = style.context(["default", STYLE])
    return context


def band(axes: Axes, x: Floats, mean: Floats, std: Floats, colour: str, label: str) -> None:
    """Draw means as a line in a band of one standard deviation to either side; NaN is no band."""
    width = np.nan_to_num(std, nan=0.0)
    if len(x) < 2:  # a band needs two points
        axes.errorbar(x, mean, width if width.any() else None, color=colour, fmt="o", capsize=4, label=label)
        return
    axes.fill_between(x, mean - width, mean + width, color=colour, alpha=0.2, linewidth=0)
    axes.plot(x, mean, color=colour, linewidth=1.8, marker="o", markersize=3.5, label=label)


def round_ticks(places: Floats | Ints, count: int) -> Locator:
    """Ticks at whole numbers, so many at most; at the place itself where there is one alone."""
    return MaxNLocator(count, integer=True) if len(places) > 1 else FixedLocator(places.tolist())


def with_unit(words: str, unit: str) -> str:
    """Words with the unit behind them, if there is one."""
    return f"{words} ({unit})" if unit else words


def check_picture_path(path: Path) -> None:
    """Refuse a name that does not end in .png, and a folder that is not there. Raises ValueError."""
    if path.suffix.lower() != ".png":
        raise ValueError(f"--out needs a file that ends in .png; got {path}")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"{path}: there is no folder {path.absolute().parent}")


def save_picture(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG file, replaced whole: drawn once, where ``Figure.savefig`` draws twice for a layout."""
    dpi, image = rcParams["savefig.dpi"], io.BytesIO()
    figure.set_dpi(dpi)
    for axes in figure.axes:
        _without_markup(axes)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    imsave(image, canvas.buffer_rgba(), format="png", dpi=dpi, pil_kwargs={"compress_level": COMPRESSION})
    write_whole(path, image.getvalue())


class PlainLog(Formatter):
    """Labels of a logarithmic axis without markup: 10², 2×10⁻³, and none where there would be too many."""

    def __init__(self, marked: LogFormatterMathtext) -> None:
        self.marked = marked

    def __call__(self, value: float, place: int | None = None) -> str:
        """The label of a tick, empty where it has none."""
        return plain_power(self.marked(value, place))

    def set_locs(self, locs: Any) -> None:
        """Take up where ticks are, which decides on the labels of minor ones."""
        self.marked.set_locs(locs)


def plain_power(label: str) -> str:
    """A power in matplotlib's markup as plain text.

    >>> plain_power(r"$\\mathdefault{2\\times10^{-3}}$")
    '2×10⁻³'
    """
    inner = re.sub(r"^\$\\mathdefault\{(.*)\}\$$", r"\1", label).replace(r"\times", "×")
    return re.sub(r"\^\{([-−\d]*)\}", lambda power: power[1].translate(RAISED), inner)


def _without_markup(axes: Axes) -> None:
    """Let a logarithmic axis have plain labels."""
    for axis in (axes.xaxis, axes.yaxis):
        major, minor = axis.get_major_formatter(), axis.get_minor_formatter()
        if isinstance(major, LogFormatterMathtext):
            axis.set_major_formatter(PlainLog(major))
        if isinstance(minor, LogFormatterMathtext):
            axis.set_minor_formatter(PlainLog(minor))
