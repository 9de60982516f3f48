"""`coolgp personalise`: files in, a folder with model, report and card out, and what is refused."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPRegressor
from sklearn.svm import SVR

import coolgp
from coolgp.agents.experts.network import network_of
from coolgp.scenarios.base.lock import claimed

from tests.command_line import coolgp_says

RNG = np.random.default_rng(0)


def waves(count: int) -> tuple[np.ndarray, np.ndarray]:
    x = RNG.uniform(-2, 2, (count, 1))
    return x, np.sin(2 * x[:, 0]) + 0.05 * RNG.normal(size=count)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models of three owners of each kind, and tables."""
    folder = tmp_path_factory.mktemp("personalise")
    x, y = load_iris(return_X_y=True)
    for owner in range(3):
        gp = coolgp.SparseGPRegressor(6, max_iter=5, random_state=0).fit(*waves(40))
        coolgp.write_model_file(folder / f"gp{owner}.skops", gp)
        rows = np.flatnonzero(y != owner)[::2]
        box = LogisticRegression(max_iter=500).fit(x[rows], y[rows])
        coolgp.write_model_file(folder / f"box{owner}.skops", box)
    inputs, targets = waves(5)
    np.savetxt(folder / "few.csv", np.c_[inputs, targets], delimiter=",", header="x,y", comments="")
    few = [0, 60, 120, 1, 61, 121]
    names = "a,b,c,d"
    np.savetxt(folder / "iris.csv", np.c_[x[few], y[few]], "%g", ",", header=f"{names},kind", comments="")
    np.savetxt(folder / "pool.csv", x, "%g", ",", header=names, comments="")
    for owner in range(3):
        svr = SVR(C=10).fit(*waves(60))
        coolgp.write_model_file(folder / f"svr{owner}.skops", svr)
    np.savetxt(folder / "line.csv", np.linspace(-2, 2, 40), header="x", comments="")
    wide = coolgp.SparseGPRegressor(4, max_iter=0, random_state=0).fit(RNG.normal(size=(20, 2)), RNG.normal(size=20))
    coolgp.write_model_file(folder / "wide.skops", wide)
    for owner in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            net = MLPRegressor(hidden_layer_sizes=(5,), max_iter=20, random_state=owner).fit(*waves(40))
        coolgp.write_model_file(folder / f"net{owner}.npz", network_of(net))
    with np.load(folder / "net0.npz") as arrays:
        np.savez(
            folder / "nan.npz",
            **{name: array * np.nan if array.dtype.kind == "f" else array for name, array in arrays.items()},
        )
    (folder / "path.csv").write_text("gp2,gp1\ngp0,gp2\n")
    (folder / "other.csv").write_text("north,gp1\n")
    return folder


FEW = ("--examples", "few.csv", "--target", "y")


def gps(here: Path) -> list[Path]:
    return [here / f"gp{owner}.skops" for owner in range(3)]


def boxes(here: Path) -> list[Path]:
    return [here / f"box{owner}.skops" for owner in range(3)]


def test_the_folder_has_the_model_its_report_and_a_card(here: Path, tmp_path: Path) -> None:
    few, out = ("--examples", here / "few.csv", "--target", "y"), tmp_path / "mine"
    says = coolgp_says("personalise", *gps(here), *few, "--out", out)
    assert "chosen: mixture of Gaussian process priors" in says
    card = json.loads((out / "card.json").read_text())
    assert len(card["models"]) == 3
    assert sum(card["report"]["weights"].values()) == pytest.approx(1.0)
    assert "chosen: mixture" in (out / "report.txt").read_text()
    x = np.linspace(-2, 2, 20)[:, None]
    mean = coolgp.read_model_file(out / "model.skops").predict(x)
    assert np.sqrt(np.mean(np.square(mean - np.sin(2 * x[:, 0])))) < 0.3
    assert "is there already; give --overwrite" in coolgp_says("personalise", *gps(here), *few, "--out", out, code=2)
    coolgp_says("personalise", *gps(here), *few, "--out", out, "--overwrite")


def test_classifiers_that_only_answer_leave_predictions_of_the_rows_without_labels(here: Path, tmp_path: Path) -> None:
    few = ("--examples", here / "iris.csv", "--target", "kind", "--out", tmp_path)
    refused = coolgp_says("personalise", *boxes(here), *few, code=2)
    assert "classifiers that only answer need rows without labels" in refused
    assert not list(tmp_path.iterdir())
    says = coolgp_says("personalise", *boxes(here), *few, "--unlabelled", here / "pool.csv")
    assert "prototypes of the newcomer's classes" in says
    lines = (tmp_path / "predictions.csv").read_text().splitlines()
    assert lines[0] == "class,probability_0,probability_1,probability_2"
    found = np.array([int(line.split(",")[0]) for line in lines[1:]])
    assert np.mean(found == load_iris().target) > 0.85


@pytest.mark.parametrize("named", ["path.csv", "ring"])
def test_over_a_graph_by_name_or_file_the_model_is_the_same(here: Path, tmp_path: Path, named: str) -> None:
    few = ("--examples", here / "few.csv", "--target", "y")
    graph = here / named if named.endswith("csv") else named
    coolgp_says("personalise", *gps(here), *few, "--out", tmp_path / "over", "--graph", graph)
    coolgp_says("personalise", *gps(here), *few, "--out", tmp_path / "here")
    assert json.loads((tmp_path / "over" / "card.json").read_text())["graph"] == str(graph)
    x = np.linspace(-2, 2, 20)[:, None]
    over, plain = (coolgp.read_model_file(tmp_path / name / "model.skops").predict(x) for name in ("over", "here"))
    np.testing.assert_allclose(over, plain, atol=1e-6)


def test_regressors_that_only_answer_leave_a_model_in_a_file(here: Path, tmp_path: Path) -> None:
    svrs = [here / f"svr{owner}.skops" for owner in range(3)]
    few = ("--examples", here / "few.csv", "--target", "y", "--out", tmp_path)
    assert "asked: give unlabelled" in coolgp_says("personalise", *svrs, *few, code=2)
    says = coolgp_says("personalise", *svrs, *few, "--unlabelled", here / "line.csv", "--queries", 40)
    assert "from surrogates" in says
    assert "at most 40 of a model (40 allowed)" in says
    x = np.linspace(-2, 2, 20)[:, None]
    mean = coolgp.read_model_file(tmp_path / "model.skops").predict(x)
    assert np.sqrt(np.mean(np.square(mean - np.sin(2 * x[:, 0])))) < 0.3


def test_files_of_broken_models_are_named_and_left_out(here: Path, tmp_path: Path) -> None:
    few = ("--examples", here / "few.csv", "--target", "y", "--out", tmp_path)
    nets = [here / f"net{owner}.npz" for owner in range(2)]
    for models, bad, reason in (
        (gps(here)[:2], here / "wide.skops", "takes 2 inputs; the newcomer's rows have 1"),
        (nets, here / "nan.npz", "layer 0 of the network has numbers that are not finite"),
    ):
        says = coolgp_says("personalise", *models, bad, *few, "--graph", "star", "--overwrite")
        assert f"left out: {bad}: {reason}" in says
        assert json.loads((tmp_path / "card.json").read_text())["report"]["models_left_out"] == {str(bad): reason}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("gp0.skops", "no.npz", "--examples", "few.csv", "--target", "y"), "no.npz: no such file"),
        (("gp0.skops", "--examples", "few.csv", "--target", "y"), "at least two models; got 1"),
        (("gp0.skops", "gp1.skops", "--examples", "few.csv", "--target", "z"), 'no column "z"; columns: x, y'),
        (("gp0.skops", "gp1.skops", "--examples", "iris.csv", "--target", "kind"), "takes 1"),
        (
            ("gp0.skops", "box1.skops", "--examples", "few.csv", "--target", "y"),
            "models that are fused predict the same",
        ),
        (("gp0.skops", "gp1.skops", *FEW, "--graph", "other.csv"), 'other.csv: has a node "north", and no model has'),
        (("gp0.skops", "gp1.skops", *FEW, "--graph", "no.csv"), "There is no topology file"),
        (("gp0.skops", "gp1.skops", *FEW, "--graph", "path.csv"), "path.csv: has 3 nodes; needed one for each of 2"),
        (("gp0.skops", "gp1.skops", *FEW, "--queries", "0"), "experts.queries: needed"),
        (("gp0.skops", "gp1.skops", "--examples", "few.csv", "--target", "y", "--out", "few.csv"), "is a file"),
    ],
)
def test_mistakes_are_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(here)
    assert words in coolgp_says("personalise", *arguments, code=2)
    assert not (here / "mine").exists()


def test_two_commands_do_not_write_one_folder(here: Path, tmp_path: Path) -> None:
    few, out = ("--examples", here / "few.csv", "--target", "y"), tmp_path / "mine"
    with claimed(out, "model"):
        says = coolgp_says("personalise", *gps(here), *few, "--out", out, code=2)
    assert "another process is at work on this model" in says
    assert not out.exists()
