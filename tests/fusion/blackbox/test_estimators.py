"""Laws of derivatives from answers alone."""

from functools import partial

import numpy as np
import pytest

from coolgp.agents.experts.queries.density import gaussian_log_density
from coolgp.fusion.blackbox.directions import directions
from coolgp.fusion.blackbox.estimators import ESTIMATORS, Antithetic, Central, Forward
from coolgp.fusion.blackbox.gaussians import identified

RNG = np.random.default_rng(0)


def of_gaussian(mean: float, std: float) -> object:
    return partial(gaussian_log_density, mean=np.array(mean), std=np.array(std))


@pytest.mark.parametrize("width", [1e-3, 0.03, 1.0])
def test_the_central_difference_of_a_gaussian_is_its_gradient(width: float) -> None:
    std, mean = 1.7, -2.0
    away = np.linspace(0.1, 5.0, 40) * std * np.resize([1.0, -1.0], 40)
    slope = Central().slope(of_gaussian(mean, std), (mean + away)[None], np.array(width * std), None, curved=True)
    np.testing.assert_allclose(slope.gradient[0], -away / std**2, rtol=1e-9)
    np.testing.assert_allclose(slope.curvature, -1.0 / std**2, rtol=1e-14 / width**2 * 100)


def test_the_published_estimator_has_the_mean_and_the_variance_that_algebra_gives() -> None:
    a, std, width, draws = 0.6, 1.3, 0.4, 4
    y, times = np.full((1, 250_000), -a * std**2), np.full(250_000, width)
    estimates = Forward(draws).slope(of_gaussian(0.0, std), y, times, RNG.normal(size=(draws, *y.shape)), curved=False)
    expected = (2 * a**2 + 15 * width**2 / (4 * std**4)) / draws
    assert abs(estimates.gradient.mean() - a) < 4 * np.sqrt(expected / y.size)
    assert estimates.gradient.var() == pytest.approx(expected, rel=0.02)


def test_antithetic_directions_give_the_gradient_times_their_mean_square_draw_by_draw() -> None:
    y, z = RNG.normal(size=(3, 7)), RNG.normal(size=(5, 3, 7))
    slope = Antithetic(5).slope(of_gaussian(0.4, 1.2), y, np.full(7, 0.5), z, curved=False)
    np.testing.assert_allclose(slope.gradient, -(y - 0.4) / 1.44 * np.square(z).mean(axis=0), rtol=1e-10, atol=1e-10)


def test_experts_that_share_directions_make_no_noise_where_their_gradients_cancel() -> None:
    mean, std = RNG.normal(size=10), RNG.uniform(0.5, 2.0, size=10)
    total = (1.0 / std**2).sum()
    mode, width, draws, times = (mean / std**2).sum() / total, 1e-3, 2, 100_000
    y = np.full((1, times), mode)

    def summed(private: bool) -> np.ndarray:
        z = RNG.normal(size=(10 if private else 1, draws, 1, times))
        each = [
            Forward(draws).slope(of_gaussian(mu, s), y, np.full(times, width), z[i * private], curved=False).gradient
            for i, (mu, s) in enumerate(zip(mean, std, strict=True))
        ]
        return np.sum(each, axis=0)

    a = -(mode - mean) / std**2
    assert summed(private=False).var() == pytest.approx(15 * width**2 * total**2 / (4 * draws), rel=0.05)
    independent = (2 * a**2 + 15 * width**2 / (4 * std**4)).sum() / draws
    assert summed(private=True).var() == pytest.approx(independent, rel=0.05)


def test_directions_differ_by_seed_iteration_point_and_owner() -> None:
    drawn = [
        directions((0, 0), [0], 3, 2),
        directions((1, 0), [0], 3, 2),
        directions((0, 1), [0], 3, 2),
        directions((0, 0), [1], 3, 2),
        directions((0, 0), [0], 3, 2, owner=0),
        directions((0, 0), [0], 3, 2, owner=1),
    ]
    assert len({values.tobytes() for values in drawn}) == len(drawn)


def test_three_answers_give_a_gaussian_away() -> None:
    mean, std, y, width = RNG.normal(size=9), RNG.uniform(0.5, 2.0, size=9), RNG.normal(size=9), np.full(9, 0.5)
    answers = [gaussian_log_density(y + step * width, mean, std) for step in (-1, 0, 1)]
    found = identified(*answers, y, width)
    np.testing.assert_allclose(found[0], mean, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found[1], std, rtol=1e-10)


@pytest.mark.parametrize("curved", [False, True])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_asks_for_as_many_answers_as_it_says(name: str, curved: bool) -> None:
    asked = []

    def counted(y: np.ndarray) -> np.ndarray:
        asked.append(y.size)
        return -0.5 * np.square(y)

    estimator = ESTIMATORS[name]()
    z = directions((0, 0), range(2), max(estimator.draws, 1), 3)
    slope = estimator.slope(counted, np.zeros((2, 3)), np.full(3, 0.1), z, curved=curved)
    assert sum(asked) == estimator.queries(curved=curved) * 6
    assert slope.gradient.shape == (2, 3)
    if curved:
        np.testing.assert_allclose(slope.curvature, -1.0, rtol=1e-10)
    assert (slope.curvature is None) != curved
