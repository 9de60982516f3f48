"""Laws of fusing sparse Gaussian processes: identities, evidence that adds up, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.sparse.collapsed import Parameters, posterior_of
from coolgp.fusion.matching.gps.beliefs import JITTER, Belief, Hyperparameters, belief_of, shared_hyperparameters
from coolgp.fusion.matching.gps.fusion import GPMatching, carried, interpolated
from coolgp.fusion.matching.studies.regions import drawn_regions, regions_study

RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, size=(120, 2))
Y = np.sin(X[:, 0]) * X[:, 1] + 0.1 * RNG.normal(size=120)
QUERIES = RNG.uniform(-2, 2, size=(30, 2))
SETTINGS = Hyperparameters(0.0, np.array([1.2, 0.9]), 1.5, 0.01)
INPUTS = RNG.uniform(-2, 2, size=(15, 2))


def belief(x: np.ndarray, y: np.ndarray, inputs: np.ndarray = INPUTS, settings: Hyperparameters = SETTINGS) -> Belief:
    """What the collapsed bound says of f at the inputs."""
    at = Parameters(inputs, settings.lengthscale, settings.signal_variance, settings.noise_variance)
    mean, covariance = posterior_of(x, y - settings.level, at, settings.kernel, JITTER).inducing_moments()
    return Belief(inputs, mean + settings.level, covariance, settings)


def moments(fused: object, x: np.ndarray = QUERIES) -> tuple[np.ndarray, np.ndarray]:
    return fused.predict(x, return_std=True)  # type: ignore[attr-defined,no-any-return]


def test_evidence_of_parts_of_the_rows_adds_up_to_that_of_all() -> None:
    apart = [belief(X[rows], Y[rows]) for rows in np.array_split(np.arange(120), 4)]
    fused = moments(carried(INPUTS, apart, SETTINGS))
    at = Parameters(INPUTS, SETTINGS.lengthscale, SETTINGS.signal_variance, SETTINGS.noise_variance)
    mean, variance = posterior_of(X, Y, at, SETTINGS.kernel, JITTER).predict(QUERIES, SETTINGS.kernel)
    np.testing.assert_allclose(fused[0], mean, atol=1e-6)
    np.testing.assert_allclose(fused[1], np.sqrt(variance + SETTINGS.noise_variance), atol=1e-6)


@pytest.mark.parametrize("leftover", [False, True])
def test_one_fitted_model_is_the_identity(leftover: bool) -> None:
    model = SparseGPRegressor(n_inducing=12, random_state=0).fit(X, Y)
    fused = GPMatching(leftover=leftover).fuse([belief_of(model)])
    assert fused.labels[0].tolist() == list(range(12))
    mean, std = model.predict(QUERIES, return_std=True)
    np.testing.assert_allclose(moments(fused)[0], mean, atol=1e-6)
    np.testing.assert_allclose(moments(fused)[1], std, atol=1e-6)


def test_a_belief_without_rows_changes_nothing() -> None:
    prior = SETTINGS.factor(INPUTS)
    empty = Belief(INPUTS, np.full(15, SETTINGS.level), prior @ prior.T, SETTINGS)
    alone, both = (carried(INPUTS, beliefs, SETTINGS) for beliefs in ([belief(X, Y)], [belief(X, Y), empty]))
    np.testing.assert_allclose(moments(both)[0], moments(alone)[0], atol=1e-7)
    np.testing.assert_allclose(moments(both)[1], moments(alone)[1], atol=1e-7)


@pytest.mark.parametrize("form", ["evidence", "published"])
def test_a_constant_added_to_all_targets_is_added_to_the_mean(form: str) -> None:
    parts, fusion = np.array_split(np.arange(120), 3), GPMatching(form)  # type: ignore[arg-type]
    plain = fusion.fuse([belief(X[rows], Y[rows]) for rows in parts])
    high = replace(SETTINGS, level=3.0)
    other = fusion.fuse([belief(X[rows], Y[rows] + 3.0, settings=high) for rows in parts])
    np.testing.assert_allclose(moments(other)[0], moments(plain)[0] + 3.0, atol=1e-6)
    np.testing.assert_allclose(moments(other)[1], moments(plain)[1], atol=1e-6)


def test_models_of_different_levels_are_evidence_of_the_same_function() -> None:
    parts = np.array_split(np.arange(120), 2)
    levels = [replace(SETTINGS, level=level) for level in (-0.3, 0.4)]
    beliefs = [belief(X[rows], Y[rows], settings=one) for rows, one in zip(parts, levels, strict=True)]
    both = carried(INPUTS, beliefs, SETTINGS)
    truth = np.sin(QUERIES[:, 0]) * QUERIES[:, 1]
    errors = [
        np.sqrt(np.square(moments(one)[0] - truth).mean()) for one in (both, carried(INPUTS, beliefs[:1], SETTINGS))
    ]
    assert errors[0] < errors[1]


def test_leftover_variance_never_makes_the_fused_process_more_certain() -> None:
    beliefs = [belief(X[:60], Y[:60]), belief(X[60:], Y[60:], RNG.uniform(-2, 2, size=(15, 2)))]
    few = RNG.uniform(-2, 2, size=(6, 2))
    sure, unsure = (moments(carried(few, beliefs, SETTINGS, leftover)) for leftover in (False, True))
    assert (unsure[1] >= sure[1] - 1e-9).all()
    assert (unsure[1] > sure[1] + 1e-4).any()


def test_the_order_of_models_changes_nothing() -> None:
    beliefs = [belief(X[rows], Y[rows], X[rows[:9]]) for rows in np.array_split(np.arange(120), 3)]
    for form in ("evidence", "published"):
        fusion = GPMatching(form, noise_variance=1e-3)  # type: ignore[arg-type]
        plain, other = fusion.fuse(beliefs), fusion.fuse(beliefs[::-1])
        np.testing.assert_allclose(moments(other)[0], moments(plain)[0], atol=1e-5)


def test_the_published_form_passes_the_matched_values() -> None:
    fused = GPMatching("published", nugget=0.0).fuse([belief(X, Y)] * 3)
    assert len(fused.inducing_inputs) == 15
    np.testing.assert_allclose(moments(fused, INPUTS[np.argsort(fused.labels[0])])[0].shape, (15,))
    np.testing.assert_allclose(moments(fused, INPUTS)[0], belief(X, Y).mean, atol=1e-3)


def test_interpolated_values_are_those_given() -> None:
    values = np.sin(INPUTS[:, 0])
    np.testing.assert_allclose(moments(interpolated(INPUTS, values, SETTINGS, 0.0), INPUTS)[0], values, atol=1e-3)


def test_shared_hyperparameters_are_medians() -> None:
    beliefs = [
        belief(X, Y, settings=replace(SETTINGS, signal_variance=variance, noise_variance=variance / 10))
        for variance in (0.1, 1.0, 100.0)
    ]
    shared = shared_hyperparameters(beliefs)
    assert shared.signal_variance == pytest.approx(1.0)
    assert shared.noise_variance == pytest.approx(0.1)


def test_models_that_do_not_fit_are_refused() -> None:
    one = belief(X, Y)
    with pytest.raises(ValueError, match="at least one"):
        GPMatching().fuse([])
    with pytest.raises(ValueError, match="one kernel and the same inputs"):
        GPMatching().fuse([one, replace(one, hyperparameters=replace(SETTINGS, kernel=KERNELS["matern32"]))])
    with pytest.raises(ValueError, match="form of fusion"):
        GPMatching("other").fuse([one])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"mean \[M\]"):
        Belief(INPUTS, np.zeros(3), np.eye(15), SETTINGS)
    with pytest.raises(ValueError, match="finite"):
        Belief(INPUTS, np.full(15, np.nan), np.eye(15), SETTINGS)


def test_cells_are_disjoint_and_overlapping_regions_are_full() -> None:
    assert all(len(x) == 50 for x, _ in drawn_regions(0, regions=5, rows=50).rows)
    cells = drawn_regions(0, regions=5, rows=50, overlap=False).rows
    centres = np.stack([x.mean(axis=0) for x, _ in cells])
    assert np.linalg.norm(centres[:, None] - centres, axis=2)[np.triu_indices(5, 1)].min() > 0.05


def test_evidence_through_matched_inputs_beats_all_pairs_together() -> None:
    of = {error.method: error for error in regions_study(seeds=[0])}
    assert of["evidence, matched inputs"].rmse < 0.95 * of["all pairs"].rmse
    assert of["evidence, matched inputs"].inducing < 0.4 * of["all pairs"].inducing
    assert of["matched pairs, as published"].rmse < of["k-means of pairs"].rmse
    assert of["matched pairs, as published"].rmse < of["local models, mean"].rmse / 3
