"""Names of the user's are drawn as they stand, and logarithmic axes have no markup in their labels."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from coolgp.scenarios.plots.style import house_style, save_picture

NAMES = ["cost $_of_$ it", r"a\b{c}^2_d", "$", r"\$ $^$", "<b>&amp;</b>", "[bold]x[/bold]", "%s {0}"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_drawn_as_it_stands_in_every_place(name: str, tmp_path: Path) -> None:
    with house_style():
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1, 2], [1, 2, 3], label=name)
        axes.set(title=name, xlabel=name, ylabel=name)
        axes.set_xticks([0, 1], [name, name])
        texts = [axes.yaxis.label, axes.xaxis.label, *axes.legend().get_texts(), *axes.get_xticklabels()]
        save_picture(figure, tmp_path / "f.png")
        assert [text._preprocess_math(text.get_text()) for text in texts] == [(name, False)] * len(texts)


@pytest.mark.parametrize("ends, label", [((1e-3, 1e5), "10²"), ((2.0, 5.0), "3×10⁰")])
def test_a_logarithmic_axis_has_plain_labels(ends: tuple[float, float], label: str, tmp_path: Path) -> None:
    with house_style():
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], ends)
        axes.set_yscale("log")
        save_picture(figure, tmp_path / "f.png")
        labels = [text.get_text() for text in axes.get_yticklabels(which="both")]
    assert label in labels
    assert not any("$" in text for text in labels)
