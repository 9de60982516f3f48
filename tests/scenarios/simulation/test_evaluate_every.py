"""Looking at the probes less often than every round changes what is written, not what is learned."""

from pathlib import Path

import numpy as np
import pytest

from coolgp.scenarios import resume, run, scenario_named
from coolgp.scenarios.records.run_folder import RunFolder, read_metrics, read_run
from coolgp.scenarios.simulation.state import Record

SMALL = ["agents.count=12", "agents.inducing=10", "run.rounds=7", "run.probes=4", "data.observations=2000"]
SUMMED = ("messages", "bytes", "communication_rounds")


def done(folder: Path, *settings: str) -> RunFolder:
    run(scenario_named("field", [*SMALL, *settings]), folder, figures=False)
    return read_run(folder)


@pytest.fixture(scope="module")
def each(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return done(tmp_path_factory.mktemp("each") / "run")


@pytest.mark.parametrize("every, rounds", [(3, [3, 6, 7]), (7, [7]), (100, [7])])
def test_rounds_that_are_looked_at_are_those_of_a_run_that_looks_at_all(
    each: RunFolder, tmp_path: Path, every: int, rounds: list[int]
) -> None:
    few, all_rounds = done(tmp_path / "run", f"run.evaluate_every={every}").metrics, each.metrics
    assert few["round"].tolist() == rounds
    kept = np.array(rounds) - 1
    for name in set(few) - {*SUMMED, "seconds", "seconds_predicting"}:
        if "_subset" in name:  # how many rows that are follows from how often they are asked
            continue
        np.testing.assert_array_equal(few[name], all_rounds[name][kept], err_msg=name)
    for name in SUMMED:
        assert few[name].sum() == all_rounds[name].sum()
        assert few[name][0] == all_rounds[name][: rounds[0]].sum()


def test_a_run_that_was_stopped_goes_on_from_a_round_that_was_looked_at(each: RunFolder, tmp_path: Path) -> None:
    settings = (*SMALL, "run.evaluate_every=3", "run.checkpoint_minutes=0")

    def stop(record: Record, row: object) -> None:
        if record.round == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(scenario_named("field", list(settings)), tmp_path / "run", figures=False, watch=stop)
    resume(tmp_path / "run", figures=False)
    few = read_metrics(tmp_path / "run")
    assert few["round"].tolist() == [3, 6, 7]
    np.testing.assert_array_equal(few["rmse_post"], each.metrics["rmse_post"][[2, 5, 6]])
    assert few["bytes"].sum() == each.metrics["bytes"].sum()


def test_records_say_how_many_rounds_they_span() -> None:
    records = run(scenario_named("field", [*SMALL, "run.evaluate_every=3"]))
    assert [(record.round, record.spanned) for record in records] == [(3, 3), (6, 3), (7, 1)]


def test_errors_to_the_noiseless_function_are_below_those_to_observations(each: RunFolder) -> None:
    told, metrics = each.predictions, each.metrics
    assert told.truth is not None
    expected = np.sqrt(np.square(told.mean_post - told.truth).mean(axis=1)).mean()
    assert metrics["error_post"][-1] == pytest.approx(expected, rel=1e-12)
    assert np.all(metrics["error_post"] < metrics["rmse_post"])


def test_where_no_function_is_known_there_is_no_error_to_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = tmp_path / "rows.csv"
    np.savetxt(table, rng.standard_normal((200, 3)), delimiter=",", header="a,b,y", comments="")
    mapping = [
        "data.source=" + str(table),
        "data.target=y",
        "agents.count=3",
        "agents.inducing=5",
        "run.rounds=2",
        "data.test_count=20",
    ]
    run(scenario_named("airline", [*mapping, "run.probes=2"]), tmp_path / "run", figures=False)
    assert np.isnan(read_metrics(tmp_path / "run")["error_post"]).all()


def test_a_long_run_is_looked_at_about_a_hundred_times() -> None:
    few = ["agents.count=2", "agents.inducing=4", "agents.pilot=20", "agents.pilot_iterations=1", "agents.batch_size=1"]
    long = [*few, "agents.hyperparameters=fixed", "run.evaluate_rows=5", "run.rounds=101"]
    rounds = run(scenario_named("field", long)).metrics["round"]
    assert [int(turn) for turn in rounds] == [*range(2, 101, 2), 101]
