"""Laws of one step of matching: gains, assignments, and atoms that vectors join and leave."""

import numpy as np
import pytest

from coolgp.fusion.matching.core.assignment import best_assignment, greedy_assignment, worth
from coolgp.fusion.matching.core.atoms import gathered, joined, left, log_evidence
from coolgp.fusion.matching.core.gains import Criterion, surplus
from coolgp.fusion.matching.core.prior import BetaBernoulli
from coolgp.fusion.matching.core.sweeps import Partition, objective
from coolgp.fusion.matching.core.vectors import Vectors, expanded, uniform_vectors

from tests.fusion.matching.problems import choices, dense_log_marginal, random_vectors

LABELS = [np.array([2, 0, 1]), np.array([1, 4]), np.array([3, 0, 4, 5]), np.array([], dtype=int), np.array([4])]
CRITERIA = [Criterion(BetaBernoulli(0.7, 1.3), marginal) for marginal in (True, False)]
KINDS = pytest.mark.parametrize("shared", [True, False], ids=["one precision a group", "one precision a vector"])
BOTH = pytest.mark.parametrize("criterion", CRITERIA, ids=["integrated", "maximised"])


def uniform(seed: int) -> Vectors:
    vectors = random_vectors(seed)
    return uniform_vectors(vectors.values, vectors.precision[1][0], vectors.prior_precision, vectors.widths)


@KINDS
def test_the_evidence_is_the_dense_log_density_of_the_vectors_of_each_atom(shared: bool) -> None:
    vectors = random_vectors(0, shared)
    rows, precisions = np.concatenate(vectors.values), []
    for values, precision in zip(vectors.values, vectors.precision, strict=True):
        precisions.append(np.broadcast_to(expanded(precision, vectors.widths), values.shape))
    labels, prior = np.concatenate(LABELS), expanded(vectors.prior_precision, vectors.widths)
    of_each = [labels == atom for atom in range(6)]
    dense = sum(dense_log_marginal(rows[own], np.concatenate(precisions)[own], prior) for own in of_each)
    assert log_evidence(gathered(vectors, LABELS), vectors, marginal=True) == pytest.approx(dense, abs=1e-9)


@BOTH
@pytest.mark.parametrize("kind", ["uniform", "group", "vector"])
def test_the_surplus_is_what_the_objective_gains(criterion: Criterion, kind: str) -> None:
    vectors = uniform(1) if kind == "uniform" else random_vectors(1, shared=kind == "group")
    for group in (0, 2, 4):
        others, _ = left(gathered(vectors, LABELS), vectors, group, LABELS[group])

        def total(columns: np.ndarray, group: int = group, others=others) -> float:  # type: ignore[no-untyped-def]
            atoms, own = joined(others, vectors, group, columns)
            labels = (own,) * vectors.groups
            return objective(Partition(labels, atoms, np.zeros(0)), vectors, criterion)

        gains = surplus(vectors, group, others, criterion)
        nothing = np.full(len(LABELS[group]), -1)
        for row, atom in np.ndindex(gains.shape):
            columns = nothing.copy()
            columns[row] = atom
            assert total(columns) - total(nothing) == pytest.approx(gains[row, atom], abs=1e-9)


@BOTH
def test_uniform_vectors_gain_the_same_by_counts_as_by_their_sums(criterion: Criterion) -> None:
    vectors = uniform(2)
    plain = Vectors(vectors.values, vectors.precision, vectors.prior_precision, vectors.widths)
    others, _ = left(gathered(vectors, LABELS), vectors, 2, LABELS[2])
    np.testing.assert_allclose(
        surplus(vectors, 2, others, criterion), surplus(plain, 2, others, criterion), rtol=1e-12, atol=1e-12
    )


@BOTH
def test_a_precision_repeated_for_every_vector_changes_nothing(criterion: Criterion) -> None:
    vectors = random_vectors(3)
    repeated = tuple(
        np.repeat(own, len(values), axis=0) for own, values in zip(vectors.precision, vectors.values, strict=True)
    )
    each = Vectors(vectors.values, repeated, vectors.prior_precision, vectors.widths)
    others, _ = left(gathered(vectors, LABELS), vectors, 2, LABELS[2])
    np.testing.assert_allclose(surplus(each, 2, others, criterion), surplus(vectors, 2, others, criterion), atol=1e-12)


@pytest.mark.parametrize("ordered", [False, True])
def test_no_assignment_is_better_than_the_best(ordered: bool) -> None:
    rng, prior = np.random.default_rng(0), BetaBernoulli(ordered=ordered)
    for _ in range(60):
        rows, atoms = rng.integers(1, 5), rng.integers(0, 5)
        gains = rng.normal(size=(rows, atoms))
        values = [worth(gains, columns, prior) for columns in choices(rows, atoms)]
        assert worth(gains, best_assignment(gains, prior), prior) == pytest.approx(max(values), abs=1e-12)
        assert worth(gains, greedy_assignment(gains, prior), prior) <= max(values) + 1e-12


def test_what_joins_can_leave_again() -> None:
    vectors = random_vectors(4)
    atoms = gathered(vectors, LABELS)
    for group, own in enumerate(LABELS):
        others, places = left(atoms, vectors, group, own)
        assert (others.counts > 0).all()
        again, labels = joined(others, vectors, group, places[own])
        reordered = [places[other] for other in LABELS[:group]] + [labels] + [places[o] for o in LABELS[group + 1 :]]
        rebuilt = gathered(vectors, reordered)
        np.testing.assert_allclose(again.shift, rebuilt.shift, atol=1e-12)
        np.testing.assert_allclose(again.precision, rebuilt.precision, atol=1e-12)
        np.testing.assert_array_equal(again.counts, rebuilt.counts)


def test_the_prior_of_a_partition_is_the_product_of_its_steps_in_any_order() -> None:
    prior, groups, rng = BetaBernoulli(2.0, 1.5), 5, np.random.default_rng(5)
    used = [rng.permutation(6)[: rng.integers(1, 6)] for _ in range(groups)]
    totals = []
    for order in (range(groups), rng.permutation(groups)):
        counts, total = np.zeros(6, dtype=int), 0.0
        for group in order:
            old = used[group][counts[used[group]] > 0]
            total += (len(used[group]) - len(old)) * prior.new(groups) + prior.joining(counts[old], groups).sum()
            counts[used[group]] += 1
        totals.append(total)
    empty = prior.log_probability(np.zeros(0, dtype=int), groups)
    assert totals[0] == pytest.approx(totals[1], abs=1e-10)
    assert totals[0] == pytest.approx(prior.log_probability(counts[counts > 0], groups) - empty, abs=1e-10)


@BOTH
def test_more_mass_never_means_fewer_new_atoms(criterion: Criterion) -> None:
    vectors = random_vectors(6)
    others, _ = left(gathered(vectors, LABELS), vectors, 2, LABELS[2])
    created = []
    for mass in np.geomspace(1e-6, 1e6, 25):
        prior = BetaBernoulli(float(mass))
        gains = surplus(vectors, 2, others, Criterion(prior, criterion.marginal))
        created.append(int((best_assignment(gains, prior) < 0).sum()))
    assert created == sorted(created)
    assert created[0] < created[-1]


@pytest.mark.parametrize("setting", [{"mass": 0.0}, {"concentration": -1.0}, {"mass": np.inf}])
def test_a_prior_needs_finite_positive_settings(setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"finite {next(iter(setting))} above 0"):
        BetaBernoulli(**setting)
