"""Laws of SPAHM: identities, recovery, equivariance, and an objective that never falls."""

import numpy as np
import pytest

from coolgp.fusion.matching.core.gains import Criterion
from coolgp.fusion.matching.core.prior import BetaBernoulli
from coolgp.fusion.matching.core.sweeps import Partition, matched, objective, warm_start
from coolgp.fusion.matching.sets.moments import Hyperparameters, vectors_under
from coolgp.fusion.matching.sets.spahm import SPAHM

from tests.fusion.matching.problems import all_labels, copies, partition_of, random_vectors

SEEDS = pytest.mark.parametrize("seed", range(5))
FIXED = SPAHM(noise_variance=0.01, prior_variance=9.0, learn=False)


@SEEDS
def test_ground_truth_is_recovered(seed: int) -> None:
    truth, groups, labels = copies(seed, groups=8, atoms=10, dimensions=6)
    result = SPAHM().match(groups)
    assert partition_of(result.labels) == partition_of(labels)
    order = [int(result.labels[group][row]) for group, row in (_first(labels, atom) for atom in range(len(truth)))]
    assert np.abs(result.atoms[order] - truth).max() < 0.45
    assert result.noise_variance.mean() == pytest.approx(0.01, rel=0.3)
    assert result.settled


def _first(labels: list[np.ndarray], atom: int) -> tuple[int, int]:
    return next((group, int(np.flatnonzero(own == atom)[0])) for group, own in enumerate(labels) if atom in own)


@SEEDS
@pytest.mark.parametrize("per_dimension", [True, False])
def test_the_objective_never_falls_while_everything_is_learned(seed: int, per_dimension: bool) -> None:
    _, groups, _ = copies(seed, groups=7, atoms=8, noise=1.5, spread=2.0)
    for noise in (0.1, 1.0, 4.0):
        start = SPAHM(noise_variance=noise, prior_variance=4.0, per_dimension=per_dimension, seed=seed)
        objectives = start.match(groups).objective
        assert (np.diff(objectives) >= -1e-7).all()


@SEEDS
def test_the_objective_never_falls_with_variances_of_every_vector(seed: int) -> None:
    _, groups, _ = copies(seed, groups=7, atoms=8, noise=1.0, spread=2.0)
    rng = np.random.default_rng(seed)
    result = SPAHM().match(groups, [rng.gamma(2.0, size=own.shape) for own in groups])
    assert len(result.objective) > 1
    assert (np.diff(result.objective) >= -1e-7).all()


@pytest.mark.parametrize("marginal", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_no_visit_lowers_the_objective(marginal: bool, shared: bool) -> None:
    for seed in range(15):
        vectors = random_vectors(seed, shared, sizes=(6, 5, 7, 3, 6))
        _, objectives = matched(vectors, Criterion(marginal=marginal), sweeps=10, seed=seed)
        assert (np.diff(objectives) >= -1e-7).all()


@pytest.mark.parametrize("marginal", [True, False])
def test_no_partition_of_a_tiny_separated_problem_is_better(marginal: bool) -> None:
    for seed in range(8):
        _, groups, _ = copies(seed, groups=3, atoms=3, dimensions=2)
        sizes = [len(own) for own in groups]
        now = Hyperparameters(np.zeros(2), np.full(2, 9.0), np.full(2, 0.01))
        vectors, criterion = vectors_under(groups, None, now), Criterion(marginal=marginal)
        _, objectives = matched(vectors, criterion, sweeps=10, seed=0)
        candidates = [objective(warm_start(vectors, labels), vectors, criterion) for labels in all_labels(sizes)]
        assert objectives[-1] == pytest.approx(max(candidates), abs=1e-8)


def test_one_group_is_the_identity() -> None:
    values = np.random.default_rng(0).normal(size=(7, 3))
    plain = SPAHM(read_out="mean").match([values])
    assert plain.labels[0].tolist() == list(range(7))
    np.testing.assert_array_equal(plain.atoms, values)
    shrunk = SPAHM(noise_variance=0.5, prior_variance=2.0).match([values])
    np.testing.assert_allclose(shrunk.atoms, (0.5 * values.mean(axis=0) + 2.0 * values) / 2.5, atol=1e-14)


@pytest.mark.parametrize("learn", [True, False])
def test_permuted_copies_are_one_set(learn: bool) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(6, 4))
    groups = [values[rng.permutation(6)] for _ in range(5)]
    result = SPAHM(read_out="mean", noise_variance=0.01, prior_variance=1.0, learn=learn).match(groups)
    assert result.counts.tolist() == [5] * 6
    for own, labels in zip(groups, result.labels, strict=True):
        np.testing.assert_allclose(result.atoms[labels], own, atol=1e-12)
    assert np.isfinite(result.objective).all()


def test_disjoint_groups_keep_their_vectors_and_the_hyperparameters() -> None:
    groups = [100.0 * np.random.default_rng(seed).normal(size=(4, 3)) for seed in range(3)]
    result = SPAHM(noise_variance=1e-4, prior_variance=1e4).match(groups)
    assert len(result.atoms) == 12
    assert (result.noise_variance == 1e-4).all()
    assert (result.prior_variance == 1e4).all()


@SEEDS
def test_renaming_groups_and_vectors_changes_nothing(seed: int) -> None:
    _, groups, _ = copies(seed)
    rng = np.random.default_rng(seed)
    names = rng.permutation(len(groups))
    rows = [rng.permutation(len(own)) for own in groups]
    result = SPAHM().match(groups)
    renamed = SPAHM().match([groups[group][rows[group]] for group in names])
    back: list[np.ndarray] = [np.zeros(0)] * len(groups)
    for place, group in enumerate(names):
        back[group] = np.empty(len(rows[group]), dtype=int)
        back[group][rows[group]] = renamed.labels[place]
    assert partition_of(back) == partition_of(result.labels)
    assert renamed.objective[-1] == pytest.approx(result.objective[-1], rel=1e-10)


@SEEDS
def test_shifting_and_scaling_all_vectors_shifts_and_scales_the_atoms(seed: int) -> None:
    _, groups, _ = copies(seed)
    result = SPAHM().match(groups)
    moved = SPAHM().match([1e3 * own + 1e5 for own in groups])
    assert partition_of(moved.labels) == partition_of(result.labels)
    np.testing.assert_allclose(moved.atoms, 1e3 * result.atoms + 1e5, rtol=1e-9)


def test_dimensions_that_say_nothing_change_nothing() -> None:
    _, groups, _ = copies(2)
    padded = [np.hstack([own, np.full((len(own), 1), 3.0)]) for own in groups]
    result = SPAHM().match(padded)
    assert partition_of(result.labels) == partition_of(SPAHM().match(groups).labels)
    np.testing.assert_allclose(result.atoms[:, -1], 3.0)


def test_equal_variances_of_every_vector_are_a_noise_variance() -> None:
    _, groups, _ = copies(3, noise=0.5)
    fixed = SPAHM(noise_variance=0.25, prior_variance=9.0, learn=False)
    result = fixed.match(groups)
    each = fixed.match(groups, [np.full(own.shape, 0.25) for own in groups])
    assert [own.tolist() for own in each.labels] == [own.tolist() for own in result.labels]
    np.testing.assert_allclose(each.atoms, result.atoms, atol=1e-12)
    np.testing.assert_allclose(each.variances, result.variances, rtol=1e-12)
    np.testing.assert_allclose(each.objective, result.objective, rtol=1e-10)


@SEEDS
def test_atoms_of_vectors_with_variances_are_the_posterior_of_dense_gaussians(seed: int) -> None:
    """Conditioning the joint normal of an atom and its copies, dimension by dimension."""
    _, groups, _ = copies(seed, noise=0.5)
    rng = np.random.default_rng(seed)
    variances = [rng.gamma(2.0, 0.1, size=own.shape) for own in groups]
    result = FIXED.match(groups, variances)
    names, rows, noise = (np.concatenate(arrays) for arrays in (result.labels, groups, variances))
    for name, dimension in np.ndindex(result.atoms.shape):
        own = names == name
        mean, prior = result.prior_mean[dimension], result.prior_variance[dimension]
        joint = np.full((own.sum(), own.sum()), prior) + np.diag(noise[own, dimension])
        gain = prior * np.linalg.solve(joint, np.ones(own.sum()))
        expected = mean + gain @ (rows[own, dimension] - mean)
        np.testing.assert_allclose(result.atoms[name, dimension], expected, atol=1e-10)
        np.testing.assert_allclose(result.variances[name, dimension], prior * (1.0 - gain.sum()), rtol=1e-8)


def test_a_vector_is_matched_as_far_as_its_own_variance_reaches() -> None:
    groups = [[[0.0], [20.0]], [[3.0]]]
    sure, unsure = ([[[0.01], [0.01]], [[variance]]] for variance in (0.01, 9.0))
    fixed = SPAHM(prior_variance=100.0, learn=False)
    assert [own.tolist() for own in fixed.match(groups, unsure).labels] == [[0, 1], [0]]
    assert [own.tolist() for own in fixed.match(groups, sure).labels] == [[0, 1], [2]]


def test_a_settled_matching_is_where_its_labels_lead_again() -> None:
    _, groups, _ = copies(4, noise=1.0)
    result = FIXED.match(groups)
    again = FIXED.match(groups, labels=result.labels)
    assert partition_of(again.labels) == partition_of(result.labels)
    assert again.objective[0] == pytest.approx(result.objective[-1], rel=1e-12)
    assert again.objective[-1] == again.objective[0]


def test_the_same_seed_gives_the_same_matching_and_no_global_stream_is_touched() -> None:
    _, groups, _ = copies(5, noise=1.5, spread=2.0)
    state = np.random.get_state()[1].copy()  # noqa: NPY002  the global stream is what must not move
    first, second = SPAHM(seed=3).match(groups), SPAHM(seed=3).match(groups)
    np.testing.assert_array_equal(first.atoms, second.atoms)
    np.testing.assert_array_equal(first.objective, second.objective)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_large_groups_empty_groups_and_equal_vectors_are_matched() -> None:
    rng = np.random.default_rng(6)
    result = SPAHM().match([rng.normal(size=(10, 2)), [], rng.normal(size=(300, 2))])
    assert [len(own) for own in result.labels] == [10, 0, 300]
    assert len(np.unique(result.labels[2])) == 300
    alike = SPAHM().match([np.ones((2, 3)), np.ones((2, 3))])
    assert alike.counts.tolist() == [2, 2]
    assert np.isfinite(alike.atoms).all()


def test_the_published_prior_counts_later_new_atoms_less() -> None:
    _, groups, _ = copies(7, noise=1.5, spread=2.0)
    published = SPAHM(prior=BetaBernoulli(ordered=True, popularity_cap=10)).match(groups)
    assert len(published.atoms) <= len(SPAHM().match(groups).atoms)


@pytest.mark.parametrize(
    ("groups", "variances", "message"),
    [
        ([], None, "at least one group"),
        ([np.ones((2, 3)), np.ones((2, 2))], None, "group 1 has"),
        ([np.ones((2, 3)), [[1.0, np.nan, 2.0]]], None, "group 1 has NaN"),
        ([np.ones((2, 3))], [np.ones((2, 2))], "shape of its vectors"),
        ([np.ones((2, 3))], [np.zeros((2, 3))], "above 0"),
        ([np.ones((2, 3))], [], "each of 1 groups"),
    ],
)
def test_wrong_vectors_are_refused(groups: list, variances: list | None, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=message):
        SPAHM().match(groups, variances)


def test_wrong_settings_and_labels_are_refused() -> None:
    _, groups, _ = copies(8)
    with pytest.raises(ValueError, match="noise variance needs one number"):
        SPAHM(noise_variance=-1.0).match(groups)
    with pytest.raises(ValueError, match="read_out to be one of posterior, mean; got 'mode'"):
        SPAHM(read_out="mode").match(groups)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one for each vector"):
        SPAHM().match(groups, labels=[np.arange(2)] * 5)
    with pytest.raises(ValueError, match="differ within a group"):
        SPAHM().match(groups, labels=[np.zeros(len(own), dtype=int) for own in groups])


def test_a_partition_without_pending_groups_is_not_visited() -> None:
    vectors = random_vectors(9)
    partition, objectives = matched(vectors, Criterion(), sweeps=50, seed=0)
    assert isinstance(partition, Partition)
    assert not partition.pending.any()
    assert len(objectives) < 20
