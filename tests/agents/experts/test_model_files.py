"""Model files: what other programs wrote is read, what is written is read again, what is wrong is said in one line."""

import pickle
import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import skops.io
from safetensors.numpy import save_file
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.formats import format as format_module
from coolgp.agents.experts.formats.files import FORMATS, read_model_file, sha256, write_model_file
from coolgp.agents.experts.network import Network, mlp_of
from coolgp.agents.experts.sparse_gp import SparseGPRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3))
Y = X.sum(1) + 0.1 * RNG.normal(size=50)
TORCH = {  # as torch.nn.Sequential(Linear(3, 5), ReLU(), Linear(5, 2)).state_dict() names them
    "0.weight": RNG.normal(size=(5, 3)).astype(np.float32),
    "0.bias": RNG.normal(size=5).astype(np.float32),
    "2.weight": RNG.normal(size=(2, 5)).astype(np.float32),
    "2.bias": RNG.normal(size=2).astype(np.float32),
}


def by_torch_rules(x):
    hidden = np.maximum(x @ TORCH["0.weight"].T.astype(float) + TORCH["0.bias"], 0)
    return hidden @ TORCH["2.weight"].T.astype(float) + TORCH["2.bias"]


def network(classes: list[str] | None = None) -> Network:
    weights = (RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2)))
    return Network(weights, (RNG.normal(size=4), RNG.normal(size=2)), "tanh", classes and np.array(classes))


def test_weights_named_by_pytorch_are_read_as_they_are(tmp_path: Path) -> None:
    save_file(TORCH, tmp_path / "net.safetensors")
    assert read_model_file(tmp_path / "net.safetensors").outputs(X) == pytest.approx(by_torch_rules(X), abs=1e-12)


def test_layers_are_ordered_by_the_numbers_in_their_names(tmp_path: Path) -> None:
    layers = {
        f"fc{i}.{kind}": np.eye(2) * i if kind == "weight" else np.zeros(2)
        for i in (10, 9, 1)
        for kind in ("weight", "bias")
    }
    save_file(layers, tmp_path / "net.safetensors")
    assert [weight[0, 0] for weight in read_model_file(tmp_path / "net.safetensors").weights] == [1, 9, 10]


def test_a_plain_list_of_arrays_is_a_network(tmp_path: Path) -> None:
    arrays = [RNG.normal(size=(3, 4)), np.zeros(4), RNG.normal(size=(4, 1)), np.ones(1)]
    np.savez(tmp_path / "net.npz", *arrays)
    mean, _ = expert_of(read_model_file(tmp_path / "net.npz")).predict(X)
    assert mean == pytest.approx(np.maximum(X @ arrays[0], 0) @ arrays[2][:, 0] + 1)


@pytest.mark.parametrize("classes", [None, ["no", "yes"]], ids=["regressor", "classifier"])
@pytest.mark.parametrize("ending", [".safetensors", ".npz"])
def test_a_network_that_is_written_is_read_again(ending: str, classes: list[str] | None, tmp_path: Path) -> None:
    model, path = network(classes), tmp_path / f"net{ending}"
    write_model_file(path, model)
    again = read_model_file(path)
    assert np.array_equal(again.outputs(X), model.outputs(X))
    assert again.activation == "tanh"
    assert (again.classes is None) if classes is None else (again.classes.tolist() == classes)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", [".safetensors", ".npz"])
def test_arrays_that_are_parts_of_others_are_written_as_they_are(ending: str, tmp_path: Path) -> None:
    block = RNG.normal(size=(4, 12))
    model = Network((block[:3, ::3], block[:, 1::6]), (block[:, 5], block[:2, 7]))
    write_model_file(tmp_path / f"net{ending}", model)
    assert np.array_equal(read_model_file(tmp_path / f"net{ending}").outputs(X), model.outputs(X))


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), GaussianProcessRegressor(alpha=0.1)),
        SparseGPRegressor(n_inducing=6, max_iter=2, random_state=0),
    ],
    ids=["pipeline", "sparse GP"],
)
def test_a_scikit_learn_model_that_is_written_is_read_again(model, tmp_path: Path) -> None:
    write_model_file(tmp_path / "model.skops", model.fit(X, Y))
    assert read_model_file(tmp_path / "model.skops").predict(X) == pytest.approx(model.predict(X))


def test_a_perceptron_made_of_weights_is_written_and_read(tmp_path: Path) -> None:
    model = mlp_of(network(["no", "yes"]))
    write_model_file(tmp_path / "model.skops", model)
    assert read_model_file(tmp_path / "model.skops").predict_proba(X) == pytest.approx(model.predict_proba(X))


def test_an_onnx_regressor_answers_as_the_model_does(tmp_path: Path) -> None:
    model = RandomForestRegressor(5, random_state=0).fit(X, Y)
    (tmp_path / "forest.onnx").write_bytes(to_onnx(model, X[:1].astype(np.float32)).SerializeToString())
    expert = expert_of(read_model_file(tmp_path / "forest.onnx"))
    assert expert.inputs == 3
    assert expert.predict(X)[0] == pytest.approx(model.predict(X), abs=1e-4)


@pytest.mark.parametrize("mapped", [True, False], ids=["ZipMap", "tensor"])
def test_an_onnx_classifier_answers_with_probabilities(mapped: bool, tmp_path: Path) -> None:
    labels = np.where(Y > 0, 1, 0)
    model = RandomForestClassifier(5, random_state=0).fit(X, labels)
    converted = to_onnx(model, X[:1].astype(np.float32), options={id(model): {"zipmap": mapped}})
    (tmp_path / "forest.onnx").write_bytes(converted.SerializeToString())
    expert = expert_of(read_model_file(tmp_path / "forest.onnx"))
    assert expert.predict_proba(X) == pytest.approx(model.predict_proba(X), abs=1e-4)
    assert expert.classes.tolist() == [0, 1]


@pytest.mark.parametrize("ending", [".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin"])
def test_pickles_are_refused_with_the_way_to_convert_them(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{ending}"
    path.write_bytes(pickle.dumps(LinearRegression().fit(X, Y)))
    with pytest.raises(ValueError, match=f"model\\{ending}: is refused: loading a pickle runs .* convert it: s"):
        read_model_file(path)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("content", [b"", b"not a model", pickle.dumps({"weight": 1}), b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_said_in_one_sentence(ending: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"model{ending}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
        read_model_file(path)
    assert "\n" not in str(caught.value)


def test_a_pickle_in_a_file_of_numpy_is_not_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "net.npz", **{"0.weight": np.array([{"a": 1}], dtype=object)})
    with pytest.raises(ValueError, match=r"no readable \.npz file of plain numbers"):
        read_model_file(tmp_path / "net.npz")


def test_types_that_nobody_trusts_are_refused_by_name(tmp_path: Path) -> None:
    skops.io.dump(make_pipeline(FunctionTransformer(shutil.rmtree), LinearRegression()), tmp_path / "m.skops")
    with pytest.raises(ValueError, match=r"types that skops does not trust: shutil\.rmtree; hand"):
        read_model_file(tmp_path / "m.skops")


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"conv.weight": np.zeros((2, 2, 3, 3)), "conv.bias": np.zeros(2)}, "conv.weight has 4 axes"),
        ({"embedding": np.zeros((2, 2))}, "needs tensors N.weight .* got embedding"),
        ({"0.bias": np.zeros(2)}, "got 0.bias"),
        ({"0.weight": np.zeros((2, 3)), "2.weight": np.zeros((2, 4))}, "layer 0 of the network has 2 outputs"),
        ({"0.weight": np.full((2, 3), np.nan)}, "numbers that are not finite"),
    ],
)
def test_tensors_of_other_networks_are_refused(tensors, words: str, tmp_path: Path) -> None:
    save_file(tensors, tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match=words):
        read_model_file(tmp_path / "net.safetensors")


def test_a_missing_library_is_named_with_the_line_that_installs_it(tmp_path: Path, monkeypatch) -> None:
    def missing(name: str):
        raise ImportError(name)

    save_file(TORCH, tmp_path / "net.safetensors")
    monkeypatch.setattr(format_module, "import_module", missing)
    with pytest.raises(ValueError, match=r'needs safetensors, .*: pip install "coolgp\[safetensors\]"'):
        read_model_file(tmp_path / "net.safetensors")


def test_files_that_are_not_there_or_of_no_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.npz: no such file"):
        read_model_file(tmp_path / "gone.npz")
    (tmp_path / "table.csv").write_text("1")
    with pytest.raises(ValueError, match=r"needed a model file that ends in \.safetensors, .*; got \.csv"):
        read_model_file(tmp_path / "table.csv")


def test_a_model_that_a_format_has_no_place_for_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="safetensors files hold networks alone; got LinearRegression"):
        write_model_file(tmp_path / "m.safetensors", LinearRegression())
    with pytest.raises(ValueError, match=r"models are not written as \.onnx: take \.safetensors, \.npz, \.skops"):
        write_model_file(tmp_path / "m.onnx", network())
    assert not list(tmp_path.iterdir())


def test_the_checksum_is_that_of_the_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf")


def test_no_warning_of_single_precision_reaches_the_reader(tmp_path: Path) -> None:
    save_file(TORCH, tmp_path / "net.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_model_file(tmp_path / "net.safetensors").weights[0].dtype == np.float64
