"""What fusion takes for a model and what it gives back, and matching over a graph."""

import warnings
from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.formats.files import read_model_file, write_model_file
from coolgp.agents.experts.network import Network, network_of
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.experts.weights import network_in
from coolgp.fusion.matching.networks.layers import sub_network
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.settings import Setting
from coolgp.fusion.matching.sets.spahm import SPAHM

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
ONE_SETTING = PFNM(settings=(Setting(noise_variance=0.1, read_out="mean"),))
GRAPHS = {"ring": nx.cycle_graph(5), "star": nx.star_graph(4), "path": nx.path_graph(5), "all": nx.complete_graph(5)}


def perceptron(seed: int, hidden: tuple[int, ...] = (6,), target: np.ndarray = NAMES) -> MLPClassifier:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MLPClassifier(hidden, max_iter=20, random_state=seed).fit(X, target)


def drawn(seed: int, hidden: tuple[int, ...]) -> Network:
    rng, sizes = np.random.default_rng(seed), (4, *hidden, 3)
    weights = tuple(rng.normal(size=shape) for shape in pairwise(sizes))
    return Network(weights, tuple(rng.normal(size=size) for size in sizes[1:]))


def test_perceptrons_records_and_files_fuse_alike(tmp_path: Path) -> None:
    models = [perceptron(seed) for seed in range(3)]
    networks = [network_of(model) for model in models]
    for place, network in enumerate(networks):
        write_model_file(tmp_path / f"{place}.npz", network)
    paths = [tmp_path / f"{place}.npz" for place in range(3)]
    expected = ONE_SETTING.fuse(networks).network.outputs(X)
    for given in (models, paths, [str(path) for path in paths], [models[0], paths[1], networks[2]]):
        np.testing.assert_array_equal(ONE_SETTING.fuse(given).network.outputs(X), expected)


def test_arrays_fuse_as_the_networks_that_they_are() -> None:
    networks = [drawn(seed, (5,)) for seed in range(3)]
    arrays = [[one.weights[0], one.biases[0], one.weights[1], one.biases[1]] for one in networks]
    expected = ONE_SETTING.fuse(networks).network.outputs(X)
    np.testing.assert_array_equal(ONE_SETTING.fuse(arrays).network.outputs(X), expected)


def test_the_fused_network_is_a_fitted_perceptron_with_the_labels_of_those_that_were_fused() -> None:
    fused = PFNM().fuse([perceptron(seed) for seed in range(3)], shards=[(X, NAMES)] * 3)
    model = fused.as_mlp()
    assert model.predict(X).tolist() == fused.network.classes[fused.predict(X)].tolist()
    np.testing.assert_allclose(model.predict_proba(X), fused.network.predict_proba(X), atol=1e-12)
    model.partial_fit(X, NAMES)


def test_outputs_without_labels_get_them_where_they_are_given() -> None:
    fused = ONE_SETTING.fuse([drawn(0, (5,)), drawn(1, (5,))])
    assert set(fused.as_mlp(["a", "b", "c"]).predict(X)) <= {"a", "b", "c"}
    assert fused.as_mlp().predict(X).shape == (150, 3)


def test_shards_name_classes_by_label_or_number() -> None:
    labelled = [perceptron(seed) for seed in range(2)]
    numbered = [perceptron(seed, target=Y) for seed in range(2)]
    by_label = PFNM().fuse(labelled, shards=[(X, NAMES)] * 2)
    by_number = PFNM().fuse(numbered, shards=[(X, Y)] * 2)
    assert by_label.setting == by_number.setting
    np.testing.assert_array_equal(by_label.network.outputs(X), by_number.network.outputs(X))
    with pytest.raises(ValueError, match="Shard 1 has a class 'rose' that the networks do not have: setosa, versi"):
        PFNM().fuse(labelled, shards=[(X, NAMES), (X[:1], ["rose"])])


@pytest.mark.parametrize("scaler", [StandardScaler(), StandardScaler(with_std=False), MinMaxScaler()], ids=repr)
def test_scalers_before_a_perceptron_go_into_its_first_layer(scaler: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(
            scaler, StandardScaler(), MLPRegressor(hidden_layer_sizes=(5,), max_iter=20, random_state=0)
        ).fit(X, Y)
    np.testing.assert_allclose(network_in(pipeline).outputs(X)[:, 0], pipeline.predict(X), atol=1e-10)


def test_a_model_without_weights_is_refused_and_named() -> None:
    with pytest.raises(ValueError, match=r"Network 1: needed a neural network, .*; LogisticRegression has no weights"):
        ONE_SETTING.fuse([perceptron(0), LogisticRegression(max_iter=1000).fit(X, NAMES)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bent = make_pipeline(
            PolynomialFeatures(), MLPRegressor(hidden_layer_sizes=(5,), max_iter=5, random_state=0)
        ).fit(X, Y)
    assert expert_of(bent).parameters is None


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize("hidden", [(9,), (9, 7)], ids=["one layer", "two layers"])
def test_permuted_copies_fuse_to_the_same_function_over_any_graph(graph: nx.Graph, hidden: tuple[int, ...]) -> None:
    one = drawn(0, hidden)
    copies = [
        sub_network(one, [np.random.default_rng(seed).permutation(width) for width in hidden]) for seed in range(5)
    ]
    fused = ONE_SETTING.fuse(copies, graph=graph)
    assert fused.network.widths == hidden
    np.testing.assert_allclose(fused.network.outputs(X), one.outputs(X), atol=1e-10)


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_no_walk_of_a_token_lowers_the_objective(graph: nx.Graph) -> None:
    fused = ONE_SETTING.fuse([drawn(seed, (12, 10)) for seed in range(5)], graph=graph)
    assert all((np.diff(values) >= -1e-9).all() for values in fused.objective)


def test_graphs_that_do_not_fit_the_models_are_refused() -> None:
    networks = [drawn(seed, (5,)) for seed in range(3)]
    with pytest.raises(ValueError, match="needs a node for each of 3 models; got 4"):
        ONE_SETTING.fuse(networks, graph=nx.path_graph(4))
    with pytest.raises(ValueError, match="connected"):
        ONE_SETTING.fuse(networks, graph=nx.empty_graph(3))


def test_a_fused_sparse_gp_is_an_estimator_that_is_stored_and_fused_again(tmp_path: Path) -> None:
    def fitted(seed: int) -> SparseGPRegressor:
        rows = np.random.default_rng(seed).permutation(150)[:70]
        return SparseGPRegressor(n_inducing=6, max_iter=3, random_state=0).fit(X[rows], Y[rows].astype(float))

    fused = SPAHM().fuse([fitted(seed) for seed in range(3)])
    write_model_file(tmp_path / "fused.skops", fused.as_regressor())
    again = read_model_file(tmp_path / "fused.skops")
    for own, expected in zip(again.predict(X, return_std=True), fused.predict(X, return_std=True), strict=True):
        np.testing.assert_allclose(own, expected, atol=1e-12)
    twice = SPAHM().fuse([tmp_path / "fused.skops"])
    np.testing.assert_allclose(twice.predict(X), fused.predict(X), atol=1e-8)
