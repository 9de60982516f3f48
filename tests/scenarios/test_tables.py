"""Laws of the tables of columns and figures: an entry is all that a new one takes; older run folders are read."""

from __future__ import annotations

import csv
import json
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from coolgp.scenarios import resume, run
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.config.loading import read_scenario
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.experiments.kind import Kind
from coolgp.scenarios.experiments.registry import KINDS
from coolgp.scenarios.metrics.column import METRICS, TARGET, Column
from coolgp.scenarios.metrics.columns import COLUMNS
from coolgp.scenarios.metrics.words import described, is_summed, metric_words
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.plots.run_figures import FIGURES, draw_all
from coolgp.scenarios.plots.run_report import write_report
from coolgp.scenarios.records.guarantee import GUARANTEE, GUARANTEE_BEFORE
from coolgp.scenarios.records.run_folder import RunFolder, read_metrics, read_run
from coolgp.scenarios.studies.comparison import compared, read_runs
from coolgp.scenarios.studies.comparison_figure import compare_figure

from tests.run_folders import table, timeless

ROUNDS = 4
SMALL = (
    "agents.count=6", "agents.inducing=10", "agents.pilot=60", "network.topology=ring", "run.probes=3",
    f"run.rounds={ROUNDS}", "run.checkpoint_minutes=0",
)  # fmt: skip

BIAS = Column(
    name="bias_post",
    words="bias after fusion",
    meaning="mean difference of predictions and observations on the test rows",
    value=lambda e: (e.after.mean - e.y_test).mean(axis=1),
    unit=TARGET,
)


@pytest.fixture
def small() -> Scenario:
    return load_scenario("field", SMALL)


@pytest.fixture
def bias(monkeypatch: pytest.MonkeyPatch) -> Column:
    """A metric of this file, in the table of columns."""
    monkeypatch.setitem(COLUMNS, BIAS.name, BIAS)
    return BIAS


def draw_bias(folder: RunFolder) -> Figure:
    figure = Figure()
    figure.subplots().plot(folder.metrics["round"], folder.metrics[BIAS.name])
    return figure


@pytest.fixture
def figure(monkeypatch: pytest.MonkeyPatch) -> Drawing[RunFolder]:
    """A figure of this file, in the table of figures."""
    drawing = Drawing(draw_bias, "The bias of the probes.", needs=(BIAS.name,))
    monkeypatch.setitem(FIGURES, "bias", drawing)
    return drawing


def stopped(scenario: Scenario, out: Path, place: Path, after: int = 2) -> Path:
    """A copy of the folder as a kill after so many rounds leaves it, of a run that goes on to its end."""

    def copy(record: object, row: dict[str, float]) -> None:
        if row["round"] == after + 1:
            shutil.copytree(out, place)

    run(scenario, out, figures=False, watch=copy)
    return place


def edited(path: Path, drop: tuple[str, ...] = (), **added: float) -> None:
    """Take columns out of a table, and add some with one value each."""
    rows = [{n: c for n, c in row.items() if n not in drop} | added for row in table(path)]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def invoke(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.output


# An entry is enough ---------------------------------------------------------------------------------------------------


def test_a_metric_of_this_file_runs_reports_plots_compares_plans_and_resumes(
    small: Scenario, bias: Column, tmp_path: Path
) -> None:
    whole, half = tmp_path / "whole", tmp_path / "half"
    stopped(small, whole, half)
    resume(half)
    folder = read_run(half)
    assert timeless(half / METRICS) == timeless(whole / METRICS)
    error = folder.predictions.mean_post - folder.predictions.y_test
    assert folder.metrics[bias.name][-1] == pytest.approx(error.mean(), rel=1e-12)
    assert f"<td>{bias.name}</td><td>{bias.words}" in (half / "report.html").read_text()
    invoke("plot", half)
    assert bias.name in invoke("compare", half, whole, "--metric", bias.name, "--out", tmp_path / "bias.png")
    axes = compare_figure(compared(read_runs([half, whole])[0]), bias.name).axes[0]
    assert axes.get_ylabel() == bias.words
    assert "Memory" in invoke("plan", "field", *(part for key in SMALL for part in ("--set", key)))


@pytest.mark.slow
def test_a_figure_of_this_file_is_drawn_reported_and_removed_with_its_run(
    small: Scenario, bias: Column, figure: Drawing[RunFolder], tmp_path: Path
) -> None:
    whole, half = tmp_path / "whole", tmp_path / "half"
    stopped(small, whole, half)
    resume(half)
    drawn = half / "bias.png"
    assert drawn.is_file()
    assert figure.caption in (half / "report.html").read_text()
    drawn.unlink()
    assert str(drawn) in invoke("plot", half).replace("\n", "")
    invoke("compare", half, whole, "--out", tmp_path / "compared.png")
    run(small, half, overwrite=True, figures=False)
    assert not drawn.exists()


# Run folders of other versions ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    run(load_scenario("field", SMALL), out, figures=False)
    return out


@pytest.fixture
def older(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run, with the file of the guarantee under its former name."""
    place = tmp_path / "older"
    shutil.copytree(finished, place)
    (place / GUARANTEE).rename(place / GUARANTEE_BEFORE)
    return place


def test_a_folder_with_the_former_name_of_the_guarantee_is_the_same_run(finished: Path, older: Path) -> None:
    assert read_run(older).guarantee == read_run(finished).guarantee
    (older / GUARANTEE_BEFORE).unlink()
    with pytest.raises(ValueError, match=r"not a finished run folder: it lacks guarantee\.json"):
        read_run(older)


def test_where_both_files_are_there_the_one_of_this_version_counts(older: Path) -> None:
    shutil.copy(older / GUARANTEE_BEFORE, older / GUARANTEE)
    (older / GUARANTEE_BEFORE).write_text("{}")
    assert read_run(older).guarantee.rule == "tree"


def test_a_run_in_the_place_of_an_older_one_leaves_no_file_of_it(older: Path, small: Scenario) -> None:
    run(small, older, overwrite=True, figures=False)
    assert not (older / GUARANTEE_BEFORE).exists()
    assert (older / GUARANTEE).is_file()


def test_a_folder_with_fewer_columns_is_drawn_reported_and_compared(finished: Path, older: Path) -> None:
    edited(older / METRICS, drop=("crps_pre", "crps_post", "coverage50_post", "error_pre", "counted"))
    folder = read_run(older)
    figures = draw_all(folder)
    assert {"convergence", "profiles", "network"} <= figures.keys()
    page = write_report(folder, figures).read_text()
    assert "CRPS after fusion" not in page
    assert "The figure fusion is not drawn: metrics.csv lacks 1 column (counted)." in page
    shared = compared(read_runs([older, finished])[0]).metrics
    assert "rmse_post" in shared
    assert "crps_post" not in shared


def test_a_column_that_is_missing_is_named_where_it_is_asked_for(older: Path) -> None:
    edited(older / METRICS, drop=("nlpd_post",))
    metrics = read_metrics(older)
    with pytest.raises(ValueError, match=r"metrics\.csv lacks the column nlpd_post, which coolgp writes since version"):
        metrics["nlpd_post"]


def test_a_column_that_nobody_described_is_read_reported_and_compared(
    finished: Path, older: Path, tmp_path: Path
) -> None:
    edited(older / METRICS, of_tomorrow=7)
    edited(older / "hyperparameters.csv", period=2)
    folder = read_run(older)
    assert (folder.metrics["of_tomorrow"] == 7).all()
    page = write_report(folder).read_text()
    assert "<td>of_tomorrow</td><td>of tomorrow</td>" in page
    assert "<td>period</td>" in page
    assert "of_tomorrow" in invoke("compare", older, "--metric", "of_tomorrow", "--out", tmp_path / "out.png")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_needs_no_column_but_those_that_it_names(name: str, finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    unneeded = set(read_metrics(finished)) - {"round", *FIGURES[name].needs}
    edited(tmp_path / "run" / METRICS, drop=tuple(unneeded))
    FIGURES[name].draw(read_run(tmp_path / "run"))


@contextmanager
def other_version(lacks: str, has: Column) -> Iterator[None]:
    """Columns as another version has them; afterwards in their order again."""
    columns = dict(COLUMNS)
    del COLUMNS[lacks]
    COLUMNS[has.name] = has
    yield
    COLUMNS.clear()
    COLUMNS.update(columns)


def test_a_run_that_another_version_began_goes_on_with_its_columns_and_says_so(small: Scenario, tmp_path: Path) -> None:
    whole, half = tmp_path / "whole", tmp_path / "half"
    with other_version(lacks="crps_post", has=BIAS):
        stopped(small, whole, half)
        (half / GUARANTEE).rename(half / GUARANTEE_BEFORE)
    with pytest.warns(RuntimeWarning, match="without crps_post and leaves bias_post empty"):
        resume(half, figures=False)
    resumed, uninterrupted = timeless(half / METRICS), timeless(whole / METRICS)
    assert [row.pop("bias_post") == "" for row in resumed] == [False, False, True, True]
    assert resumed == [{name: cell for name, cell in row.items() if name != "bias_post"} for row in uninterrupted]
    assert not (half / GUARANTEE).exists()
    assert read_run(half).guarantee == read_run(whole).guarantee


def as_the_version_before_wrote(folder: Path, key: str) -> None:
    """Take a key of [agents] out of a run's file, and give its checkpoints the fingerprint of a version without it."""
    scenario = read_scenario(folder / "config.toml")
    lines = (folder / "config.toml").read_text().splitlines(keepends=True)
    (folder / "config.toml").write_text("".join(line for line in lines if not line.startswith(f"{key} = ")))
    text = scenario.model_dump_json(exclude={"run": {"checkpoint_minutes"}, "agents": {key}})
    for path in folder.glob("checkpoints/*/index.json"):
        index = json.loads(path.read_text())
        del index["checksum"]
        index["fingerprint"]["config.toml"] = crc32(text.encode())
        path.write_text(json.dumps(index | {"checksum": crc32(json.dumps(index, sort_keys=True).encode())}))


def test_a_checkpoint_of_a_version_that_did_not_know_a_key_is_gone_on_with(small: Scenario, tmp_path: Path) -> None:
    whole, half = tmp_path / "whole", tmp_path / "half"
    stopped(small, whole, half)
    as_the_version_before_wrote(half, "kernel")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resume(half, figures=False)
    assert timeless(half / METRICS) == timeless(whole / METRICS)


def test_a_checkpoint_of_a_version_that_did_not_know_a_key_is_refused_where_another_key_was_changed(
    small: Scenario, tmp_path: Path
) -> None:
    half = stopped(small, tmp_path / "whole", tmp_path / "half")
    as_the_version_before_wrote(half, "kernel")
    config = half / "config.toml"
    config.write_text(config.read_text().replace("seed = 0", "seed = 1"))
    with pytest.raises(ValueError, match=r"config\.toml"):
        resume(half, figures=False)


# What the tables say --------------------------------------------------------------------------------------------------


def test_what_was_counted_since_the_row_before_is_summed_and_all_else_is_not(finished: Path) -> None:
    metrics = read_metrics(finished)
    assert {name for name in metrics if is_summed(name)} == {
        "communication_rounds", "messages", "lost", "bytes", "seconds", "seconds_predicting",
    }  # fmt: skip
    assert is_summed("seconds_of_another_version")


def test_every_column_that_a_run_writes_is_described(finished: Path) -> None:
    folder = read_run(finished)
    for columns in (folder.metrics, folder.traffic, folder.hyperparameters):
        for name in columns:
            assert described(name), name


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_column_of_a_kind_of_scenario_is_described(kind: Kind) -> None:
    assert [name for name in kind.columns if described(name) is None] == []


def test_the_unit_of_the_target_stands_on_the_axis_where_a_column_has_it() -> None:
    assert metric_words("crps_pre", "min") == "CRPS before fusion (min)"
    assert metric_words("coverage90_post", "min") == "coverage of the central 90 % interval after fusion"
    assert metric_words("nlpd_post", "min") == "NLPD after fusion (nats)"
