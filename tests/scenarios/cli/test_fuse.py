"""``coolgp fuse`` on files that other programs wrote: what comes out, and one sentence for whatever is wrong."""

import csv
import json
import pickle
import subprocess
import sys
import warnings
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
import skops.io
from safetensors.numpy import load_file, save_file
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner, Result

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.formats.files import read_model_file, sha256, write_model_file
from coolgp.agents.experts.network import network_of
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.experts.weights import network_in
from coolgp.fusion.blackbox.gaussians import product
from coolgp.fusion.matching.networks.baselines import aligned, averaged
from coolgp.scenarios.base.lock import claimed_file
from coolgp.scenarios.cli.app import app

from tests.run_folders import table

X, Y = load_iris(return_X_y=True)
TARGET = X[:, 0] - X[:, 2]
RUN = "coolgp run field --agents 4 --rounds 2 --set agents.inducing=8 --no-figures --out run"


def fuse(place: Path, *arguments: str) -> Result:
    with chdir(place):
        return CliRunner(env={"COLUMNS": "300"}).invoke(app, ["fuse", *arguments], catch_exceptions=False)


def torch_file(path: Path, inputs: int, outputs: int, seed: int = 0) -> None:
    """As torch.nn.Sequential(Linear(inputs, 6), ReLU(), Linear(6, outputs)).state_dict() is saved."""
    rng = np.random.default_rng(seed)
    shapes = {"0.weight": (6, inputs), "0.bias": (6,), "2.weight": (outputs, 6), "2.bias": (outputs,)}
    save_file({name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}, path)


def write_table(path: Path, columns: dict[str, object]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])


def inputs(x: np.ndarray) -> dict[str, object]:
    return {f"x{i}": column.tolist() for i, column in enumerate(x.T)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, seed in (("a", 0), ("b", 1)):
            pipeline = make_pipeline(StandardScaler(), MLPClassifier((6,), max_iter=60, random_state=seed))
            skops.io.dump(pipeline.fit(X, Y), folder / f"{name}.skops")
        plain = MLPRegressor(hidden_layer_sizes=(6,), max_iter=60, random_state=0).fit(X[:, :2], TARGET)
        skops.io.dump(make_pipeline(StandardScaler(), LinearRegression()).fit(X[:, :2], TARGET), folder / "line.skops")
    write_model_file(folder / "plain.npz", network_of(plain))
    torch_file(folder / "torch.safetensors", 4, 3)
    torch_file(folder / "torch-number.safetensors", 2, 1)
    torch_file(folder / "narrow.safetensors", 2, 3)
    torch_file(folder / "wide.safetensors", 4, 5)
    forests = {"forest": RandomForestClassifier(5, random_state=0).fit(X, Y)}
    forests["forest-number"] = RandomForestRegressor(5, random_state=0).fit(X[:, :2], TARGET)
    for name, forest in forests.items():
        width = forest.n_features_in_
        (folder / f"{name}.onnx").write_bytes(to_onnx(forest, X[:1, :width].astype(np.float32)).SerializeToString())
    for name in ("north", "south"):
        gp = SparseGPRegressor(n_inducing=6, max_iter=3, random_state=0).fit(X[:, :2] + (name == "south"), TARGET)
        skops.io.dump(gp, folder / f"{name}.skops", compression=0)
    write_table(folder / "all.csv", inputs(X) | {"kind": Y.tolist()})
    write_table(folder / "one.csv", inputs(X[:40]) | {"kind": Y[:40].astype(float).tolist()})
    write_table(folder / "two.csv", inputs(X[:, :2]))
    (folder / "model.pkl").write_bytes(pickle.dumps(LinearRegression()))
    (folder / "damaged.npz").write_bytes(b"PK\x03\x04 cut off")
    (folder / "damaged.onnx").write_bytes(b"nothing")
    with chdir(folder):
        CliRunner().invoke(app, RUN.split()[1:], catch_exceptions=False)
    (folder / "empty").mkdir()
    return folder


@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".skops"])
def test_a_pipeline_and_a_network_of_pytorch_are_fused_over_a_graph_and_read_again(place: Path, ending: str) -> None:
    files = ("a.skops", "torch.safetensors", "b.skops")
    done = fuse(place, *files, "--graph", "ring", "--out", f"fused{ending}", "--overwrite")
    assert done.exit_code == 0, done.stderr
    assert "6 hidden units" in done.stdout
    card = json.loads((place / f"fused{ending}.json").read_text())
    assert card["fused"]["sha256"] == sha256(place / f"fused{ending}")
    assert [model["sha256"] for model in card["models"]] == [sha256(place / name) for name in files]
    assert card["rule"], card["graph"] == ("pfnm", "ring")
    assert card["settings"]["mass"] == 50.0
    network = network_in(place / f"fused{ending}")
    assert network.classes is not None
    assert network.classes.tolist() == [0, 1, 2]
    first = network_in(place / "fused.npz")
    np.testing.assert_allclose(network.predict_proba(X), first.predict_proba(X), atol=1e-12)


def test_what_is_fused_is_what_python_fuses(place: Path) -> None:
    done = fuse(place, "a.skops", "b.skops", "--rule", "average", "--out", "mean.npz")
    assert done.exit_code == 0, done.stderr
    expected = averaged([network_in(place / "a.skops"), network_in(place / "b.skops")])
    np.testing.assert_allclose(network_in(place / "mean.npz").outputs(X), expected.outputs(X), atol=1e-12)


def test_rows_of_the_owners_choose_the_setting_and_are_scored(place: Path) -> None:
    given = ("--shards", "all.csv", "one.csv", "--target", "kind", "--set", "fusion.head=refit")
    done = fuse(place, "a.skops", "b.skops", *given, "--out", "chosen.safetensors")
    assert done.exit_code == 0, done.stderr
    assert "of the 190 rows of all owners the models get right" in done.stdout
    card = json.loads((place / "chosen.safetensors.json").read_text())
    assert [shard["sha256"] for shard in card["shards"]] == [sha256(place / name) for name in ("all.csv", "one.csv")]
    assert card["settings"]["head"] == "refit"
    network = network_in(place / "chosen.safetensors")
    assert (network.outputs(X).argmax(1) == Y).mean() > 0.8
    assert load_file(place / "chosen.safetensors")["0.weight"].shape == (network.widths[0], 4)


def test_baselines_of_matching_leave_networks_that_are_read_again(place: Path) -> None:
    rows = ("--shards", "all.csv", "one.csv", "--target", "kind")
    first, second = network_in(place / "a.skops"), network_in(place / "b.skops")
    for rule, more in (("re-basin", ()), ("k-means", ("--set", "fusion.head=refit")), ("random-features", ())):
        done = fuse(place, "a.skops", "b.skops", "--rule", rule, *rows, *more, "--out", f"{rule}.npz")
        assert done.exit_code == 0, done.stderr
        assert "of the 190 rows of all owners" in done.stdout
        network = network_in(place / f"{rule}.npz")
        assert network.classes is not None
        right = (np.asarray(network.classes)[network.outputs(X).argmax(1)].astype(int) == Y).mean()
        assert rule == "re-basin" or right > 0.6
    expected = averaged([first, aligned(second, first)])
    np.testing.assert_allclose(network_in(place / "re-basin.npz").outputs(X), expected.outputs(X), atol=1e-12)
    chosen = json.loads((place / "k-means.npz.json").read_text())["settings"]["units"]
    assert chosen in ([3], [6], [9], [12])


def test_random_units_need_no_networks_but_their_classes(place: Path) -> None:
    rows = (
        "--shards",
        "all.csv",
        "one.csv",
        "--target",
        "kind",
        "--rule",
        "random-features",
        "--set",
        "fusion.units=9",
    )
    done = fuse(place, "forest.onnx", "forest.onnx", *rows, "--out", "units.npz")
    assert done.exit_code == 0, done.stderr
    assert network_in(place / "units.npz").widths == (9,)


def test_an_ensemble_takes_anything_and_leaves_predictions(place: Path) -> None:
    files = ("line.skops", "torch-number.safetensors", "forest-number.onnx", "run", "plain.npz")
    done = fuse(place, *files, "--rule", "ensemble", "--inputs", "two.csv", "--out", "mean.csv")
    assert done.exit_code == 0, done.stderr
    predictions = np.genfromtxt(place / "mean.csv", names=True, delimiter=",")
    own = [read_model_file(place / "line.skops").predict(X[:, :2]), network_in(place / "plain.npz").outputs(X[:, :2])]
    assert len(predictions) == len(own[0]) == 150
    models = json.loads((place / "mean.csv.json").read_text())["models"]
    assert models[3]["sha256"] == sha256(place / "run" / "model.npz")


def test_cigar_takes_anything_and_leaves_the_product_of_densities(place: Path) -> None:
    files = ("north.skops", "line.skops", "forest-number.onnx")
    settings = ("--set", "fusion.std=0.5", "--set", "fusion.uncertainty=product", "--graph", "star")
    done = fuse(place, *files, "--rule", "cigar", "--inputs", "two.csv", "--out", "product.csv", *settings)
    assert done.exit_code == 0, done.stderr
    assert f"{len(np.unique(X[:, :2], axis=0))} rows asked" in done.stdout  # each row once
    assert "3 sums over the graph, 12 messages" in done.stdout
    rows = table(place / "product.csv")
    means, stds = zip(*(expert_of(read_model_file(place / name)).predict(X[:, :2]) for name in files), strict=True)
    mean, std = product(np.array(means), np.array([stds[0], np.full(150, 0.5), np.full(150, 0.5)]))
    np.testing.assert_allclose([float(row["mean"]) for row in rows], mean, rtol=1e-9)
    np.testing.assert_allclose([float(row["std"]) for row in rows], std, rtol=1e-9)


def test_an_ensemble_of_classifiers_averages_probabilities(place: Path) -> None:
    done = fuse(place, "a.skops", "forest.onnx", "--rule", "ensemble", "--inputs", "all.csv", "--target", "kind")
    assert done.exit_code == 0, done.stderr
    rows = table(place / "fused.csv")
    forest = RandomForestClassifier(5, random_state=0).fit(X, Y).predict_proba(X)
    expected = (read_model_file(place / "a.skops").predict_proba(X) + forest) / 2
    shares = np.array([[float(row[f"probability_{label}"]) for label in range(3)] for row in rows])
    np.testing.assert_allclose(shares, expected, atol=1e-6)
    assert [int(row["class"]) for row in rows] == shares.argmax(1).tolist()


def test_networks_without_labels_predict_the_numbers_of_their_outputs(place: Path) -> None:
    given = ("--rule", "ensemble", "--inputs", "all.csv", "--target", "kind", "--out", "numbers.csv")
    done = fuse(place, *["torch.safetensors"] * 2, *given)
    assert done.exit_code == 0, done.stderr
    classes = [int(row["class"]) for row in table(place / "numbers.csv")]
    assert classes == network_in(place / "torch.safetensors").outputs(X).argmax(1).tolist()


def test_sparse_gps_are_fused_to_one_that_predicts(place: Path) -> None:
    done = fuse(place, "north.skops", "south.skops", "--rule", "spahm", "--graph", "complete", "--out", "gp.skops")
    assert done.exit_code == 0, done.stderr
    mean, std = read_model_file(place / "gp.skops").predict(X[:, :2], return_std=True)
    assert np.isfinite(mean).all()
    assert (std > 0).all()


def test_a_file_that_is_there_is_kept_unless_told(place: Path) -> None:
    for expected, more in ((0, ()), (2, ()), (0, ("--overwrite",))):
        done = fuse(place, "a.skops", "b.skops", "--out", "kept.npz", *more)
        assert done.exit_code == expected, done.stderr
    assert "kept.npz: cannot" not in done.stderr


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("a.skops", "forest.onnx"), "forest.onnx: pfnm fuses the weights of neural networks, and this model shows no"),
        (("north.skops", "south.skops"), "this model shows none: take --rule spahm, which fuses sparse GPs"),
        (("a.skops", "gone.npz"), "gone.npz: no such file"),
        (("a.skops", "model.pkl"), "model.pkl: is refused: loading a pickle runs whatever code it holds"),
        (("a.skops", "damaged.npz"), "damaged.npz: is no readable .npz file"),
        (("a.skops", "damaged.onnx"), "damaged.onnx: is no model that onnxruntime can load"),
        (("a.skops", "empty"), "empty/model.npz: needed the model.npz of a finished run"),
        (("a.skops", "narrow.safetensors"), "narrow.safetensors: takes 2 inputs and a.skops 4"),
        (
            ("a.skops", "wide.safetensors"),
            "wide.safetensors: has 5 outputs without labels; other models have",
        ),
        (("a.skops", "torch-number.safetensors"), "torch-number.safetensors: takes 2 inputs"),
        (("narrow.safetensors", "line.skops"), "line.skops: is a regressor and narrow.safetensors a classifier"),
        (("north.skops", "plain.npz", "--rule", "spahm"), "plain.npz: spahm fuses sparse Gaussian processes"),
        (("a.skops",), "at least two models; got 1"),
        (("a.skops", "b.skops", "--rule", "pfn"), 'did you mean "pfnm"?'),
        (("a.skops", "b.skops", "--set", "fusion.mas=2"), 'did you mean "mass"?'),
        (("a.skops", "b.skops", "--set", "fusion.mass=0"), "fusion.mass: needed"),
        (("a.skops", "b.skops", "--set", "network.loss=0.5"), "network.loss: files are fused without a network"),
        (("a.skops", "b.skops", "--graph", "gone.csv"), "gone.csv"),
        (("a.skops", "b.skops", "--out", "fused.onnx"), "fused.onnx: pfnm leaves a file that ends in .npz or"),
        (("a.skops", "b.skops", "--out", "a.skops"), "a.skops: is one of the files that are read"),
        (("a.skops", "b.skops", "--shards", "all.csv"), "--shards: needs --target"),
        (("a.skops", "b.skops", "--shards", "all.csv", "--target", "kind"), "needed a file for each of 2 models"),
        (("a.skops", "b.skops", "--shards", "two.csv", "all.csv", "--target", "x1"), "two.csv: has 1 inputs (x0)"),
        (("a.skops", "b.skops", "--inputs", "all.csv"), "all.csv: has 5 inputs"),
        (("a.skops", "b.skops", "--rule", "ensemble"), "the ensemble leaves no model in a file, but predictions"),
        (("a.skops", "b.skops", "--rule", "cigar"), "cigar leaves no model in a file, but predictions"),
        (
            ("line.skops", "plain.npz", "--inputs", "two.csv", "--rule", "cigar"),
            "line.skops: states no standard deviation, by which models are weighed",
        ),
        (("a.skops", "b.skops", "--set", "fusion.step=long", "--rule", "cigar"), "fusion.step: needed"),
        (("a.skops", "b.skops", "--rule", "k-means"), "k-means needs fusion.units, or --shards"),
        (("a.skops", "b.skops", "--rule", "random-features"), "random-features needs --shards"),
        (
            ("line.skops", "plain.npz", "--rule", "random-features"),
            "line.skops: is a regressor; random-features leaves",
        ),
        (("line.skops", "plain.npz", "--rule", "re-basin"), "line.skops: re-basin fuses the weights of neural"),
        (("a.skops", "b.skops", "all.csv"), "all.csv: is a table and no model"),
        (("a.skops", "b.skops", "--set", "fusion.head=refit"), "Refitting the output layer needs rows"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_what_is_wrong_is_one_sentence_and_leaves_no_file(place: Path, arguments: tuple[str, ...], words: str) -> None:
    before = sorted(path.name for path in place.iterdir())
    done = fuse(place, *(arguments if "--out" in arguments else (*arguments, "--out", f"none{_ending(arguments)}")))
    assert done.exit_code == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert sorted(path.name for path in place.iterdir()) == before


def _ending(arguments: tuple[str, ...]) -> str:
    return {"spahm": ".skops", "ensemble": ".csv", "cigar": ".csv"}.get(arguments[-1], ".npz")


def test_the_command_line_starts_without_the_libraries_that_only_models_need() -> None:
    program = "import sys, coolgp.scenarios.cli.app; print({'sklearn', 'onnxruntime', 'skops'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_two_commands_do_not_write_one_file(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "both.npz"
    with claimed_file(out):  # as a command does that is about to write it
        refused = fuse(place, "a.skops", "b.skops", "--out", str(out))
    assert refused.exit_code == 2
    assert "another process is about to write this file" in refused.stderr
    assert list(tmp_path.iterdir()) == []
