"""Laws of matching along a tree and by a token."""

import numpy as np
import pytest

from coolgp.fusion.matching.core.atoms import gathered
from coolgp.fusion.matching.core.gains import Criterion
from coolgp.fusion.matching.core.merges import merged, merged_along, walked
from coolgp.fusion.matching.core.prior import BetaBernoulli
from coolgp.fusion.matching.core.sweeps import Partition, objective, swept
from coolgp.fusion.matching.core.vectors import Vectors, uniform_vectors
from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.fusion.matching.studies.orders import OrdersStudy
from coolgp.network.base.randomness import generator

from tests.fusion.matching.problems import choices, copies, partition_of, random_vectors

BALANCED = [-1, 0, 0, 1, 1, 2, 2, 3]
CHAIN = [-1, 0, 1, 2, 3, 4, 5, 6]
STAR = [-1] + [0] * 7
TREES = pytest.mark.parametrize("parents", [BALANCED, CHAIN, STAR], ids=["balanced", "chain", "star"])
MARGINAL = pytest.mark.parametrize("marginal", [True, False])


def separated(seed: int) -> tuple[Vectors, list[np.ndarray]]:
    _, groups, labels = copies(seed, groups=8, atoms=10, dimensions=6)
    widths = np.ones(6, dtype=int)
    return uniform_vectors(groups, np.full(6, 100.0), np.full(6, 1 / 9), widths), labels


@TREES
@pytest.mark.parametrize("seed", range(3))
def test_every_tree_finds_separated_atoms(parents: list[int], seed: int) -> None:
    vectors, labels = separated(seed)
    partition = merged_along(vectors, Criterion(), parents)
    assert partition_of(partition.labels) == partition_of(labels)


@TREES
@MARGINAL
def test_the_atoms_of_a_tree_are_those_of_its_labels_and_distinct_within_a_group(
    parents: list[int], marginal: bool
) -> None:
    vectors = random_vectors(0, sizes=(3, 2, 4, 0, 1, 5, 2, 3))
    partition = merged_along(vectors, Criterion(marginal=marginal), parents)
    rebuilt = gathered(vectors, partition.labels)
    np.testing.assert_allclose(partition.atoms.shift, rebuilt.shift, atol=1e-12)
    np.testing.assert_allclose(partition.atoms.precision, rebuilt.precision, atol=1e-12)
    np.testing.assert_array_equal(partition.atoms.counts, rebuilt.counts)
    assert all(len(np.unique(own)) == len(own) for own in partition.labels)


@MARGINAL
def test_a_merge_gains_what_the_objective_says_and_no_pairing_gains_more(marginal: bool) -> None:
    vectors, criterion = random_vectors(1, sizes=(2, 3, 2, 2)), Criterion(BetaBernoulli(0.8, 1.2), marginal)
    groups = (0, 1), (2, 3)
    halves = [
        Vectors(
            tuple(vectors.values[group] if group in own else vectors.values[group][:0] for group in range(4)),
            vectors.precision,
            vectors.prior_precision,
            vectors.widths,
        )
        for own in groups
    ]
    labels = [[np.arange(2), np.array([1, 2, 0])], [np.arange(2), np.array([2, 0])]]
    empty = [np.zeros(0, dtype=int)] * 2
    first = gathered(halves[0], [*labels[0], *empty])
    second = gathered(halves[1], [*empty, *labels[1]])
    atoms, places = merged(first, second, vectors, criterion)

    def total(places: np.ndarray) -> float:
        joint = [*labels[0], *(places[own] for own in labels[1])]
        return objective(Partition(tuple(joint), gathered(vectors, joint), np.zeros(4)), vectors, criterion)

    best = total(places)
    for columns in choices(3, 3):
        other = columns.copy()
        other[other < 0] = 3 + np.arange((other < 0).sum())
        assert total(other) <= best + 1e-9
    np.testing.assert_array_equal(atoms.counts, gathered(vectors, [*labels[0], *(places[o] for o in labels[1])]).counts)


@TREES
def test_a_token_after_a_tree_never_lowers_the_objective_and_ends_settled(parents: list[int]) -> None:
    vectors = random_vectors(2, sizes=(3, 2, 4, 1, 1, 5, 2, 3))
    partition = merged_along(vectors, Criterion(), parents)
    before = objective(partition, vectors, Criterion())
    for _ in range(10):
        partition = walked(partition, vectors, Criterion(), range(8))
    assert objective(partition, vectors, Criterion()) >= before - 1e-9
    assert not partition.pending.any()


def test_a_token_that_walks_in_the_order_of_a_sweep_is_the_sweep() -> None:
    vectors = random_vectors(3, sizes=(3, 2, 4, 1, 5))
    start = merged_along(vectors, Criterion(), CHAIN[:5])
    walk = generator(7, "matching order", round=2).permutation(5).tolist()
    token, sweep = walked(start, vectors, Criterion(), walk), swept(start, vectors, Criterion(), seed=7, sweep=2)
    assert [own.tolist() for own in token.labels] == [own.tolist() for own in sweep.labels]


@pytest.mark.parametrize("parents", [[0, 1, 2, 3, 4], [-1, -1, 0, 0, 0], [-1, 2, 1, 0, 0]])
def test_parents_that_make_no_tree_are_refused(parents: list[int]) -> None:
    with pytest.raises(ValueError, match="one root"):
        merged_along(random_vectors(4), Criterion(), parents)


def test_walks_of_a_token_repair_what_a_tree_cannot_see() -> None:
    draws = [OrdersStudy().drawn(3.0, seed, SPAHM(sweeps=10)).outcomes for seed in range(2)]
    of = {way: np.mean([draw[way].measures["label_rand"] for draw in draws]) for way in OrdersStudy.methods}
    assert of["balanced"] + 0.02 < of["balanced_walk"]
    assert of["balanced_walk"] == pytest.approx(of["spahm"], abs=0.02)
    assert of["token_again"] == pytest.approx(of["spahm"], abs=0.02)


def test_at_little_noise_every_order_finds_the_truth_and_a_walk_costs_more_bytes() -> None:
    outcomes = OrdersStudy(groups=5, atoms=12).drawn(0.3, 1, SPAHM()).outcomes
    assert {outcome.measures["label_rand"] for outcome in outcomes.values()} == {1.0}
    assert outcomes["chain_walk"].measures["bytes"] > outcomes["chain"].measures["bytes"] > 0
