"""Runs of two classes that were stopped or killed and resumed, on any number of ranks, are runs that nobody stopped."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType

import numpy as np
import pytest

import coolgp
from coolgp.scenarios.base.signals import Interrupted, Terminated
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.experiments.classes.kind import CLASSIFICATION
from coolgp.scenarios.experiments.kind import Options, Stage, Watcher
from coolgp.scenarios.experiments.registry import start
from coolgp.scenarios.records.run_folder import is_finished
from coolgp.scenarios.runs.checkpoints.checkpoint import _index_checksum

from tests.run_folders import contents, timeless

ROUNDS = 4
TABLES = ("metrics.csv", "calibration.csv")
CASES = {
    "all": {"agents": {"kept_rows": "all"}},
    "some": {"agents": {"kept_rows": 12}, "run": {"precision": "float32"}},
    "once": {"agents": {"kept_rows": 0, "forget": 0.9}, "fusion": {"every": 3}},
    "lossy": {"fusion": {"rule": "push-sum", "rounds_per_step": 2}, "network": {"loss": 0.3, "delay": 2.0}},
}
"""Where sums are forgotten, what waits for an exchange joins them as it was weighed, before it is weighed anew."""


def scenario(case: str = "all", **more: object) -> Scenario:
    """Six agents; in the last round some have no rows left."""
    changes = CASES[case]
    return coolgp.load_scenario(
        {
            "data": {"source": "class-field", "task": "classification", "observations": 220},
            "agents": {"count": 6, "inducing": 10, "batch_size": 10, "pilot": 100, "pilot_iterations": 4}
            | changes.get("agents", {}),
            "network": changes.get("network", {}),
            "fusion": changes.get("fusion", {}),
            "run": {"rounds": ROUNDS, "probes": 3, "evaluate_rows": 50, "checkpoint_minutes": 0}
            | changes.get("run", {})
            | more,
        }
    )


def run(case: str, out: Path, seen: Callable[[int], None] = lambda turn: None) -> None:
    def show(stage: Stage) -> None:
        if stage.unit == "round":
            seen(stage.done)

    start(scenario(case), out, Options(figures=False)).go(Watcher(show=show))


def run_and_copy(case: str, place: Path) -> None:
    """Run to the end in ``whole``; ``killed`` is that folder as a kill in the third round leaves it."""

    def copy(turn: int) -> None:
        if turn == 3:
            shutil.copytree(place / "whole", place / "killed")

    run(case, place / "whole", copy)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("unbroken")
    run_and_copy("all", place)
    return place


@pytest.mark.parametrize("case", CASES)
def test_a_killed_run_resumed_is_the_run_that_nobody_stopped(case: str, tmp_path: Path) -> None:
    run_and_copy(case, tmp_path)
    assert len(timeless(tmp_path / "killed" / "metrics.csv")) == 3
    coolgp.resume(tmp_path / "killed", figures=False)
    assert contents(tmp_path / "killed", TABLES) == contents(tmp_path / "whole", TABLES)
    assert not (tmp_path / "killed" / "checkpoints").exists()


def test_ranks_take_up_each_others_checkpoints(
    unbroken: Path, tmp_path: Path, on_ranks: Callable[..., CompletedProcess[str]]
) -> None:
    shutil.copytree(unbroken / "killed", tmp_path / "of one")
    done = on_ranks(2, Path(__file__), tmp_path)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "whole", TABLES) == contents(unbroken / "whole", TABLES)
    coolgp.resume(tmp_path / "killed", figures=False)
    for name in ("killed", "of one"):
        assert contents(tmp_path / name, TABLES) == contents(unbroken / "whole", TABLES)


@pytest.mark.parametrize("number, kind, code", [(signal.SIGINT, Interrupted, 130), (signal.SIGTERM, Terminated, 143)])
def test_a_signal_stops_a_run_after_its_round_and_says_how_to_go_on(
    number: signal.Signals, kind: type[BaseException], code: int, unbroken: Path, tmp_path: Path
) -> None:
    def ask(turn: int) -> None:
        if turn == 2:
            signal.raise_signal(number)

    out = tmp_path / "run"
    words = f"stopped after round 2 of {ROUNDS}; go on with: coolgp resume {out}"
    with pytest.raises(kind, match=words) as stop:
        run("all", out, ask)
    assert stop.value.code == code  # type: ignore[attr-defined]
    assert not is_finished(out)
    coolgp.resume(out, figures=False)
    assert contents(out, TABLES) == contents(unbroken / "whole", TABLES)


@pytest.mark.parametrize(
    "old, new, words",
    [
        ('"waiting/root"', '"waiting/rot"', "waiting/"),
        ('"waiting/target"', '"another"', "StandIn"),
        ('"waiting": 2', '"waiting": 1', r"float64 \[6, 10\] to stand for them"),
        ('"waiting": 2', '"waiting": 3', "batches of 3 rounds cannot wait after 2 of 4"),
        ('"turn": 2', '"turn": 7', "cannot wait after 7 of 4"),
    ],
)
def test_a_checkpoint_without_what_stands_for_kept_rows_is_refused_in_a_sentence(
    old: str, new: str, words: str, unbroken: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(unbroken / "killed", tmp_path / "run"))
    for path in folder.glob("checkpoints/*/index.json"):
        text = path.read_text()
        index = json.loads(text.replace(old, new))
        index.pop("checksum")
        path.write_text(json.dumps(index | {"checksum": _index_checksum(index)}))
    with pytest.raises(ValueError, match="the checkpoint of round 2 does not hold what this run needs") as refused:
        coolgp.resume(folder, figures=False)
    assert "\n" not in str(refused.value)


def test_a_run_that_an_older_version_left_is_gone_on_with_and_drawn(unbroken: Path, tmp_path: Path) -> None:
    """It had no checkpoints, no column of false messages and no network."""
    stopped, ended = tmp_path / "stopped", tmp_path / "ended"
    shutil.copytree(unbroken / "killed", stopped)
    shutil.rmtree(stopped / "checkpoints")
    with pytest.warns(RuntimeWarning, match="no checkpoint was written yet: starting from the beginning"):
        coolgp.resume(stopped, figures=False)
    assert contents(stopped, TABLES) == contents(unbroken / "whole", TABLES)
    shutil.copytree(unbroken / "whole", ended)
    (ended / "network.npz").unlink()
    lines = [line.split(",") for line in (ended / "metrics.csv").read_text().splitlines()]
    place = lines[0].index("forged")
    (ended / "metrics.csv").write_text("\n".join(",".join(line[:place] + line[place + 1 :]) for line in lines) + "\n")
    assert [path.name for path in CLASSIFICATION.draw(ended)] == ["rounds.png", "calibration.png", "report.html"]


def test_a_tracker_hears_the_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[float] = []

    class Told:
        def __init__(self, *settings: object) -> None: ...

        def row(self, number: int, values: dict[str, float]) -> None:
            heard.append(values["log_loss_post"])

        def end(self) -> None: ...

    module = ModuleType("told_of_classes")
    module.begin = Told  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "told_of_classes", module)
    coolgp.run(scenario(tracker="told_of_classes:begin"), tmp_path / "run", figures=False)
    np.testing.assert_allclose(heard, [float(row["log_loss_post"]) for row in timeless(tmp_path / "run/metrics.csv")])


def main(place: Path) -> None:
    run_and_copy("all", place)
    coolgp.resume(place / "of one", figures=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
