"""Surrogates: features that all owners have in common, products of surrogates, and their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Classifier, Regressor
from coolgp.agents.experts.formats.files import read_model_file, write_model_file
from coolgp.agents.experts.surrogates.features import InducingFeatures, features_over
from coolgp.agents.experts.surrogates.linear import FusedLinearSurrogates, LinearSurrogate, product
from coolgp.agents.experts.surrogates.softmax import SoftmaxSurrogate
from coolgp.agents.kernels.registry import KERNELS

RNG = np.random.default_rng(0)
POOL = RNG.normal(size=(40, 3))
X = RNG.normal(size=(7, 3))
FEATURES = features_over(POOL, 10, np.random.default_rng(1))


def linear(owners: int = 4) -> FusedLinearSurrogates:
    mean, log_std = RNG.normal(size=(owners, 11)), 0.2 * RNG.normal(size=(owners, 11))
    return FusedLinearSurrogates(LinearSurrogate(FEATURES, mean, log_std), 1.0 / owners)


def softmax() -> SoftmaxSurrogate:
    return SoftmaxSurrogate(FEATURES, RNG.normal(size=(11, 3)), np.array(["cat", "dog", "owl"]))


def test_features_have_the_kernels_inner_products_at_the_inducing_inputs() -> None:
    inputs = FEATURES.inducing_inputs / FEATURES.lengthscale
    phi = FEATURES(FEATURES.inducing_inputs)
    assert phi[:, 1:] @ phi[:, 1:].T == pytest.approx(KERNELS[FEATURES.kernel].values(inputs, inputs), abs=1e-5)
    assert (phi[:, 0] == 1.0).all()


def test_features_exist_for_constant_inputs_repeated_rows_and_no_inducing_inputs() -> None:
    pool = np.repeat(np.column_stack([POOL[:6], np.full(6, 5.0)]), 3, axis=0)
    assert features_over(pool, 10, np.random.default_rng(0))(pool).shape == (18, 7)
    assert InducingFeatures(np.empty((0, 4)), np.ones(4))(pool).tolist() == [[1.0]] * 18


def test_a_product_of_equal_densities_is_that_density_by_powers_and_narrower_without() -> None:
    means, stds = np.full((5, 3), 2.0), np.full((5, 3), 0.5)
    assert product(means, stds, 0.2) == (pytest.approx(means[0]), pytest.approx(stds[0] ** 2))
    assert product(means, stds, 1.0)[1] == pytest.approx(stds[0] ** 2 / 5)


def test_a_product_of_softmax_surrogates_has_the_sum_of_their_weights() -> None:
    first, second = softmax(), softmax()
    both = SoftmaxSurrogate(FEATURES, first.weights + second.weights, first.classes).predict_proba(X)
    shares = first.predict_proba(X) * second.predict_proba(X)
    assert both == pytest.approx(shares / shares.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("model", [linear(), softmax()], ids=["linear", "softmax"])
def test_a_file_of_surrogates_predicts_as_they_do(model: Any, tmp_path: Path) -> None:
    write_model_file(tmp_path / "surrogate.npz", model)
    read, same = (expert_of(each) for each in (read_model_file(tmp_path / "surrogate.npz"), model))
    assert read.inputs == 3
    if isinstance(read, Regressor):
        assert isinstance(same, Regressor)
        assert np.array_equal(read.predict(X), same.predict(X))
        return
    assert isinstance(same, Classifier)
    assert read.classes.tolist() == ["cat", "dog", "owl"]
    assert np.array_equal(read.predict_proba(X), same.predict_proba(X))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"surrogate": "cubic"}, "surrogates of the kind 'cubic'; needed linear or softmax"),
        ({"mean_weights": np.full((4, 11), np.nan)}, "wrong: 'mean_weights'"),
        ({"mean_weights": np.zeros((4, 9))}, "wrong: 'weights'"),
        ({"power": np.array(-1.0)}, "wrong: 'power'"),
        ({"kernel": "cubic"}, "wrong: 'features'"),
        ({"lengthscale": np.zeros(3)}, "wrong: 'features'"),
        ({"inducing_inputs": None}, "wrong: 'inducing_inputs'"),
    ],
)
def test_damaged_surrogates_are_refused_in_one_sentence(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "surrogate.npz"
    write_model_file(path, linear())
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files} | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(ValueError, match=message):
        read_model_file(path)
