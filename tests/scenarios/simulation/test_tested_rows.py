"""Laws of ``run.evaluate_rows``: a fixed subset of test rows in rounds between, all of them after the last."""

import re
from pathlib import Path

import numpy as np
import pytest

from coolgp.scenarios import resume
from coolgp.scenarios.config.loading import read_recorded, read_scenario, resolve
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.metrics.words import alike
from coolgp.scenarios.plots.run_tables import subset_words
from coolgp.scenarios.records.run_folder import read_metrics, read_run
from coolgp.scenarios.runs.run import run
from coolgp.scenarios.simulation.assembly import assemble
from coolgp.scenarios.simulation.rounds import simulate
from coolgp.scenarios.simulation.tested_rows import LEAST, Work, choose_tested, evaluated_count

from tests.lifecycle import stop_after

ROUNDS, ROWS, ALL = 3, 150, 3600


def scenario(rows: object = ROWS, rule: str = "tree", **run_settings: object) -> Scenario:
    return resolve(
        {
            "data": {"source": "field"},
            "agents": {"count": 6, "inducing": 12, "batch_size": 4, "pilot": 60, "inducing_choice": "kmeans"},
            "fusion": {"rule": rule},
            "run": {"rounds": ROUNDS, "probes": 3, "evaluate_rows": rows, "checkpoint_minutes": 0.0} | run_settings,
        },
        "tested",
    )


@pytest.mark.parametrize("rule", ["tree", "poe", "npae", "none"])
def test_rounds_between_have_the_scores_of_the_subset_and_the_last_one_those_of_all_rows(rule):
    some, every = (list(simulate(assemble(scenario(rows, rule)))) for rows in (ROWS, "all"))
    for step, full in zip(some, every, strict=True):
        rows = step.record.probed.tested
        assert len(rows) == (ALL if step is some[-1] else ROWS)
        for when in ("pre", "post"):
            part, whole = getattr(step.record.probed, when), getattr(full.record.probed, when)
            np.testing.assert_allclose(part.mean, whole.mean[:, rows], rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(part.variance, whole.variance[:, rows], rtol=1e-9, atol=1e-12)


def test_the_subset_is_the_same_in_each_round_and_for_each_rule_and_another_for_another_seed():
    chosen = [assemble(scenario(rule=rule)).tested for rule in ("tree", "consensus")]
    np.testing.assert_array_equal(*chosen)
    assert not np.array_equal(chosen[0], assemble(scenario(seed=1)).tested)


def test_a_run_says_how_many_rows_its_scores_are_over(tmp_path: Path):
    run(scenario(), tmp_path / "run", figures=False)
    metrics = read_metrics(tmp_path / "run")
    assert metrics["test_rows"].tolist() == [ROWS, ROWS, ALL]
    assert "150 of 3,600 test rows" in subset_words(metrics)
    assert subset_words({name: column[-1:] for name, column in metrics.items()}) == ""


def test_curves_are_over_the_same_rows_in_each_round_and_the_last_score_over_all(tmp_path: Path):
    """The last row on the subset is that of a run which never asks at other rows, up to how its products round."""
    part, every = tmp_path / "part", tmp_path / "every"
    records = run(scenario(), part, figures=False)
    run(scenario("all"), every, figures=False)
    some, full = read_metrics(part), read_metrics(every)
    simulation, probed = assemble(scenario()), records[-1].probed
    tested, dataset = simulation.tested, simulation.dataset
    last = {
        f"rmse_{when}": np.sqrt(np.square(forecast.mean - dataset.y_test)[:, tested].mean(1)).mean()
        for when, forecast in (("pre", probed.pre), ("post", probed.post))
    }
    for name, value in last.items():
        np.testing.assert_array_equal(alike(some, name)[:-1], some[name][:-1])
        assert alike(some, name)[-1] == pytest.approx(value, rel=1e-12)
        assert some[name][-1] == pytest.approx(full[name][-1], rel=1e-9)
        np.testing.assert_array_equal(alike(full, name), full[name])
    probes = read_run(every).probes
    np.testing.assert_array_equal(probes.curve_post, probes.rmse_post)
    older = {name: column for name, column in some.items() if not name.endswith("_subset")}
    np.testing.assert_array_equal(alike(older, "nlpd_post"), some["nlpd_post"])


def test_a_run_of_a_version_without_the_key_goes_on_with_all_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its folder lacks the key; a new scenario without it takes the subset."""
    whole, stopped, to_toml = tmp_path / "whole", tmp_path / "stopped", Scenario.to_toml
    run(scenario("all"), whole, figures=False)
    with monkeypatch.context() as before:
        before.setattr(Scenario, "to_toml", lambda self: re.sub("evaluate_rows.*\n", "", to_toml(self)))
        with pytest.raises(KeyboardInterrupt):
            run(scenario("all"), stopped, figures=False, watch=stop_after(2))
    config = stopped / "config.toml"
    assert read_scenario(config).run.evaluate_rows == "auto"
    assert read_recorded(config).run.evaluate_rows == "all"
    resume(stopped, figures=False)
    for name, column in read_metrics(whole).items():
        if not name.startswith("seconds"):
            np.testing.assert_array_equal(read_metrics(stopped)[name], column)


def test_hashes_of_scenarios_are_those_of_versions_without_the_key():
    settings = {"data": {"source": "field"}}
    said = resolve(settings | {"run": {"evaluate_rows": "auto"}}, "a")
    assert said.hash8() == resolve(settings, "a").hash8()
    assert said.hash8() != resolve(settings | {"run": {"evaluate_rows": "all"}}, "a").hash8()


def test_auto_spends_no_more_on_evaluation_than_on_learning_unless_that_leaves_too_few_rows():
    rng = np.random.default_rng(0)
    for _ in range(300):
        tests, rounds, every = (int(n) for n in rng.integers([1, 1, 1], [20_000, 100, 20]))
        work = Work(*np.exp(rng.uniform([10, 5, 5], [25, 15, 15])))
        count, between = evaluated_count("auto", tests, work, rounds, every), -(-rounds // every) - 1
        assert min(LEAST, tests) <= count <= tests
        if count > LEAST and between:
            assert between * count * work.row + tests * work.last <= work.round * rounds * (1 + 1e-9)


def test_every_probe_keeps_a_row_of_its_own():
    owner, probes = np.repeat(np.arange(20), 5), np.array([3, 7, 19])
    for count in (1, 4, 9, 100):
        chosen = choose_tested(count, 100, probes, owner, seed=0)
        assert set(probes) <= set(owner[chosen])
        assert (np.diff(chosen) > 0).all()
        assert len(chosen) <= max(count, 2 * len(probes))


@pytest.mark.parametrize("rows", [0, -5, "some", 2.5])
def test_what_is_no_number_of_rows_is_refused(rows):
    with pytest.raises(ValueError, match="evaluate_rows"):
        scenario(rows)
