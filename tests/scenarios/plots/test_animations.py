"""Laws of animations: drawn from a run folder alone, a picture a round, and pages that load nothing from elsewhere."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.image import AxesImage
from PIL import Image
from typer.testing import CliRunner

from coolgp.scenarios import load_scenario, run
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.plots.animations import writers
from coolgp.scenarios.plots.animations.animate import animate
from coolgp.scenarios.plots.animations.animation import Animation, typical_agent
from coolgp.scenarios.plots.animations.attendance import attendance
from coolgp.scenarios.plots.animations.registry import ANIMATIONS
from coolgp.scenarios.records.frames import FRAMES, read_frames
from coolgp.scenarios.records.network import pairs
from coolgp.scenarios.records.run_folder import RunFolder, read_run

ROUNDS = 4
FIELD = {
    "data": {"source": "field", "observations": 20},
    "agents": {"count": 8, "inducing": 9, "batch_size": 4},
    "network": {"topology": "ring", "churn": 0.3, "loss": 0.1},
    "fusion": {"rule": "consensus", "rounds_per_step": 3},
    "run": {"rounds": ROUNDS, "probes": 3, "evaluate_rows": 50, "keep_predictions": True},
}


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pictures, which are drawn in less time."""
    monkeypatch.setattr(writers, "DOTS", 30)


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("field") / "run"
    run(load_scenario(FIELD), folder, figures=False)
    return read_run(folder)


@pytest.fixture(scope="module")
def plain(field: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that kept no predictions, as all of earlier versions are."""
    folder = tmp_path_factory.mktemp("plain") / "run"
    shutil.copytree(field.path, folder, ignore=shutil.ignore_patterns(FRAMES))
    return read_run(folder)


@pytest.mark.parametrize("what", [name for name in ANIMATIONS if name != "road"])
def test_a_gif_has_a_picture_for_each_round(field: RunFolder, tmp_path: Path, what: str) -> None:
    path = animate(field, what, tmp_path / "moving.gif")
    with Image.open(path) as film:
        assert film.n_frames == ROUNDS  # type: ignore[attr-defined]
        pictures = []
        for place in range(ROUNDS):
            film.seek(place)
            pictures.append(np.asarray(film.convert("RGB")))
    assert (pictures[0][0, 0] == 255).all()
    for one, other in pairwise(pictures):
        assert np.abs(one.astype(int) - other).max() > 50


def test_a_page_holds_all_pictures_and_loads_nothing_from_elsewhere(field: RunFolder, tmp_path: Path) -> None:
    page = animate(field, "field", tmp_path / "moving.html").read_text()
    assert len(page) < 5e6
    assert len(set(re.findall(r"data:image/webp;base64,[\w+/=]+", page))) == ROUNDS
    assert not re.findall(r"https?://|//[a-z]|@import|url\(", re.sub(r"base64,[\w+/=]+", "", page))
    assert all(source.startswith("data:") for source in re.findall(r'(?:src|href)="([^"]*)"', page))
    assert "default-src 'none'" in page
    assert re.search(r"const rounds = \[1, 2, 3, 4\]", page)


def test_a_page_of_large_pictures_is_coded_as_finely_as_its_size_allows(
    field: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finest = animate(field, "errors", tmp_path / "finest.html").stat().st_size
    monkeypatch.setattr(writers, "PAGE_BYTES", 0.6 * finest)
    assert animate(field, "errors", tmp_path / "smaller.html").stat().st_size < 0.85 * finest


def test_a_video_is_written_where_there_is_ffmpeg_and_refused_before_drawing_elsewhere(
    field: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ffmpeg"  # stands for the real one: it keeps what comes in
    program.write_text('#!/bin/sh\nfor last; do :; done\nexec cat > "$last"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    path = animate(field, "errors", tmp_path / "moving.mp4", fps=1)
    with Image.open(animate(field, "errors", tmp_path / "moving.gif")) as film:
        width, height = (side - side % 2 for side in film.size)
    assert path.stat().st_size == (ROUNDS - 1 + writers.HOLD) * width * height * 3
    monkeypatch.setattr(writers.shutil, "which", lambda name: None)
    monkeypatch.setattr(writers, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r'pip install "coolgp\[video\]"'):
        animate(field, "errors", tmp_path / "other.mp4")
    assert not (tmp_path / "other.mp4").exists()


def test_each_round_shows_what_the_agent_predicted_in_it(field: RunFolder) -> None:
    frames = read_frames(field.path)
    assert frames is not None
    moving = ANIMATIONS["field"].begin(field, frames)
    assert moving is not None
    _, _, after, deviation = moving.figure.axes[:4]
    for place in (1, 3):
        moving.show(place)
        agent = typical_agent(field, frames)
        for axes, values in ((after, frames.mean_post), (deviation, np.sqrt(frames.variance_post))):
            (image,) = axes.findobj(AxesImage)
            np.testing.assert_array_equal(np.sort(image.get_array(), axis=None), np.sort(values[place, agent]))


def test_who_is_away_is_what_the_run_counted_and_sends_nothing(field: RunFolder) -> None:
    there = attendance(field)
    assert there is not None
    np.testing.assert_array_equal(there.present.sum(axis=1), field.metrics["present"])
    assert not there.present.all()
    for present, spoken in zip(there.present, there.spoken, strict=True):
        assert spoken.any()
        assert present[pairs(field.network.links)[spoken]].all()


def test_who_was_away_is_not_said_where_the_run_counted_others(field: RunFolder) -> None:
    others = replace(field, metrics=dict(field.metrics) | {"present": field.metrics["present"] + 1})
    assert attendance(others) is None
    moving = ANIMATIONS["network"].begin(others, None)
    assert moving is not None
    moving.show(0)
    assert "not known" in moving.figure.get_supxlabel()


def test_agents_that_are_away_are_crosses(field: RunFolder) -> None:
    moving = ANIMATIONS["network"].begin(field, None)
    assert moving is not None
    for place, present in enumerate(field.metrics["present"]):
        moving.show(place)
        scattered = list(moving.figure.axes[0].findobj(PathCollection))
        assert len(field.network.graph.names) - present in [len(dots.get_offsets()) for dots in scattered]


def test_a_run_without_kept_predictions_is_drawn_without_them(plain: RunFolder, tmp_path: Path) -> None:
    assert animate(plain).name == "network.gif"
    with pytest.raises(ValueError, match=r"--set run.keep_predictions=true; network, errors need none"):
        animate(plain, "field")


def test_a_new_animation_is_a_line_of_the_table(
    field: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANIMATIONS, "mine", Animation(ANIMATIONS["errors"].begin, "Of my own."))
    assert "Of my own." in animate(field, "mine", tmp_path / "mine.html").read_text()


def test_many_rounds_are_thinned_to_the_first_the_last_and_some_between(
    field: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "FRAMES", 3)
    moving = ANIMATIONS["errors"].begin(field, None)
    assert moving is not None
    assert writers.filmed(moving, "title", "caption").rounds.tolist() == [1, 3, 4]


@pytest.mark.parametrize(
    "options, words",
    [
        (["--what", "maps"], "--what needs one of road, field, network, errors; got maps"),
        (["--what", "road"], "road is for runs of the data source road"),
        (["--out", "film.avi"], "--out needs a file that ends in .gif, .mp4 or .html; got film.avi"),
        (["--out", "nowhere/film.gif"], "there is no folder"),
    ],
)
def test_a_mistake_is_one_message(field: RunFolder, options: list[str], words: str) -> None:
    result = CliRunner().invoke(app, ["animate", str(field.path), *options])
    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output


def test_runs_of_other_kinds_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('kind = "two-classes"\n')
    done = CliRunner().invoke(app, ["animate", str(tmp_path)])
    assert done.exit_code == 2
    assert 'is a run of the kind "two-classes"' in done.output
