"""What the model of a run says of the rows of a table, from the command line."""

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge, LogisticRegression
from typer.testing import CliRunner

from coolgp.agents.experts.formats.files import write_model_file
from coolgp.scenarios import load_model, load_scenario, run
from coolgp.scenarios.cli.app import app

SMALL = ["agents.count=3", "agents.inducing=15", "agents.pilot=60", "agents.pilot_iterations=3", "run.rounds=3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "run"
    run(load_scenario("field", SMALL), folder, figures=False)
    return folder


def predicted(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["predict", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_line_for_each_row_whatever_the_order_of_columns(folder: Path, tmp_path: Path) -> None:
    model = load_model(folder)
    x = model.scaler.x_mean + model.scaler.x_scale * np.array([*model.model.basis.inducing[:2], [900.0, 900.0]])
    east, north = model.features
    table = "\n".join(f"p{place},{b},{a}" for place, (a, b) in enumerate(x.tolist()))
    (tmp_path / "new.csv").write_text(f"name,{north},{east}\n{table}\n")
    said = predicted(folder, tmp_path / "new.csv", "--agent", model.agents[1])
    assert "at 1 of 3 rows the agent knows next to nothing" in said
    found, wanted = lines(tmp_path / "new-predicted.csv"), model.predict(x, model.agents[1])
    np.testing.assert_array_equal([float(line["mean"]) for line in found], wanted.mean)
    np.testing.assert_array_equal([float(line["std"]) for line in found], np.sqrt(wanted.variance))
    width = [float(line["high95"]) - float(line["low95"]) for line in found]
    np.testing.assert_allclose(width, 2 * 1.96 * np.sqrt(wanted.variance), rtol=1e-4)
    assert [line["row"] for line in found] == ["1", "2", "3"]
    np.testing.assert_allclose(model.known(x)[2], 0.0, atol=1e-6)
    assert (model.known(x)[:2] > 0.5).all()


def test_of_classes_their_names_and_probabilities(tmp_path: Path) -> None:
    scenario = load_scenario({"data": {"source": "class-field", "task": "classification"}}, SMALL)
    run(scenario, tmp_path / "run", figures=False)
    model = load_model(tmp_path / "run")
    (tmp_path / "new.csv").write_text(",".join(model.features) + "\n0.1,0.2\n0.8,0.4\n")
    predicted(tmp_path / "run", tmp_path / "new.csv", "--out", tmp_path / "found.csv")
    for line in lines(tmp_path / "found.csv"):
        shares = {label: float(line[f"probability of {label}"]) for label in model.classes}
        assert sum(shares.values()) == pytest.approx(1.0)
        assert line["class"] == max(shares, key=lambda label: shares[label])


def test_mistakes_are_said_at_once_and_nothing_is_replaced_unasked(folder: Path, tmp_path: Path) -> None:
    east, north = load_model(folder).features
    (tmp_path / "bad.csv").write_text(f"name,{north}\na,1\nb,\n")
    said = predicted(folder, tmp_path / "bad.csv", code=2)
    assert f'no column "{east}"' in said
    assert f'column "{north}"' in said
    (tmp_path / "good.csv").write_text(f"{east},{north}\n0.5,0.5\n")
    predicted(folder, tmp_path / "good.csv")
    assert "--overwrite" in predicted(folder, tmp_path / "good.csv", code=2)
    predicted(folder, tmp_path / "good.csv", "--overwrite")
    assert "needed the model.npz" in predicted(tmp_path, tmp_path / "good.csv", "--overwrite", code=2)


def test_models_in_files_predict_too_and_say_which_columns_they_took(tmp_path: Path) -> None:
    pytest.importorskip("skops")
    x = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]])
    write_model_file(tmp_path / "line.skops", BayesianRidge().fit(x, x @ [1.0, 2.0]))
    write_model_file(tmp_path / "sides.skops", LogisticRegression().fit(x, ["low", "low", "high", "high"]))
    (tmp_path / "new.csv").write_text("a,b\n1.0,1.0\n3,3\n")
    said = predicted(tmp_path / "line.skops", tmp_path / "new.csv")
    assert "names no inputs: the columns a, b are taken for these, in this order" in said
    found = lines(tmp_path / "new-predicted.csv")
    np.testing.assert_allclose([float(line["mean"]) for line in found], [3.0, 9.0], rtol=1e-3)
    predicted(tmp_path / "sides.skops", tmp_path / "new.csv", "--overwrite")
    assert [line["class"] for line in lines(tmp_path / "new-predicted.csv")] == ["low", "high"]
    (tmp_path / "wide.csv").write_text("a,b,c\n1,1,1\n")
    assert "takes 2 and names none" in predicted(tmp_path / "line.skops", tmp_path / "wide.csv", code=2)
    assert "leave it out" in predicted(
        tmp_path / "line.skops", tmp_path / "new.csv", "--agent", "1", "--overwrite", code=2
    )


def test_a_folder_of_fused_surrogates_predicts_as_a_model_of_nobody(tmp_path: Path) -> None:
    pytest.importorskip("skops")
    x = np.random.default_rng(0).normal(size=(30, 2))
    for name, slope in (("a", 1.0), ("b", 2.0)):
        write_model_file(tmp_path / f"{name}.skops", BayesianRidge().fit(x, x @ [slope, 1.0]))
    (tmp_path / "new.csv").write_text("u,v\n" + "\n".join(f"{u},{v}" for u, v in x.tolist()))
    models = [str(tmp_path / f"{name}.skops") for name in "ab"]
    fuse = ["fuse", *models, "--rule", "colbi", "--inputs", str(tmp_path / "new.csv"), "--out", str(tmp_path / "fused")]
    assert CliRunner().invoke(app, fuse).exit_code == 0
    predicted(tmp_path / "fused", tmp_path / "new.csv")
    assert len(lines(tmp_path / "new-predicted.csv")) == 30
