"""Laws of what is made from a run folder: figures and report come from its files alone, whatever the run was like."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from time import perf_counter
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from coolgp.fusion.registry import RULES
from coolgp.network.graphs.connectivity import spanning_tree
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import from_edges
from coolgp.scenarios.metrics.column import METRICS
from coolgp.scenarios.metrics.rows import header
from coolgp.scenarios.plots import convergence
from coolgp.scenarios.plots import run_report as report
from coolgp.scenarios.plots.agents import agents_figure
from coolgp.scenarios.plots.field import regular_grid
from coolgp.scenarios.plots.network import layout, network_figure
from coolgp.scenarios.plots.relevance import relevances, relevances_figure
from coolgp.scenarios.plots.reliability import (
    LEVELS,
    forecasts,
    reliability_figure,
    reliability_figure_of,
    share_inside,
)
from coolgp.scenarios.plots.run_figures import draw_all
from coolgp.scenarios.plots.run_report import headline, write_report
from coolgp.scenarios.plots.style import LINES
from coolgp.scenarios.records.network import Network
from coolgp.scenarios.records.run_folder import RunFolder, read_run

from tests.scenarios.plots.made_runs import read_rows, write_rows

PNG = b"\x89PNG\r\n\x1a\n"
Make = Callable[..., Path]


def blank(path: Path, *names: str) -> None:
    header, *rows = read_rows(path)
    lost = [header.index(name) for name in names if name in header]
    write_rows(path, header, [["" if i in lost else cell for i, cell in enumerate(row)] for row in rows])


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


# Reading -------------------------------------------------------------------------------------------------------------


def test_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"not a run folder: it lacks config\.toml, env\.json, guarantee\.json"):
        read_run(tmp_path)
    with pytest.raises(ValueError, match="there is no such folder"):
        read_run(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["predictions.npz", "metrics.csv"])
def test_an_unfinished_run_names_what_it_lacks(make: Make, name: str) -> None:
    folder = make()
    (folder / name).unlink()
    with pytest.raises(ValueError, match=f"not a finished run folder: it lacks {re.escape(name)}"):
        read_run(folder)


@pytest.mark.parametrize(
    "name, content, complaint",
    [
        ("metrics.csv", b"", "lacks the columns round"),
        ("metrics.csv", ",".join(header(METRICS)).encode() + b"\n", "has no rows"),
        ("metrics.csv", ",".join(header(METRICS)).encode() + b"\n1,2\n", "is cut off: row 2 needs 34 cells"),
        ("probes.csv", b"round,agent,rmse_pre,rmse_post\n1,other,1,1\n", "probe agents differ"),
        ("hyperparameters.csv", b"round,bound\n1,high\n", "column bound: needed numbers"),
        ("predictions.npz", b"text", "cannot be read as arrays"),
        ("env.json", b"{", "env.json cannot be read"),
        ("config.toml", b"[data]\nsauce = 1\n", "sauce"),
    ],
)
def test_a_damaged_file_is_named(make: Make, name: str, content: bytes, complaint: str) -> None:
    folder = make()
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=complaint) as caught:
        read_run(folder)
    assert name in str(caught.value)


def test_probes_are_in_the_order_of_the_predictions(make: Make) -> None:
    path = make()
    straight = read_run(path).probes
    header, *rows = read_rows(path / "probes.csv")
    write_rows(path / "probes.csv", header, rows[::-1])
    turned = read_run(path).probes
    assert turned.agents == straight.agents
    np.testing.assert_array_equal(turned.rmse_pre, straight.rmse_pre)


# Figures -------------------------------------------------------------------------------------------------------------


def test_figures_are_whole_files_in_the_folder(make: Make) -> None:
    folder = read_run(make())
    drawn = draw_all(folder)
    assert sorted(drawn) == ["convergence", "network", "profiles", "relevances", "reliability"]
    assert all(path == folder.path / f"{name}.png" for name, path in drawn.items())
    assert all(path.read_bytes().startswith(PNG) for path in drawn.values())
    assert not list(folder.path.glob(".*"))


def test_two_agents_errors_over_all_rows_are_marked_where_curves_are_over_a_part(make: Make) -> None:
    """The titles hold the errors over all rows: without marks they would contradict the curves."""
    path = make(agents=2, probes=2, kind="complete")
    whole = agents_figure(read_run(path))
    header, *rows = read_rows(path / "metrics.csv")
    place = header.index("test_rows")
    for row in rows[:-1]:
        row[place] = "500"
    write_rows(path / "metrics.csv", header, rows)
    folder = read_run(path)
    part = agents_figure(folder)
    assert whole is not None
    assert part is not None
    for agent, (before, after) in enumerate(zip(whole.axes, part.axes, strict=True)):
        marks = [line for line in after.lines if line.get_marker() == "D"]
        assert len(before.lines) == 2
        assert len(after.lines) == 4
        ends = [errors[-1:, agent] for errors in (folder.probes.rmse_pre, folder.probes.rmse_post)]
        np.testing.assert_array_equal([mark.get_ydata() for mark in marks], ends)


def test_a_field_is_drawn_where_its_truth_is_known_on_a_grid(make: Make) -> None:
    assert "field" in draw_all(read_run(make(source="field")))


def test_drawing_leaves_the_settings_of_matplotlib_alone(make: Make) -> None:
    before = dict(matplotlib.rcParams)
    draw_all(read_run(make()))
    assert dict(matplotlib.rcParams) == before


def test_a_grid_is_recognised_in_any_order_and_only_when_full() -> None:
    x = np.stack(np.meshgrid(np.arange(4.0), np.arange(3.0)), axis=-1).reshape(-1, 2)
    shuffled = x[np.random.default_rng(0).permutation(len(x))]
    grid = regular_grid(shuffled)
    assert grid is not None
    np.testing.assert_array_equal(grid.image(shuffled[:, 0]), np.tile(np.arange(4.0), (3, 1)))
    assert regular_grid(x[1:]) is None
    assert regular_grid(x**2) is None
    assert regular_grid(np.column_stack([x, x[:, 0]])) is None


def test_the_typical_probe_improves_by_the_median(make: Make) -> None:
    folder = read_run(make(probes=7))
    gain = folder.probes.rmse_pre[-1] - folder.probes.rmse_post[-1]
    assert gain[folder.probes.typical] == np.median(gain)


@pytest.mark.parametrize("kind", ["random-regular", "random-tree", "star", "complete", "scale-free", "erdos-renyi"])
@pytest.mark.parametrize("size", [2, 30, 1000])
def test_every_agent_has_a_place_of_its_own(kind: str, size: int) -> None:
    graph = generate(kind, size, 0)
    started = perf_counter()
    place = layout(Network(graph, spanning_tree(graph), np.array([0])))
    assert perf_counter() - started < 3
    assert np.isfinite(place).all()
    assert len(np.unique(place.round(9), axis=0)) == size


def test_a_graph_in_pieces_is_laid_out() -> None:
    i = np.arange(998)
    graph = from_edges(i[i % 3 > 0], i[i % 3 > 0] + 1, 999)
    place = layout(Network(graph, from_edges([], [], 999), np.array([0])))
    assert len(np.unique(place.round(9), axis=0)) == 999


def curves(figure: Figure) -> dict[str, np.ndarray]:
    return {str(line.get_label()): np.asarray(line.get_ydata()) for line in figure.axes[0].lines[1:]}  # the diagonal


def test_the_reliability_of_a_run_is_drawn_before_and_after_fusion_with_its_scores(make: Make) -> None:
    folder = read_run(make())
    figure, told = reliability_figure(folder), folder.predictions
    for shown, forecast in zip(curves(figure).values(), forecasts(told), strict=True):
        np.testing.assert_array_equal(shown, share_inside(forecast, told))
    words = figure.get_supxlabel()
    for part in ("Before fusion: NLPD", "After fusion: NLPD", "CRPS", " min, ", "50 / 90 / 95 %", "8 probe agents"):
        assert part in words


def test_reliabilities_of_many_rules_are_pooled_over_their_runs(make: Make) -> None:
    first, other, alone = (read_run(make(probes=probes)) for probes in (8, 3, 5))
    shares = [share_inside(forecasts(run.predictions)[1], run.predictions) for run in (first, other, alone)]
    figure = reliability_figure_of({"flights": {"tree": [first, other], "none": [alone]}, "field": {"none": [other]}})
    drawn = list(curves(figure).values())
    np.testing.assert_allclose(drawn[0], (shares[0] + shares[1]) / 2 - LEVELS, atol=1e-12)
    np.testing.assert_allclose(drawn[1], shares[2] - LEVELS, atol=1e-12)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["tree", "none"]
    assert [axes.get_title() for axes in figure.axes] == ["flights", "field"]
    colours = {axes.lines[-1].get_color() for axes in figure.axes}
    assert len(colours) == 1  # a rule looks the same in all panels
    assert "1–2 runs" in figure.get_supxlabel()


@pytest.mark.parametrize("runs, named", [({}, "any"), ({"flights": {"tree": []}}, "flights, tree")])
def test_a_line_without_a_run_is_refused(runs: dict[str, dict[str, list[RunFolder]]], named: str) -> None:
    with pytest.raises(ValueError, match=f"needs a run for each line; got none for {named}"):
        reliability_figure_of(runs)


def write_lengthscales(folder: Path, **scales: float) -> RunFolder:
    """Make the inputs these, with these length-scales in all rounds, each with a tenth of it as its deviation."""
    header = ["round", *(f"lengthscale_{name}{part}" for name in scales for part in ("", "_std"))]
    row = [part for scale in scales.values() for part in (scale, scale / 10)]
    write_rows(folder / "hyperparameters.csv", header, ([t, *row] for t in range(1, 7)))
    with np.load(folder / "predictions.npz") as stored:
        arrays = dict(stored)
    np.savez(folder / "predictions.npz", **arrays | {"x_test": np.zeros((50, len(scales)))})
    return read_run(folder)


def test_the_relevance_of_an_input_is_one_over_its_lengthscale_and_the_largest_comes_first(make: Make) -> None:
    folder = write_lengthscales(make(), x0=2.0, width_std=0.5, x2=1.0)
    found = relevances(folder)
    assert {name: (mean[-1], std[-1]) for name, (mean, std) in found.items()} == {
        "x0": (0.5, pytest.approx(0.05)),
        "width_std": (2.0, pytest.approx(0.2)),
        "x2": (1.0, pytest.approx(0.1)),
    }
    figure = relevances_figure(folder)
    assert figure is not None
    bars = figure.axes[1]
    assert [bar.get_width() for bar in bars.containers[-1]] == [2.0, 1.0, 0.5]  # type: ignore[union-attr]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["width_std", "x2", "x0"]


def test_of_many_inputs_the_most_relevant_are_named(make: Make) -> None:
    figure = relevances_figure(write_lengthscales(make(), **{f"x{i}": 1.0 + i for i in range(25)}))
    assert figure is not None
    assert [label.get_text() for label in figure.axes[1].get_yticklabels()] == [f"x{i}" for i in range(len(LINES))]
    assert f"all but the {len(LINES)} most relevant of 25 inputs" in figure.get_supxlabel()
    assert len(figure.axes[0].lines) == 25


@pytest.mark.parametrize("mode, drawn", [("fixed", False), ("local", True)])
def test_one_input_has_a_relevance_to_draw_where_it_is_learned(make: Make, mode: str, drawn: bool) -> None:
    path = make(f"agents.hyperparameters={mode}")
    assert (relevances_figure(write_lengthscales(path, x0=2.0)) is not None) is drawn


# Report --------------------------------------------------------------------------------------------------------------


def test_the_report_needs_nothing_but_itself(make: Make) -> None:
    path = write_report(read_run(make(source="field")))
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert not page.open
    assert len(page.links) == 6
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    assert "://" not in re.sub(r"data:image/png;base64,[^\"]*", "", text)
    assert "&lt;b&gt;" in text


def test_every_rule_is_said_in_words() -> None:
    words = {name: report._rule_words(name) for name in RULES}
    assert words["grbcm"] == "generalised robust Bayesian committee machine"
    assert all(" " in said and len(said) < 80 for said in words.values()), words


def test_the_headline_carries_the_numbers(make: Make) -> None:
    text = headline(read_run(make()))
    for part in (
        "60 agents",
        "7,200 observations in 6 rounds",
        "arrival delay",
        " min",
        "times smaller",
        "708 messages",
    ):
        assert part in text


@pytest.mark.parametrize("size, warned", [("1.2", True), ("15", False), ("", False)])
def test_importance_weights_that_rest_on_one_sample_are_warned_of(make: Make, size: str, warned: bool) -> None:
    path = make()
    table = path / "hyperparameters.csv"
    header, *rows = read_rows(table)
    column = header.index("effective_sample_size")
    write_rows(table, header, [[*row[:column], size, *row[column + 1 :]] for row in rows])
    assert ("Caution." in write_report(read_run(path), {}).read_text(encoding="utf-8")) is warned


@pytest.mark.parametrize(
    "options, blanks",
    [
        ({"probes": 1}, ()),
        ({"rounds": 1}, ()),
        ({"rounds": 1, "probes": 1, "source": "field"}, ("rmse_pre_std", "rmse_post_std")),
        ({"rule": "none"}, ()),
        ({"agents": 2, "probes": 2}, ()),
        ({"agents": 1, "probes": 1, "kind": "star"}, ()),
        ({"rounds": 40}, ("nlpd_pre", "nlpd_post", "crps_post", "coverage50_post", "coverage95_post", "disagreement")),
        ({}, header(METRICS)[2:]),
    ],
    ids=[
        "one probe",
        "one round",
        "one of each",
        "no fusion",
        "two agents",
        "one agent",
        "no variances",
        "nothing measured",
    ],
)
def test_poor_runs_are_reported_too(make: Make, options: dict[str, Any], blanks: tuple[str, ...]) -> None:
    path = make(**options)
    blank(path / "metrics.csv", *blanks)
    text = write_report(read_run(path)).read_text(encoding="utf-8")
    assert not Page(text).open
    assert "nan" not in re.sub(r"data:image/png;base64,[^\"]*", "", text).lower()


@pytest.mark.parametrize("kind", ["small-world", "random-regular"])
def test_a_large_network_is_drawn_in_part_and_says_so(make: Make, kind: str) -> None:
    caption = network_figure(read_run(make(agents=6002, kind=kind))).get_supxlabel()
    assert "Drawn: 1,5" in caption


def test_rounds_along_the_top_keep_apart_where_agents_run_out_of_rows() -> None:
    rounds = np.arange(1.0, 48.0)
    seen = np.cumsum(np.maximum(84 - 4 * rounds, 2))
    axes = Figure().subplots()
    axes.plot(seen, rounds)
    convergence._count_rounds(axes, seen, rounds)
    ticks = axes.child_axes[0].get_xticks()
    assert ticks[0] == seen[-1]
    assert np.abs(np.diff(ticks)).min() > np.ptp(seen) / 14
