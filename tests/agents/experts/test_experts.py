"""Laws of fitted models seen through one interface."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR, LinearSVC

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Classifier, Regressor
from coolgp.agents.experts.network import ACTIVATIONS, Network, mlp_of, network_of
from coolgp.agents.experts.sparse_gp import SparseGPRegressor

X = np.random.default_rng(0).normal(size=(60, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0] + 0.1 * np.random.default_rng(1).normal(size=60)
REGRESSORS = {
    "forest": RandomForestRegressor(50, random_state=0),
    "support vectors": SVR(),
    "pipeline": make_pipeline(StandardScaler(), GaussianProcessRegressor(alpha=0.1)),
    "sparse GP": SparseGPRegressor(n_inducing=8, max_iter=3, random_state=0),
}
CLASSES = {"two": 2, "three": 3}


def perceptron(classes: int, activation: str = "relu", hidden: tuple[int, ...] = (6, 5)) -> MLPClassifier:
    x, y = load_iris(return_X_y=True)
    rows = y < classes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPClassifier(hidden, activation=activation, max_iter=30, random_state=0)
        return model.fit(x[rows], np.array(["setosa", "versicolor", "virginica"])[y[rows]])


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_predicts_as_it_does_by_itself(name: str) -> None:
    model = REGRESSORS[name].fit(X, Y)
    mean, std = expert_of(model).predict(X[:7])
    assert np.array_equal(mean, model.predict(X[:7]))
    assert np.isnan(std).all() if name == "support vectors" else (std > 0).all()


def test_a_forest_says_how_rows_of_its_leaves_spread() -> None:
    """Of one tree the moments are those of the rows in a leaf; of many they are those of a mixture of such leaves."""
    one = RandomForestRegressor(1, min_samples_leaf=10, bootstrap=False, random_state=0).fit(X, Y)
    leaf = one.apply(X)[:, 0] == one.apply(X[:1])[0, 0]
    mean, std = expert_of(one).predict(X[:1])
    np.testing.assert_allclose((mean[0], std[0]), (Y[leaf].mean(), Y[leaf].std()), rtol=1e-10)
    many = RandomForestRegressor(8, min_samples_leaf=10, bootstrap=False, max_features=1, random_state=0).fit(X, Y)
    leaves = [Y[tree.apply(X) == tree.apply(X[:1])] for tree in many.estimators_]
    second = np.mean([np.mean(np.square(each)) for each in leaves])
    mean, std = expert_of(many).predict(X[:1])
    np.testing.assert_allclose(std[0] ** 2, second - mean[0] ** 2, rtol=1e-10)


def test_trees_that_agree_by_chance_are_not_sure() -> None:
    std = expert_of(RandomForestRegressor(2, random_state=0).fit(X, Y)).predict(X)[1]
    assert std.min() > 0.02 * Y.std()
    assert np.isnan(expert_of(RandomForestRegressor(2).fit(X, np.ones(60))).predict(X)[1]).all()


@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_perceptron_and_its_weights_are_the_same_function_there_and_back(classes: int, activation: str) -> None:
    model, x = perceptron(classes, activation), load_iris().data
    network = network_of(model)
    assert network.predict_proba(x) == pytest.approx(model.predict_proba(x), abs=1e-12)
    again = mlp_of(network)
    assert again.predict_proba(x) == pytest.approx(model.predict_proba(x), abs=1e-12)
    assert again.predict(x).tolist() == model.predict(x).tolist()


def test_a_perceptron_of_weights_goes_on_learning() -> None:
    x, y = load_iris(return_X_y=True)
    model = mlp_of(Network((np.full((4, 3), 0.1), np.full((3, 3), 0.1)), (np.zeros(3), np.zeros(3)), classes=[0, 1, 2]))
    before = model.coefs_[0].copy()
    model.partial_fit(x, y)
    assert not np.array_equal(model.coefs_[0], before)


def test_a_regression_network_survives_the_way_through_scikit_learn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPRegressor(hidden_layer_sizes=(5,), max_iter=20, random_state=0).fit(X, Y)
    assert mlp_of(network_of(model)).predict(X) == pytest.approx(model.predict(X), abs=1e-12)
    assert expert_of(model).parameters.widths == (5,)


def test_lists_of_arrays_and_functions_are_experts() -> None:
    arrays = [np.eye(2), np.zeros(2), np.ones((2, 1)), np.array([0.5])]
    assert expert_of(arrays).predict(np.array([[1.0, -1.0]]))[0] == pytest.approx([1.5])
    assert expert_of(lambda x: (x[:, 0], np.ones(len(x)))).predict(X)[1] == pytest.approx(np.ones(60))
    shares = expert_of(lambda x: np.full((len(x), 2), 0.5), classes=["no", "yes"]).predict_proba(X)
    assert shares == pytest.approx(0.5)


def test_an_expert_stays_as_it_is() -> None:
    expert = expert_of(REGRESSORS["forest"].fit(X, Y))
    assert expert_of(expert) is expert


@pytest.mark.parametrize(
    ("moments", "words"),
    [
        (lambda x: (x[:, 0] * np.nan, x[:, 0]), "what is not finite for 60 rows"),
        (lambda x: (x[:, 0], np.full(len(x), np.inf)), "standard deviation that is not finite for 60 rows"),
        (lambda x: (x[:, 0], np.where(np.arange(len(x)) < 3, np.nan, 1.0)), "deviation that is not finite for 3 rows"),
        (lambda x: (x[:, :2], x[:, 0]), r"needed a mean for each of 60 rows; got shape \(60, 2\)"),
        (lambda x: (x[:, 0], -np.ones(60)), "standard deviations of at least 0; got -1"),
    ],
)
def test_a_regressor_that_answers_wrongly_is_named(moments, words: str) -> None:
    with pytest.raises(ValueError, match=f"crooked: .*{words}"):
        Regressor("crooked", moments).predict(X)


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        (np.full((60, 2), 0.4), "probabilities that sum to one; got a sum of 0.8"),
        (np.full((60, 3), 1 / 3), "60 rows of 2 probabilities"),
        (np.tile([1.5, -0.5], (60, 1)), "at least 0; got -0.5"),
        (np.full((60, 2), np.nan), "at least 0"),
    ],
)
def test_a_classifier_that_answers_wrongly_is_named(shares, words: str) -> None:
    with pytest.raises(ValueError, match=f"crooked: .*{words}"):
        Classifier("crooked", lambda x: shares, np.array([0, 1])).predict_proba(X)


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match=r"needed a table of 4 columns; got shape \(60, 3\)"):
        expert_of(REGRESSORS["forest"].fit(X, Y)).predict(X[:, :3])


def test_models_that_cannot_be_experts_are_refused() -> None:
    with pytest.raises(NotFittedError):
        expert_of(LogisticRegression())
    with pytest.raises(ValueError, match="LinearSVC: needed a classifier with predict_proba"):
        expert_of(LinearSVC().fit(X, Y > 0))
    with pytest.raises(ValueError, match="got int"):
        expert_of(3)


@pytest.mark.parametrize(
    ("weights", "biases", "words"),
    [
        ([np.eye(2), np.eye(3)], [np.zeros(2), np.zeros(3)], "layer 0 of the network has 2 outputs and layer 1 3"),
        ([np.eye(2)], [np.zeros(3)], r"layer 0 of the network needs weights \[in, out\]"),
        ([np.eye(2) * np.nan], [np.zeros(2)], "layer 0 of the network has numbers that are not finite"),
        ([np.zeros((2, 0))], [np.zeros(0)], "at least one of each"),
        ([], [], "at least one; got 0 and 0"),
    ],
)
def test_layers_that_do_not_fit_are_refused(weights, biases, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Network(tuple(weights), tuple(biases))


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="relu, tanh, logistic, identity; got 'gelu'"):
        Network((np.eye(2),), (np.zeros(2),), "gelu")
