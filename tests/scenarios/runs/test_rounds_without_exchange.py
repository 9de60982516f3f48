"""Rounds of learning between two exchanges (`fusion.every`): what agents learn, what is stored and what is said."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from coolgp.scenarios import resume
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.plots.fusion import fusion_figure
from coolgp.scenarios.records.guarantee import observed_words
from coolgp.scenarios.records.run_folder import read_metrics, read_run
from coolgp.scenarios.records.tables import Columns
from coolgp.scenarios.runs.run import run

from tests.run_folders import contents
from tests.scenarios.runs.test_checkpoint import write_study


def stretched(
    folder: Path, every: int, rounds: int, batch_size: int, *more: str, stops: tuple[int, ...] = ()
) -> Columns:
    """A run whose agents speak after every so many rounds; stops: copied after these, as a kill would leave it."""
    settings = {
        "data": {"source": str(folder.parent / "points.csv"), "target": "y", "agent": "station"},
        "agents": {"inducing": 10, "batch_size": batch_size, "lengthscale": 0.8, "signal_variance": 1.0},
        "network": {"topology": "ring"},
        "fusion": {"every": every},
        "run": {"rounds": rounds, "probes": 4, "checkpoint_minutes": 0},
    }

    def copy(record: object, row: dict[str, float]) -> None:
        if row["round"] - 1 in stops:
            shutil.copytree(folder, f"{folder}-killed-{int(row['round']) - 1}")

    run(resolve(settings, "stretched", more), folder, figures=False, watch=copy)
    return read_metrics(folder)


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("points")
    write_study(folder)
    return folder


@pytest.mark.parametrize("rule", ["tree", "consensus", "push-sum", "none"])
def test_speaking_after_every_third_round_is_learning_from_batches_thrice_as_large(points, rule):
    more = (f"fusion.rule={rule}", "fusion.rounds_per_step=2", "agents.hyperparameters=fixed")
    seldom = stretched(points / f"{rule}-seldom", 3, 9, 4, *more)
    large = stretched(points / f"{rule}-large", 1, 3, 12, *more)
    speaking = np.arange(2, 9, 3)
    for name in ("observations", "rmse_pre", "rmse_post", "nlpd_post", "bytes", "messages", "communication_rounds"):
        np.testing.assert_allclose(seldom[name][speaking], large[name], rtol=1e-10, err_msg=name)
    assert not np.delete(seldom["messages"], speaking).any()
    assert not np.delete(seldom["communication_rounds"], speaking).any()
    predictions = [np.load(points / f"{rule}-{kind}" / "predictions.npz")["mean_post"] for kind in ("seldom", "large")]
    np.testing.assert_allclose(*predictions, rtol=1e-10)


@pytest.mark.parametrize("batch_size", [6, 50], ids=["nothing folded on the way", "folded on the way"])
def test_a_run_killed_between_two_exchanges_and_resumed_is_the_run_that_nobody_stopped(points, batch_size):
    folder, stops = points / f"whole-{batch_size}", (1, 3, 4, 5)
    stretched(folder, 4, 6, batch_size, "agents.hyperparameters=collective", stops=stops)
    for stop in stops:
        resume(f"{folder}-killed-{stop}", figures=False)
        assert contents(Path(f"{folder}-killed-{stop}")) == contents(folder), stop


def test_a_stretch_begun_on_one_rank_ends_on_two_with_the_same_bytes(points, on_ranks):
    folder = points / "one"
    stretched(folder, 4, 6, 6, "agents.hyperparameters=local", stops=(2,))
    program = "import sys\nfrom coolgp.scenarios import resume\nresume(sys.argv[1], figures=False)\n"
    done = on_ranks(2, program, f"{folder}-killed-2")
    assert done.returncode == 0, done.stderr
    assert contents(Path(f"{folder}-killed-2")) == contents(folder)


def test_what_was_seen_is_said_of_rounds_with_an_exchange_alone(points):
    metrics = stretched(points / "said", 4, 8, 4)
    assert metrics["fusion_error"][0] > 0.1  # nobody has spoken yet
    assert (metrics["fusion_error"][3:] < 1e-12).all()
    assert metrics["rmse_post"][0] == metrics["rmse_post"][2] > metrics["rmse_post"][3]
    folder = read_run(points / "said")
    words = observed_words(folder.guarantee, metrics)
    rounds = int(metrics["communication_rounds"][3])
    assert words.startswith(f"Observed: {rounds} communication rounds in each of 2 exchanges; ")
    assert fusion_figure(folder) is None  # all went well


def test_what_was_seen_where_every_round_ends_with_an_exchange(points):
    metrics = stretched(points / "each", 1, 2, 4)
    words = observed_words(read_run(points / "each").guarantee, metrics)
    assert words.startswith(f"Observed: {int(metrics['communication_rounds'][0])} communication rounds in a round of ")
