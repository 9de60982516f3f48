"""Laws of predictions that are kept round by round: they change nothing else, and a resumed run has the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from coolgp.scenarios import load_scenario, resume, run
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.traffic import draw_traffic, rush_hours
from coolgp.scenarios.records.frames import FRAMES, read_frames
from coolgp.scenarios.records.run_folder import read_metrics, read_run
from coolgp.scenarios.runs.removal import remove_run

from tests.lifecycle import stop_after

FIELD = {
    "data": {"source": "field", "observations": 20},
    "agents": {"count": 6, "inducing": 9, "batch_size": 4},
    "network": {"topology": "ring"},
    "fusion": {"rounds_per_step": 6},
    "run": {"rounds": 4, "probes": 6, "evaluate_rows": 50, "keep_predictions": True},
}


def scenario(*settings: str) -> Scenario:
    return load_scenario(FIELD, settings)


def frames_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / FRAMES).iterdir()}


@pytest.mark.parametrize("settings", [("fusion.rule=consensus", "network.loss=0.3"), ("fusion.rule=npae",)])
def test_keeping_predictions_changes_no_number_of_a_run(tmp_path: Path, settings: tuple[str, ...]) -> None:
    run(scenario(*settings), tmp_path / "kept", figures=False)
    run(scenario(*settings, "run.keep_predictions=false"), tmp_path / "plain", figures=False)
    kept, plain = (read_metrics(tmp_path / name) for name in ("kept", "plain"))
    assert {path.name for path in (tmp_path / "kept").iterdir()} - {FRAMES} == {
        path.name for path in (tmp_path / "plain").iterdir()
    }
    for name in set(plain) - {"seconds", "seconds_predicting"}:
        np.testing.assert_array_equal(kept[name], plain[name], err_msg=name)
    stored = [np.load(tmp_path / name / "predictions.npz")["mean_post"] for name in ("kept", "plain")]
    np.testing.assert_array_equal(*stored)


def test_a_scenario_that_keeps_nothing_has_the_hash_that_it_had() -> None:
    plain = scenario("run.keep_predictions=false")
    assert "keep_predictions" in plain.run.unhashed()
    assert plain.hash8() != scenario().hash8()


def test_a_run_that_goes_on_keeps_what_one_without_a_stop_keeps(tmp_path: Path) -> None:
    run(scenario(), tmp_path / "through", figures=False)
    with pytest.raises(KeyboardInterrupt):
        run(scenario("run.checkpoint_minutes=0"), tmp_path / "stopped", figures=False, watch=stop_after(3))
    later = tmp_path / "stopped" / FRAMES / "round-000004.npz"  # of a round that is not in the checkpoint
    later.write_bytes(b"half")
    resume(tmp_path / "stopped", figures=False)
    assert frames_in(tmp_path / "stopped") == frames_in(tmp_path / "through")


def test_frames_hold_what_the_model_of_the_last_round_predicts(tmp_path: Path) -> None:
    from coolgp import load_model

    run(scenario(), tmp_path, figures=False)
    frames = read_frames(tmp_path)
    assert frames is not None
    assert frames.rounds.tolist() == [1, 2, 3, 4]
    model = load_model(tmp_path)
    for place, agent in enumerate(frames.agents):
        predicted = model.predict(frames.x, agent)
        np.testing.assert_allclose(frames.mean_post[-1, place], predicted.mean, rtol=1e-4, atol=1e-5)


def test_a_run_removed_leaves_files_of_others_alone(tmp_path: Path) -> None:
    run(scenario(), tmp_path, figures=False)
    (tmp_path / FRAMES / "mine.txt").write_text("mine")
    (tmp_path / FRAMES / ".round-000009.npz.12-0123abcd").write_bytes(b"half")
    remove_run(tmp_path)
    assert [path.name for path in (tmp_path / FRAMES).iterdir()] == ["mine.txt"]
    assert read_frames(tmp_path) is None


def test_questions_for_pictures_are_refused_where_they_would_change_the_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"run\.keep_predictions: needs a network where nothing fails"):
        run(scenario("fusion.rule=npae", "network.loss=0.3"), tmp_path / "run")


def test_frames_of_two_runs_are_told_apart(tmp_path: Path) -> None:
    run(scenario("run.rounds=1"), tmp_path / "one", figures=False)
    run(scenario("run.rounds=2", "agents.count=4"), tmp_path / "two", figures=False)
    other = tmp_path / "two" / FRAMES / "round-000002.npz"
    other.rename(tmp_path / "one" / FRAMES / other.name)
    with pytest.raises(ValueError, match=r"round-000002\.npz is not of the same run"):
        read_frames(tmp_path / "one")


def test_roads_are_asked_at_in_both_rush_hours(tmp_path: Path) -> None:
    settings = ("agents.count=4", "agents.inducing=10", "run.rounds=1", "run.probes=1", "run.keep_predictions=true")
    run(load_scenario("road", settings), tmp_path, figures=False)
    frames = read_frames(tmp_path)
    assert frames is not None
    np.testing.assert_array_equal(frames.x, rush_hours(draw_traffic(read_run(tmp_path).config.run.seed)))


@pytest.mark.parametrize("ranks", [2])
def test_ranks_keep_the_same_bytes(tmp_path: Path, ranks: int, on_ranks: Callable[..., CompletedProcess[str]]) -> None:
    (tmp_path / "field.toml").write_text(scenario().to_toml())
    run(load_scenario(tmp_path / "field.toml"), tmp_path / "alone", figures=False)
    command = ("run", str(tmp_path / "field.toml"), "--out", str(tmp_path / "together"), "--no-figures")
    assert on_ranks(ranks, "coolgp", *command, runner=("-m",)).returncode == 0
    assert frames_in(tmp_path / "together") == frames_in(tmp_path / "alone")
