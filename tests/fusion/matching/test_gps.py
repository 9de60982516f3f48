"""Laws of fusing sparse Gaussian processes: identities, evidence that adds up, and what is refused."""

from collections.abc import Sequence
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.sparse.collapsed import Parameters, posterior_of
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.matching.gps.agreement import common_prior, common_units
from coolgp.fusion.matching.gps.evidence import Noise, carried, evidence_rows, fused_from_row
from coolgp.fusion.matching.gps.fused import fused_evidence, fused_pairs
from coolgp.fusion.matching.gps.matched import matched
from coolgp.fusion.matching.gps.pairs import pairs
from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.fusion.sums.consensus import Consensus
from coolgp.network.graphs.generate import generate
from coolgp.network.serial import SerialTransport

from tests.fusion.matching.problems import partition_of

KERNEL, JITTER = "se", 1e-6
RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, size=(120, 2))
Y = np.sin(X[:, 0]) * X[:, 1] + 0.1 * RNG.normal(size=120)
QUERIES = RNG.uniform(-2, 2, size=(30, 2))
INPUTS = RNG.uniform(-2, 2, size=(15, 2))
OTHER_INPUTS = RNG.uniform(-2, 2, size=(12, 2))
AT = Parameters(INPUTS, np.array([1.2, 0.9]), 1.5, 0.01)
PARTS = np.array_split(np.arange(120), 4)
FORMS = pytest.mark.parametrize("form", ["evidence", "published"])
LEFTOVER = pytest.mark.parametrize("leftover", [False, True])


def owner(rows: Sequence[int], at: Parameters = AT, center: float = 0.0, shift: float = 0.0) -> SparseGP:
    """What the collapsed bound makes of some rows, whose targets are shifted."""
    posterior = posterior_of(X[rows], Y[rows] + shift - center, at, KERNELS[KERNEL], JITTER)
    return SparseGP.of_posterior(posterior, center, KERNEL, JITTER)


def apart() -> list[SparseGP]:
    """Four owners with inducing inputs and hyper-parameters of their own."""
    rng = np.random.default_rng(1)
    return [
        owner(rows, Parameters(X[rows[:9]], AT.lengthscale * rng.uniform(0.9, 1.1), 1.5 + 0.1 * number, 0.01), 0.1)
        for number, rows in enumerate(PARTS)
    ]


def assert_same(first: SparseGP, second: SparseGP, tolerance: float = 1e-8) -> None:
    for one, other in zip(first.predict(QUERIES), second.predict(QUERIES), strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance)


@LEFTOVER
def test_owners_of_the_same_inducing_inputs_fuse_to_the_sparse_gp_of_all_rows(leftover: bool) -> None:
    fused = SPAHM().fuse([owner(rows) for rows in PARTS], leftover=leftover)
    assert fused.counts.tolist() == [4] * 15
    central = posterior_of(X, Y, AT, KERNELS[KERNEL], JITTER)
    mean, variance = central.predict(QUERIES, KERNELS[KERNEL])
    fused_mean, std = fused.predict(QUERIES, return_std=True)
    np.testing.assert_allclose(fused_mean, mean, atol=1e-8)
    np.testing.assert_allclose(std, np.sqrt(variance + AT.noise_variance), atol=1e-8)


@LEFTOVER
def test_one_fitted_model_is_the_identity(leftover: bool) -> None:
    model = SparseGPRegressor(n_inducing=12, random_state=0).fit(X, 3.0 + 5.0 * Y)
    fused = SPAHM().fuse([model], leftover=leftover)
    np.testing.assert_array_equal(fused.inducing_inputs[fused.labels[0]], model.inducing_inputs_)
    for one, other in zip(
        fused.predict(QUERIES, return_std=True), model.predict(QUERIES, return_std=True), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-8)


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler((-1, 2))], ids=["standard", "min-max"])
def test_scalers_before_a_model_are_taken_back(scaler: object) -> None:
    pipeline = make_pipeline(scaler, SparseGPRegressor(n_inducing=10, random_state=0, max_iter=5))
    pipeline.fit(X * [1e3, 1.0] + 5.0, Y)
    queries = QUERIES * [1e3, 1.0] + 5.0
    mean, std = pipeline.predict(queries, return_std=True)
    fused = SPAHM().fuse([pipeline]).predict(queries, return_std=True)
    np.testing.assert_allclose(fused[0], mean, atol=1e-8)
    np.testing.assert_allclose(fused[1], std, atol=1e-8)


@LEFTOVER
def test_carried_evidence_is_that_of_dense_formulas(leftover: bool) -> None:
    local, union = owner(PARTS[0], replace(AT, lengthscale=AT.lengthscale * 1.1), 0.3), common_prior(apart(), INPUTS)
    union = replace(union, parameters=replace(union.parameters, inducing_inputs=OTHER_INPUTS))
    (mean, spread), one = local.moments(), replace(union, parameters=replace(union.parameters, inducing_inputs=INPUTS))
    own_prior = local.factor @ local.factor.T
    precision = np.linalg.inv(spread) - np.linalg.inv(own_prior)
    shift = np.linalg.solve(spread, mean) - np.linalg.solve(own_prior, np.full(15, local.center))
    across = np.linalg.solve(union.factor @ union.factor.T, union.covariance(INPUTS)).T
    if leftover:
        rest = one.factor @ one.factor.T - across @ union.covariance(INPUTS)
        widened = np.linalg.inv(np.eye(15) + precision @ rest)
        precision, shift = widened @ precision, widened @ (shift - precision @ np.full(15, union.center))
    else:
        shift = shift - precision @ np.full(15, union.center)
    evidence = carried(local, union, leftover)
    root = union.factor
    expected = root.T @ across.T @ precision @ across @ root
    scale = np.abs(expected).max()
    np.testing.assert_allclose(evidence.precision / scale, expected / scale, atol=1e-6)  # inverses of the oracle
    expected_shift = root.T @ across.T @ shift
    np.testing.assert_allclose(evidence.shift, expected_shift, atol=1e-5 * np.abs(expected_shift).max())


def test_moments_of_another_program_hold_the_evidence() -> None:
    local = owner(PARTS[0], center=0.3)
    rebuilt = SparseGP.of_moments(local.parameters, *local.moments(), local.center, KERNEL, JITTER)
    assert_same(rebuilt, local, 1e-6)


def test_an_owner_without_rows_changes_nothing() -> None:
    empty = common_prior([owner(PARTS[0])], OTHER_INPUTS)
    assert_same(
        fused_evidence([owner(PARTS[0]), empty], INPUTS), fused_evidence([owner(PARTS[0])], INPUTS), tolerance=1e-9
    )


@FORMS
def test_the_order_of_owners_and_of_inducing_inputs_changes_nothing(form: str) -> None:
    owners, rng = apart(), np.random.default_rng(2)
    fused = SPAHM().fuse(owners, form=form)  # type: ignore[arg-type]
    names, mixed = rng.permutation(4), []
    for local in owners:
        order = rng.permutation(len(local.shift))
        at = replace(local.parameters, inducing_inputs=local.parameters.inducing_inputs[order])
        mean, spread = local.moments()
        mixed.append(SparseGP.of_moments(at, mean[order], spread[np.ix_(order, order)], local.center))
    renamed = SPAHM().fuse([mixed[name] for name in names], form=form)  # type: ignore[arg-type]
    assert_same(renamed.model, fused.model, 1e-6)  # the moments' rounding; names alone:
    assert_same(SPAHM().fuse([owners[name] for name in names], form=form).model, fused.model)  # type: ignore[arg-type]
    assert sorted(renamed.counts) == sorted(fused.counts)


def test_ambiguous_inducing_inputs_are_matched_alike_under_any_names() -> None:
    rng = np.random.default_rng(5)
    columns, names = [rng.normal(size=(20, 2)) for _ in range(8)], rng.permutation(8)
    matcher = SPAHM(noise_variance=0.05, prior_variance=1.0, learn=False)
    labels, renamed = matched(columns, matcher)[0], matched([columns[name] for name in names], matcher)[0]
    assert partition_of([renamed[place] for place in np.argsort(names)]) == partition_of(labels)


@FORMS
def test_other_units_of_inputs_and_target_change_nothing(form: str) -> None:
    owners = apart()
    scales, moved = np.array([1e3, 1e-2]), []
    for local in owners:
        at = local.parameters
        moved.append(
            replace(
                local,
                parameters=Parameters(
                    at.inducing_inputs * scales + 7.0,
                    at.lengthscale * scales,
                    at.signal_variance * 100.0,
                    at.noise_variance * 100.0,
                ),
                center=local.center * 10.0 + 5.0,
            )
        )
    plain = SPAHM().fuse(owners, form=form).predict(QUERIES, return_std=True)  # type: ignore[arg-type]
    other = SPAHM().fuse(moved, form=form).predict(QUERIES * scales + 7.0, return_std=True)  # type: ignore[arg-type]
    np.testing.assert_allclose(other[0], 10.0 * plain[0] + 5.0, atol=1e-6)
    np.testing.assert_allclose(other[1], 10.0 * plain[1], atol=1e-6)


def test_leftover_variance_never_makes_the_fused_model_more_certain() -> None:
    few = OTHER_INPUTS[:6]
    owners = [owner(PARTS[0]), owner(PARTS[1], replace(AT, inducing_inputs=OTHER_INPUTS))]
    sure, unsure = (fused_evidence(owners, few, leftover).predict(QUERIES)[1] for leftover in (False, True))
    assert (unsure >= sure - 1e-9).all()
    assert (unsure > sure + 1e-4).any()


@pytest.mark.parametrize("graph", [nx.path_graph(4), nx.star_graph(3), nx.cycle_graph(4)], ids=["path", "star", "ring"])
def test_over_a_graph_evidence_adds_up_as_in_one_place(graph: "nx.Graph[int]") -> None:
    fused = SPAHM().fuse(apart(), graph)
    assert_same(fused.model, fused_evidence(apart(), fused.inducing_inputs))


def test_averaging_with_neighbours_adds_up_the_rows_of_evidence() -> None:
    owners = apart()
    union = common_prior(owners, INPUTS)
    rows = evidence_rows(owners, union)
    transport, rule = SerialTransport(generate("ring", 4, seed=0)), Consensus()
    dealt = rows[transport.shard.agents]
    sums = rule.sums(rule.settle(rule.begin(dealt, transport), dealt, transport))
    for agent in range(4):
        assert_same(fused_from_row(union, sums[agent]), fused_evidence(owners, INPUTS), 1e-7)


def test_a_fused_model_can_be_fused_again() -> None:
    owners = [owner(rows) for rows in PARTS]
    halves = [SPAHM().fuse(owners[:2]).model, SPAHM().fuse(owners[2:]).model]
    assert_same(SPAHM().fuse(halves).model, SPAHM().fuse(owners).model)


def test_published_pairs_are_observations_with_a_little_noise() -> None:
    local = owner(PARTS[0], center=0.2)
    model = fused_pairs([local], pairs(local), nugget=1e-3)
    gram = local.factor @ local.factor.T + 1e-3 * AT.signal_variance * np.eye(15)
    cross = local.covariance(QUERIES)
    expected = 0.2 + cross.T @ np.linalg.solve(gram, local.moments()[0] - 0.2)
    np.testing.assert_allclose(model.predict(QUERIES)[0], expected, atol=1e-8)


def test_hyperparameters_are_medians_and_units_those_of_all_inducing_inputs() -> None:
    owners = [owner(PARTS[0], replace(AT, signal_variance=value, noise_variance=value / 10)) for value in (0.1, 1, 99)]
    assert common_prior(owners, INPUTS).parameters.signal_variance == 1.0
    assert common_prior(owners, INPUTS).parameters.noise_variance == pytest.approx(0.1)
    units = common_units([INPUTS, np.column_stack([OTHER_INPUTS[:, 0], OTHER_INPUTS[:, 1]])])
    rows = np.concatenate([INPUTS, OTHER_INPUTS])
    np.testing.assert_allclose(units.standardised(rows).std(axis=0), 1.0)
    assert common_units([np.full((3, 1), 0.1)]).scale.tolist() == [1.0]


def test_models_that_do_not_fit_are_refused() -> None:
    local = owner(PARTS[0])
    narrow = replace(local, parameters=replace(AT, inducing_inputs=INPUTS[:, :1], lengthscale=AT.lengthscale[:1]))
    for models, message in (
        ([], "at least one"),
        ([local, replace(local, kernel="matern32")], "one kernel; model 0 has se and model 1 matern32"),
        ([local, narrow], "one number of inputs"),
        ([replace(local, shift=local.shift * np.nan)], "model 0 has NaN"),
        ([GaussianProcessRegressor()], "hand over its data"),
    ):
        with pytest.raises(ValueError, match=message):
            SPAHM().fuse(models)
    with pytest.raises(NotFittedError):
        SPAHM().fuse([SparseGPRegressor()])
    with pytest.raises(ValueError, match='"evidence" or "published"'):
        SPAHM().fuse([local], form="other")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nugget"):
        SPAHM().fuse([local], form="published", nugget=0.0)
    with pytest.raises(ValueError, match="a node for each of 1 models; got 2"):
        SPAHM().fuse([local], nx.path_graph(2))
    with pytest.raises(ValueError, match="connected"):
        SPAHM().fuse([local] * 2, nx.empty_graph(2))


def test_with_a_common_noise_owners_fuse_to_the_sparse_gp_of_all_rows_at_the_median_noise() -> None:
    at = [replace(AT, noise_variance=noise) for noise in (1e-6, 0.01, 0.5)]
    owners = [owner(rows, own) for rows, own in zip(np.array_split(np.arange(120), 3), at, strict=True)]
    central = SparseGP.of_posterior(posterior_of(X, Y, at[1], KERNELS[KERNEL], JITTER), 0.0, KERNEL, JITTER)
    assert_same(SPAHM().fuse(owners, noise="common").model, central, 1e-6)


@pytest.mark.parametrize(("noise", "same_as"), [(1e-6, "common"), (0.5, "own")])
def test_a_floor_holds_noise_at_the_common_one_at_least(noise: float, same_as: Noise) -> None:
    one, union = owner(PARTS[0], replace(AT, noise_variance=noise)), owner(PARTS[1])
    floored, other = carried(one, union, noise="floored"), carried(one, union, noise=same_as)
    np.testing.assert_array_equal(floored.pack(), other.pack())
    with pytest.raises(ValueError, match="Noise of owners is one of own, floored, common"):
        SPAHM().fuse([one, union], noise="none")  # type: ignore[arg-type]
