"""Benchmarks compare the same work, and their report says what was measured. Nothing is timed here."""

import json
import re
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from coolgp.agents.kernels.se import SE
from coolgp.agents.sparse.collapsed import bound_and_slopes
from coolgp.agents.sparse.rows import Pooled

from tests.paths import ROOT

sys.path.append(str(ROOT))  # benchmarks is a folder beside the packages, and never installed

from benchmarks import engine, work
from benchmarks.measured import consensus, plan, ranks, start, tree
from benchmarks.measured.update import bytes_moved, flops, shortest
from benchmarks.peers import disropt
from benchmarks.peers.call import Answers, ask
from benchmarks.plain import agents as plain
from benchmarks.plain.bound import bound_and_gradient
from benchmarks.registry import BENCHMARKS
from benchmarks.report import write_report
from benchmarks.results import Measurement, Result, Row, conclude, read, single, write
from benchmarks.table import markdown
from benchmarks.targets import Target, targets_table
from benchmarks.timing import Effort, contest
from benchmarks.whole_runs import whole_run

CASE = {"m": 20, "B": 15}
LIMITS = {"dgemm": 4e10, "sgemm": 8e10, "exp": 5e8, "exp32": 1e9, "copy": 1e10}


def row(who: str = "coolgp", value: float = 10.0, **more: float) -> Row:
    return Row({"m": 100, **more}, who, "updates", "updates/s", value, value, value, 1, limit=40.0)


def result(*rows: Row, quick: bool = False) -> Result:
    return conclude("update", "python -m benchmarks update", quick, Measurement(rows, LIMITS))


def test_the_plain_loop_does_the_work_that_coolgp_does() -> None:
    data, agents = work.stream(3, 45, 20), 3
    ours = engine.population(agents, data.inducing)
    parts = [slice(0, 15), slice(15, 30), slice(30, 45)]
    engine.take_in(ours, [engine.batch_of(data.x[:, part], data.y[:, part]) for part in parts])
    estimates = engine.forecast(ours, data.queries)
    for agent in range(agents):
        alone = plain.Agent(data.inducing)
        for part in parts:
            alone.observe(data.x[agent, part], data.y[agent, part])
        alone.believe(*plain.prior_of(data.inducing))
        mean, variance = alone.predict(data.queries)
        np.testing.assert_allclose(estimates.mean[agent], mean, rtol=0, atol=1e-8)
        np.testing.assert_allclose(estimates.variance[agent], variance, rtol=0, atol=1e-8)


def test_the_plain_bound_is_the_one_of_coolgp() -> None:
    x, y, at = start.case_of(60, 9)
    value, slopes = bound_and_slopes(Pooled(x, y), at, SE, work.JITTER)
    hyperparameters = (at.lengthscale, at.signal_variance, at.noise_variance)
    plainly, gradient = bound_and_gradient(x, y, at.inducing_inputs, *hyperparameters, work.JITTER)
    assert plainly == pytest.approx(value, rel=1e-10)
    np.testing.assert_allclose(gradient, start.flat(slopes), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("peer", ["gpflow", "gpytorch"])
def test_a_natural_gradient_step_on_one_batch_ends_where_the_closed_form_does(peer: str) -> None:
    if find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed: it comes with the extra `bench`")
    data = work.stream(1, CASE["B"], CASE["m"])
    ours = engine.population(1, data.inducing)
    engine.take_in(ours, [engine.batch_of(data.x, data.y)])
    answers = ask(peer, "means", [CASE], None)
    assert not answers.refused
    np.testing.assert_allclose(answers.values[0], engine.forecast(ours, data.queries).mean[0], rtol=0, atol=1e-8)


def test_everybody_averages_with_the_same_weights() -> None:
    graph, values = work.graph(12), consensus.start(12, 5)
    rounds, averages = consensus.ours(graph, values)
    rounds()
    loop = plain.nodes(values, consensus.pairs(graph))
    for _ in range(consensus.CALL):
        plain.step(loop)
    np.testing.assert_allclose(averages(), [node.value for node in loop], rtol=0, atol=1e-12)


def test_everybody_sums_the_same_rows_along_a_tree() -> None:
    graph, values = work.graph(12), consensus.start(12, 5)
    loop = plain.sums_on_tree(values, *tree.planned(graph))
    np.testing.assert_allclose(tree.ours(graph, values)(), loop, rtol=0, atol=1e-12)
    np.testing.assert_allclose(loop[3], values.sum(0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["update", "predict", "consensus"])
def test_every_case_is_measured_and_who_is_missing_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark = import_module(f"benchmarks.measured.{name}")
    monkeypatch.setattr(benchmark, "measure_limits", lambda quick: LIMITS)
    monkeypatch.setattr(benchmark, "ask", lambda peer, *_, **__: Answers(refused={peer: "not asked"}), raising=False)
    monkeypatch.setattr(disropt, "find_spec", lambda library: None)
    found = benchmark.measure(quick=True)
    cases = [one.case for one in found.rows if one.who == "coolgp"]
    assert all(one.least <= one.value <= one.most for one in found.rows)
    assert all(any(one.who == "plain loop" and one.case == case for one in found.rows) for case in cases)
    assert len(cases) >= 2
    assert set(found.skipped) >= ({"DISROPT"} if name == "consensus" else {"gpflow", "gpytorch", "scikit-learn"})


def test_a_library_that_cannot_be_loaded_is_left_out_with_a_word() -> None:
    answers = ask("nobody", "update", [CASE], Effort(1, 0.001))
    assert not answers.timings
    assert "nobody_peer" in answers.refused["nobody"]


def test_contestants_take_turns_and_long_works_run_once_a_turn() -> None:
    called: list[str] = []
    found = contest({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, Effort(3, 0.0))
    assert called == ["a", "b", *"ababab"]
    assert len(found["a"].seconds) == 3


def test_packed_sums_and_half_of_the_products_bound_an_update() -> None:
    rates = {"dgemm": 1.0, "exp": 1.0, "copy": 1.0}
    assert flops(100, 32) == 32 * (100 * 101 + 2 * 100 * work.INPUTS + 200)
    assert bytes_moved(100, 32, 8) == 8 * (2 * (5050 + 100) + 32 * (work.INPUTS + 1))
    assert shortest(100, 32, "float64", rates) == flops(100, 32) + 3200 + bytes_moved(100, 32, 8)


def test_results_come_back_from_their_files_as_they_were(tmp_path: Path) -> None:
    made = result(row(), row("plain loop", 5.0))
    write(made, tmp_path / "new" / "update.json")
    assert read(tmp_path / "new" / "update.json") == made


def test_a_file_of_another_schema_is_refused(tmp_path: Path) -> None:
    (tmp_path / "update.json").write_text('{"schema": 0}')
    with pytest.raises(ValueError, match="run its benchmark again"):
        read(tmp_path / "update.json")


def test_tables_show_what_part_of_the_limit_is_reached_and_how_coolgp_compares() -> None:
    first, second = markdown([row(), row("plain loop", 5.0)]).splitlines()[2:]
    assert "| 25% |" in first
    assert second.endswith("| 12% | 2× |")


@pytest.mark.parametrize(
    ("value", "at_least", "verdict"),
    [(45, True, "yes"), (44, True, "**NO**"), (45, False, "yes"), (46, False, "**NO**")],
)
def test_a_target_is_reached_or_not(value: float, at_least: bool, verdict: str) -> None:
    target = Target("speed", "update", 45, "/s", at_least, lambda result: result.measurement.rows[0].value)
    assert f"| {verdict} |" in target.line({"update": result(row(value=value))})


def test_a_quick_run_reaches_no_target() -> None:
    fast = row(value=1e9, B=32, dtype="float64")
    assert "| yes |" in targets_table({"update": result(fast)})
    assert "| yes |" not in targets_table({"update": result(fast, quick=True)})


def test_one_command_measures_and_the_report_is_written_from_its_file_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "tree", "--quick", "--out", str(tmp_path / "tree.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "tree.json").read_text())
    assert {"benchmark", "command", "quick", "date", "commit", "machine", "versions", "found", "schema"} == set(written)
    assert {"cpu", "cores", "memory_gib", "system", "blas"} == set(written["machine"])
    assert {one["who"] for one in written["found"]["rows"]} == {"coolgp", "plain loop"}
    report = write_report(tmp_path, tmp_path / "docs").read_text()
    assert "`python -m benchmarks tree --quick`" in report
    assert "these figures mean nothing" in report


def test_figures_are_drawn_of_what_was_measured(tmp_path: Path) -> None:
    more = {"B": 32, "dtype": "float64"}
    write(result(row(**more), row("gpflow", 2.0, **more)), tmp_path / "update.json")
    report = write_report(tmp_path, tmp_path / "docs").read_text()
    pictures = re.findall(r"\]\((figures/[\w-]+\.png)\)", report)
    assert pictures == ["figures/performance-update.png", "figures/performance-roofline.png"]
    assert all((tmp_path / "docs" / picture).stat().st_size for picture in pictures)


def test_what_was_said_too_low_is_as_far_off_as_what_was_said_too_high() -> None:
    estimates, seen = {1: 80.0, 2: 110.0, 3: 125.0}, 100.0
    rows = [single({"N": size}, "coolgp", "memory, said", "MiB", value) for size, value in estimates.items()]
    rows += [single({"N": size}, "coolgp", "memory, seen", "MiB", seen) for size in estimates]
    assert plan.off(result(*rows), "memory") == 1.25
    assert plan.off(result(*rows), "time") is None


@pytest.mark.slow
def test_a_plan_and_its_run_are_measured_in_processes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "measure_limits", lambda quick: LIMITS)
    rows = plan.measure(quick=True).rows
    assert {row.what for row in rows} == {f"{what}, {when}" for what in ("memory", "time") for when in ("said", "seen")}
    assert min(row.value for row in rows) > 0


def test_a_report_needs_results(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no results"):
        write_report(tmp_path, tmp_path)


def test_the_performance_page_names_commands_and_figures_that_exist() -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert set(re.findall(r"python -m benchmarks (\w+)", page)) <= {*BENCHMARKS, "all", "report"}
    assert all((ROOT / "docs" / figure).exists() for figure in re.findall(r"\]\((figures/[\w-]+\.png)\)", page))


def test_a_whole_run_is_seen_from_outside_and_any_bit_that_differs_is_found(tmp_path: Path) -> None:
    overrides = ["agents.count=6", "agents.inducing=5", "agents.pilot=30", "run.rounds=2", "run.probes=2"]
    seen = whole_run("field", None, overrides, out=tmp_path / "a")
    assert len(seen.rounds) == len(seen.sent) == 2
    assert 0 < seen.learning < seen.total < seen.process
    assert seen.peak > 2**20
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert ranks.differences(tmp_path / "a", tmp_path / "b") == 0
    table = tmp_path / "b" / "metrics.csv"
    table.write_text(table.read_text().replace(".", ".1", 1))
    assert ranks.differences(tmp_path / "a", tmp_path / "b") > 0


def test_a_run_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"agents\.count"):
        whole_run("field", None, ["agents.count=-1"])
