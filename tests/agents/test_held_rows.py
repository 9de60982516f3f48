"""Rows that agents hold: the sums of a bound, of its gradient and of k-means are those of all rows in one place."""

import numpy as np
import pytest

from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.kernels.se import SE
from coolgp.agents.sparse.centres import centres_by_sums
from coolgp.agents.sparse.collapsed import Parameters, bound_and_slopes, explained_share
from coolgp.agents.sparse.fitting import maximise
from coolgp.agents.sparse.held import Held, padded
from coolgp.agents.sparse.rows import Pooled

AGENTS, ROWS, INDUCING, JITTER = 7, 120, 12, 1e-6
ALL = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)


def rows(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, 3))
    return x, np.sin(x[:, 0]) + 0.5 * x[:, 1] + 0.1 * rng.normal(size=ROWS)


def held(together: int = AGENTS, agents: int = AGENTS) -> Held:
    """The rows dealt unevenly to agents, one of whom has none; so many of them are looked at together."""
    x, y = rows()
    owner = np.random.default_rng(1).integers(max(1, agents - 1), size=ROWS)
    places = np.arange(agents)

    def summed(read):
        groups = [read(places[first : first + together]) for first in range(0, agents, together)]
        return np.add.reduce(np.concatenate(groups), axis=0)

    return Held(*padded(x, y, owner, places, int(np.bincount(owner).max())), summed)


def parameters(seed: int = 3) -> Parameters:
    return Parameters(np.random.default_rng(seed).normal(size=(INDUCING, 3)), np.array([1.0, 2.0, 3.0]), 1.2, 0.05)


def flat(value, slopes) -> np.ndarray:
    variances = [slopes.log_signal_variance, slopes.log_noise_variance]
    return np.concatenate([[value], slopes.inducing_inputs.ravel(), slopes.log_lengthscale, variances])


@ALL
def test_bound_and_gradient_are_those_of_pooled_rows(kernel):
    one = flat(*bound_and_slopes(Pooled(*rows()), parameters(), kernel, JITTER))
    many = flat(*bound_and_slopes(held(), parameters(), kernel, JITTER))
    np.testing.assert_allclose(many, one, rtol=1e-9, atol=1e-9 * np.abs(one).max())
    shares = [explained_share(one_of, parameters(), kernel, JITTER) for one_of in (Pooled(*rows()), held())]
    assert shares[1] == pytest.approx(shares[0], rel=1e-9)


def test_what_pooled_rows_explain_is_the_fit_of_the_posterior_mean():
    from coolgp.agents.sparse.collapsed import posterior_of

    x, y = rows()
    mean = posterior_of(x, y, parameters(), SE, JITTER).predict(x, SE)[0]
    share = explained_share(Pooled(x, y), parameters(), SE, JITTER)
    assert share == pytest.approx(1 - np.square(y - mean).sum() / np.square(y).sum(), rel=1e-6)


@pytest.mark.parametrize("together", [1, 2, 5])
def test_sums_have_the_same_bits_whoever_shares_a_process(together):
    ours, others = held(), held(together)
    np.testing.assert_array_equal(centres_by_sums(ours, INDUCING), centres_by_sums(others, INDUCING))
    for kernel in KERNELS.values():
        one, other = (flat(*bound_and_slopes(each, parameters(), kernel, JITTER)) for each in (ours, others))
        np.testing.assert_array_equal(one, other)


def test_the_search_ends_where_that_of_pooled_rows_does():
    fits = [maximise(each, parameters(), SE, JITTER, 15).parameters for each in (held(), Pooled(*rows()))]
    np.testing.assert_allclose(fits[0].inducing_inputs, fits[1].inducing_inputs, atol=1e-8)
    np.testing.assert_allclose(fits[0].lengthscale, fits[1].lengthscale, rtol=1e-8)
    assert fits[0].noise_variance == pytest.approx(fits[1].noise_variance, rel=1e-8)


def test_centres_are_means_of_their_clusters_whoever_holds_the_rows():
    x, _ = rows()
    centres = centres_by_sums(held(), INDUCING)
    np.testing.assert_array_equal(centres, centres_by_sums(held(agents=1), INDUCING))
    assert len(np.unique(centres, axis=0)) == INDUCING
    inertia = np.square(x[:, None] - centres).sum(2).min(1).sum()
    best = min(inertia_of_chance(x, seed) for seed in range(5))
    assert inertia < 1.15 * best


def inertia_of_chance(x: np.ndarray, seed: int) -> float:
    from scipy.cluster.vq import kmeans2

    centres = kmeans2(x, INDUCING, minit="++", seed=np.random.default_rng(seed), iter=20)[0]
    return float(np.square(x[:, None] - centres).sum(2).min(1).sum())


def test_fewer_distinct_rows_than_centres_are_refused():
    x = np.repeat(np.arange(3.0), 4)[:, None]
    same = Held(*padded(x, x[:, 0], np.zeros(12, int), np.arange(1), 12), lambda read: read(np.arange(1))[0])
    assert sorted(centres_by_sums(same, 3)[:, 0].tolist()) == [0.0, 1.0, 2.0]
    with pytest.raises(ValueError, match="4 inducing inputs need as many distinct"):
        centres_by_sums(same, 4)
