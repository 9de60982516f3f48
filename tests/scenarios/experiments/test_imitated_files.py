"""``coolgp fuse --rule colbi``: models in files are imitated, and what is left predicts without them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import BayesianRidge, LogisticRegression
from sklearn.svm import SVR
from typer.testing import CliRunner

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.formats.files import read_model_file
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.records.models import model_in

X, Y = load_diabetes(return_X_y=True)
IRIS, LABELS = load_iris(return_X_y=True)


def coolgp_fuse(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["fuse", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for place, name in enumerate("ab"):
        skops.io.dump(BayesianRidge().fit(X[60 * place :][:60], Y[60 * place :][:60]), f"{name}.skops")
    skops.io.dump(SVR(C=50).fit(X[:60], Y[:60]), "silent.skops")
    _table("inputs.csv", X[200:260])
    _table("tests.csv", X[400:])
    return tmp_path


def _table(path: str, x: np.ndarray) -> None:
    header = ",".join(f"x{place}" for place in range(x.shape[1]))
    np.savetxt(path, x, delimiter=",", header=header, comments="", fmt="%.17g")


def test_a_folder_of_surrogates_predicts_when_the_models_are_gone() -> None:
    out = coolgp_fuse("a.skops", "b.skops", "--rule", "colbi", "--inputs", "inputs.csv", "--out", "surrogate/")
    assert "60 rows asked" in out
    assert "predicts without asking any model" in out
    means = [BayesianRidge().fit(X[60 * place :][:60], Y[60 * place :][:60]).predict(X[400:]) for place in (0, 1)]
    for path in (Path("a.skops"), Path("b.skops")):
        path.unlink()
    mean, std = expert_of(model_in("surrogate")).predict(X[400:])  # type: ignore[union-attr]
    assert np.sqrt(np.mean((mean - np.mean(means, axis=0)) ** 2)) < 0.25 * np.std(means)
    assert (std > 20).all()
    card = json.loads(Path("surrogate/model.npz.json").read_text())
    assert card["rule"] == "colbi"
    assert [each["file"] for each in card["models"]] == ["a.skops", "b.skops"]
    assert card["inputs"]["file"] == "inputs.csv"
    coolgp_fuse("surrogate", "surrogate/model.npz", "--rule", "ensemble", "--inputs", "tests.csv", "--out", "p.csv")
    table = np.genfromtxt("p.csv", delimiter=",", names=True)
    np.testing.assert_allclose(table["mean"], mean)


def test_classifiers_leave_one_surrogate_of_summed_weights() -> None:
    order = np.random.default_rng(0).permutation(150)
    for place in range(3):
        rows = order[place::4]
        skops.io.dump(LogisticRegression(max_iter=500).fit(IRIS[rows], LABELS[rows]), f"iris{place}.skops")
    _table("iris.csv", IRIS[order[3::4]])
    models = [f"iris{place}.skops" for place in range(3)]
    coolgp_fuse(*models, "--rule", "colbi", "--inputs", "iris.csv", "--graph", "ring", "--out", "iris.npz")
    model = expert_of(read_model_file("iris.npz"))
    assert np.mean(model.predict_proba(IRIS).argmax(axis=1) == LABELS) > 0.9  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a.skops", "b.skops"], "--inputs: colbi asks the models for answers to rows without targets"),
        (["a.skops", "silent.skops", "--inputs", "inputs.csv"], "silent.skops: states no standard deviation"),
        (["a.skops", "b.skops", "--inputs", "inputs.csv", "--out", "x.skops"], "colbi leaves a file that ends in .npz"),
        (
            ["a.skops", "b.skops", "--inputs", "inputs.csv", "--set", "fusion.objective=published"],
            '"published" has diverged',
        ),
        (["a.skops", "b.skops", "--inputs", "inputs.csv", "--set", "experts.queries=30"], "0 of 30 are used"),
        (["a.skops", "b.skops", "--inputs", "inputs.csv", "--set", "fusion.inducing=0"], "fusion.inducing"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_and_nothing_is_written(arguments: list[str], words: str) -> None:
    out = coolgp_fuse(*arguments, "--rule", "colbi", code=2)
    assert words in " ".join(out.split())
    assert not Path("fused.npz").exists()


def test_inputs_are_refused_by_rules_that_ask_nothing() -> None:
    out = coolgp_fuse("a.skops", "b.skops", "--rule", "pfnm", "--inputs", "inputs.csv", code=2)
    assert "they are for cigar and colbi and colbi-parameters and ensemble" in " ".join(out.split())


def test_a_standard_deviation_may_be_given_for_models_that_state_none() -> None:
    settings = ["--inputs", "inputs.csv", "--set", "fusion.std=60", "--out", "s.npz"]
    coolgp_fuse("a.skops", "silent.skops", "--rule", "colbi", *settings)
    assert expert_of(read_model_file("s.npz")).inputs == 10


def test_a_damaged_folder_of_surrogates_is_said_to_be_one() -> None:
    Path("broken").mkdir()
    Path("broken/model.npz").write_bytes(b"no archive")
    assert "broken" in coolgp_fuse("broken", "a.skops", "--rule", "ensemble", "--inputs", "tests.csv", code=2)


def test_one_surrogate_of_all_models_predicts_when_they_are_gone(files: Path) -> None:
    out = coolgp_fuse("a.skops", "b.skops", "--rule", "colbi-parameters", "--inputs", "inputs.csv", "--out", "one/")
    assert "1 surrogate of" in out
    own = [skops.io.load(f"{name}.skops").predict(X[200:260]) for name in "ab"]
    (files / "a.skops").unlink()
    fused = expert_of(model_in("one")).predict(X[200:260])[0]
    between = np.abs(own[0] - own[1]).mean()
    assert np.abs(fused - np.mean(own, axis=0)).mean() < between
    refused = ("--rule", "colbi-parameters", "--set", "fusion.steps=3", "--out", "no/")
    assert "does not take it" in coolgp_fuse("b.skops", "silent.skops", *refused, code=2)


def test_a_single_model_that_is_missing_is_said_to_be_missing_first() -> None:
    said = coolgp_fuse("gone.skops", code=2)
    assert said.index("gone.skops: no such file") < said.index("at least two models; got 1")
