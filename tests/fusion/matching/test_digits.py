"""The digits study of PFNM, on one draw, and its baselines on networks whose answer is known."""

from itertools import pairwise

import numpy as np
import pytest

from coolgp.agents.experts.network import Network
from coolgp.fusion.matching.networks.baselines import aligned, averaged, clustered, ensemble, weighted_ensemble
from coolgp.fusion.matching.networks.layers import from_arrays, sub_network
from coolgp.fusion.matching.networks.shares import class_shares
from coolgp.fusion.matching.studies.digits import digits_study
from coolgp.fusion.matching.studies.training import Training, dealt, loaded, trained_apart, trained_further

X = np.random.default_rng(0).normal(size=(20, 5))


def network(seed: int, hidden: tuple[int, ...]) -> Network:
    rng = np.random.default_rng(seed)
    widths = (5, *hidden, 3)
    pairs = [(rng.normal(size=(a, b)), rng.normal(size=b)) for a, b in pairwise(widths)]
    return from_arrays([array for pair in pairs for array in pair])


@pytest.fixture(scope="module")
def accuracy() -> dict[str, float]:
    return {score.method: score.accuracy for score in digits_study(seeds=[0])}


def test_a_fused_network_is_near_the_ensemble_and_far_above_the_average_by_coordinate(
    accuracy: dict[str, float],
) -> None:
    assert accuracy["PFNM, count rule"] > accuracy["ensemble, uniform"] - 0.02
    assert accuracy["PFNM, count rule"] > accuracy["average by coordinate"] + 0.2
    assert accuracy["PFNM, count rule"] > 0.91


def test_a_refitted_head_is_near_training_on_all_rows(accuracy: dict[str, float]) -> None:
    assert accuracy["PFNM, count rule, refitted head"] > 0.95
    assert accuracy["PFNM, count rule, refitted head"] > accuracy["pooled training"] - 0.02


@pytest.mark.parametrize("concentration", [None, 0.5])
def test_all_rows_are_dealt_once_and_everybody_has_some(concentration: float | None) -> None:
    y = np.random.default_rng(1).integers(10, size=400)
    rows = dealt(y, 6, concentration, seed=1)
    assert sorted(np.concatenate(rows)) == list(range(400))
    assert min(len(own) for own in rows) >= 10


def test_training_further_starts_from_where_the_network_is() -> None:
    apart = trained_apart(0, Training(owners=2, widths=(6,), epochs=2))
    same = trained_further(apart.networks[0], apart.shards[0], epochs=0, seed=0)
    more = trained_further(apart.networks[0], apart.shards[0], epochs=3, seed=0)
    for weights, expected in zip(same.weights, apart.networks[0].weights, strict=True):
        np.testing.assert_array_equal(weights, expected)
    x, y = apart.shards[0]
    losses = [-np.log(one.predict_proba(x)[np.arange(len(y)), y]).mean() for one in (same, more)]
    assert losses[1] < losses[0]


@pytest.mark.parametrize("hidden", [(8,), (8, 6)])
def test_permuted_copies_are_aligned_with_their_reference(hidden: tuple[int, ...]) -> None:
    one, rng = network(2, hidden), np.random.default_rng(2)
    copy = sub_network(one, [rng.permutation(width) for width in hidden])
    for weights, expected in zip(averaged([one, aligned(copy, one)]).weights, one.weights, strict=True):
        np.testing.assert_allclose(weights, expected, atol=1e-12)


def test_clusters_of_permuted_copies_are_the_network() -> None:
    one, rng = network(3, (6,)), np.random.default_rng(3)
    copies = [sub_network(one, [rng.permutation(6)]) for _ in range(3)]
    fused = clustered(copies, class_shares(None, 3, 3), [6], seed=0)
    assert fused.widths == (6,)
    np.testing.assert_allclose(fused.outputs(X), one.outputs(X), atol=1e-10)


def test_an_ensemble_by_equal_shares_is_the_uniform_one() -> None:
    networks = [network(seed, (4,)) for seed in range(3)]
    np.testing.assert_allclose(
        weighted_ensemble(networks, class_shares(None, 3, 3), X), ensemble(networks, X), atol=1e-14
    )


def test_data_that_the_study_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match="digits, mnist-5000; got 'letters'"):
        loaded("letters", 0)
