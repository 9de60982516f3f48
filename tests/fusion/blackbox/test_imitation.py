"""Laws of imitation: experts that only answer queries, and the surrogates that stand in for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Classifier, Regressor
from coolgp.agents.experts.queries.black_box import BlackBox, DensityExpert
from coolgp.agents.experts.queries.density import gaussian_log_density
from coolgp.agents.experts.surrogates.features import InducingFeatures, features_over
from coolgp.agents.experts.surrogates.linear import LinearSurrogate
from coolgp.fusion.blackbox.imitation.gaussian import Descent, imitated_regressor
from coolgp.fusion.blackbox.imitation.imitate import imitate_classifier, imitate_regressor
from coolgp.fusion.blackbox.imitation.published import published
from coolgp.fusion.blackbox.imitation.settings import ImitationSettings, Pool
from coolgp.fusion.blackbox.imitation.slopes import divergence, imitation_slopes, moments_by_queries

ERRORS = 4.0
"""Standard errors by which a mean of draws may be off."""


def inputs(rows: int = 60, width: int = 3, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(rows, width))


def drawn_surrogate(seed: int = 1, count: int = 12) -> LinearSurrogate:
    rng = np.random.default_rng(seed)
    features = features_over(inputs(), count, np.random.default_rng(0))
    return LinearSurrogate(features, rng.normal(size=features.count), 0.3 * rng.normal(size=features.count) - 1.0)


def log_density(surrogate: LinearSurrogate, x: Array, y: Array) -> Array:
    return gaussian_log_density(y, *surrogate.predict(x))


def smooth(x: Array) -> tuple[Array, Array]:
    return np.sin(2.0 * x[:, 0]) + 0.5 * x[:, 1], 0.2 + 0.1 * np.square(np.tanh(x[:, 2]))


def gentle(x: Array) -> tuple[Array, Array]:
    return np.sin(x[:, 0]) + 0.5 * x[:, 1], 0.5 + 0.1 * np.tanh(x[:, 2])


def logistic_density(x: Array, y: Array) -> Array:
    """Of a logistic distribution around the first input: no Gaussian."""
    deviation = np.abs(y - x[:, 0])
    return np.asarray(-deviation - 2.0 * np.log1p(np.exp(-deviation)))


def logistic(queries: int = 10_000) -> BlackBox:
    return BlackBox(DensityExpert("logistic", logistic_density, lambda x: x[:, 0]), queries=queries)


def test_slopes_of_a_surrogate_are_those_of_its_density() -> None:
    surrogate, x = drawn_surrogate(), inputs(8)
    y, step = np.random.default_rng(2).normal(size=8), 1e-6
    by_mean, by_log_std = surrogate.slopes(x, y)
    by_target = (log_density(surrogate, x, y + step) - log_density(surrogate, x, y - step)) / (2 * step)
    assert -by_mean == pytest.approx(by_target, abs=1e-6, rel=1e-6)
    nothing, features = np.zeros(13), surrogate.features(x)
    for place, unit in enumerate(np.eye(13)):
        for slope, moves in ((by_mean, (step * unit, nothing)), (by_log_std, (nothing, step * unit))):
            above, below = surrogate.moved(*moves), surrogate.moved(-moves[0], -moves[1])
            difference = (log_density(above, x, y) - log_density(below, x, y)) / (2 * step)
            assert slope * features[:, place] == pytest.approx(difference, abs=1e-6, rel=1e-6)


def test_slopes_by_queries_are_those_of_the_divergence_in_the_mean() -> None:
    """Of a Gaussian expert it has a closed form."""
    surrogate, expert = drawn_surrogate(), BlackBox(Regressor("smooth", smooth))
    draws = np.random.default_rng(3).normal(size=(1, 20_000))
    for row in inputs(5):
        x = np.tile(row, (draws.size, 1))
        slopes = imitation_slopes(surrogate, expert, x, draws, 0.5)
        (mean, std), (aim, spread) = surrogate.predict(x[:1]), smooth(x[:1])
        for values, exact in (
            (slopes.mean, (mean - aim) / spread**2),
            (slopes.log_std, std**2 / spread**2 - 1.0),
        ):
            error = values.std() / np.sqrt(draws.size)
            assert abs(values.mean() - exact[0]) <= ERRORS * error


def test_a_copy_of_the_expert_has_no_divergence_and_no_slope() -> None:
    surrogate, x = drawn_surrogate(), inputs(9)
    expert = BlackBox(Regressor("copy", surrogate.predict))
    slopes = imitation_slopes(surrogate, expert, x, np.random.default_rng(4).normal(size=(3, 9)), 0.5)
    assert np.abs(divergence(surrogate, expert, x)).max() < 1e-10
    assert max(np.abs(slopes.mean).max(), np.abs(slopes.log_std).max()) < 1e-10


def test_the_divergence_of_gaussians_is_its_closed_form() -> None:
    surrogate, x = drawn_surrogate(), inputs(9)
    (mean, std), (aim, spread) = surrogate.predict(x), smooth(x)
    exact = np.log(spread / std) + (std**2 + (mean - aim) ** 2) / (2 * spread**2) - 0.5
    assert divergence(surrogate, BlackBox(Regressor("smooth", smooth)), x) == pytest.approx(exact, rel=1e-10)


def test_an_expert_of_the_family_is_imitated_exactly_by_steps_of_one_rate() -> None:
    model, x = drawn_surrogate(), inputs()
    expert = BlackBox(Regressor("of the family", model.predict))
    surrogate = imitated_regressor(expert, x, model.features, "kl", Descent(steps=60, tolerance=0.0))
    assert np.abs(divergence(surrogate, expert, x)).max() < 1e-10
    assert surrogate.mean_weights == pytest.approx(model.mean_weights, abs=1e-8)


def test_three_queries_tell_the_moments_of_a_gaussian_expert_and_refuse_others() -> None:
    x = inputs(20)
    mean, std = moments_by_queries(BlackBox(Regressor("smooth", smooth)), x, np.full(20, 0.3), np.full(20, 0.4))
    assert mean == pytest.approx(smooth(x)[0], abs=1e-10)
    assert std == pytest.approx(smooth(x)[1], abs=1e-10)
    cauchy = DensityExpert("cauchy", lambda x, y: -np.log1p(y**2), lambda x: x[:, 0])
    with pytest.raises(ValueError, match='not concave at 20 of 20 inputs: take objective = "kl"'):
        moments_by_queries(BlackBox(cauchy), x, np.full(20, 3.0), np.full(20, 0.4))


def test_both_sound_objectives_come_near_a_gaussian_expert_and_the_divergence_by_queries_nearest() -> None:
    settings, expert = ImitationSettings(inducing=15, steps=60), Regressor("gentle", gentle)
    pool, objectives = Pool.of(inputs(80), settings), ("kl", "moments")
    found = [imitate_regressor(BlackBox(expert), pool, replace(settings, objective=name)) for name in objectives]
    by_kl, by_moments = (divergence(each.surrogate, BlackBox(expert), pool.asked).mean() for each in found)
    assert by_kl < by_moments < 0.05


def test_the_published_alternation_diverges() -> None:
    """From the note's start: q = N(0.3, 1.2²), h = 0.1 + 0.9 ε, p = N(0, 1), 400 steps of 0.05."""
    features, x = InducingFeatures(np.empty((0, 1)), np.ones(1)), np.zeros((1, 1))
    start = LinearSurrogate(features, np.array([0.3]), np.log([1.2]))
    expert = BlackBox(Regressor("standard", lambda x: (np.zeros(len(x)), np.ones(len(x)))), queries=None)
    half = np.random.default_rng(5).normal(size=(400, 20, 1))
    draws = list(np.concatenate([half, -half], axis=1))
    shown = [
        divergence(published(start, expert, x, draws[:steps], 0.05, 0.5, (0.1, 0.9)), expert, x)[0]
        for steps in (0, 100, 200, 400)
    ]
    assert shown[0] < 0.1
    assert np.diff(shown).min() > 0
    assert shown[-1] > 1e15  # the standard deviation passes 1e8


def test_the_published_alternation_says_when_it_has_diverged() -> None:
    expert, x = BlackBox(Regressor("smooth", smooth)), inputs()
    with pytest.raises(ValueError, match=r'"published" has diverged after \d+ steps'):
        imitated_regressor(expert, x, drawn_surrogate().features, "published", Descent(steps=5000, rate=2.0, draws=8))


def test_an_expert_that_is_not_gaussian_is_imitated_where_the_divergence_is_least() -> None:
    """Of all Gaussians N(m, s²), the least divergence to a logistic density has m in the middle and s near 1.65."""
    pool = Pool.of(inputs(60), ImitationSettings())
    imitated = imitate_regressor(logistic(), pool, ImitationSettings())
    mean, _ = imitated.surrogate.predict(pool.asked)
    assert mean == pytest.approx(pool.asked[:, 0], abs=0.25)
    least = min(
        float(divergence(_constant(scale), logistic(), np.zeros((1, 1)))[0]) for scale in np.linspace(1.2, 2.2, 41)
    )
    assert float(divergence(imitated.surrogate, logistic(), pool.asked).mean()) < least + 0.01


def _constant(std: float) -> LinearSurrogate:
    features = InducingFeatures(np.empty((0, 1)), np.ones(1))
    return LinearSurrogate(features, np.zeros(1), np.array([np.log(std)]))


def test_queries_are_counted_and_their_cap_is_kept() -> None:
    asked: list[int] = []

    def counting(x: Array, y: Array) -> Array:
        asked.append(len(y))
        return logistic_density(x, y)

    pool = Pool.of(inputs(40), ImitationSettings())
    box = BlackBox(DensityExpert("counting", counting, lambda x: x[:, 0]), queries=1_000)
    fidelity = imitate_regressor(box, pool, ImitationSettings()).fidelity
    assert fidelity.rows == box.used <= 1_000
    assert fidelity.density_queries == sum(asked) == box.used - len(pool.asked) - len(pool.held_out)
    with pytest.raises(ValueError, match="counting: imitation at 32 inputs needs more than the 200 queries"):
        imitate_regressor(BlackBox(box.model, queries=200), pool, ImitationSettings())


def test_a_gaussian_expert_is_asked_for_each_input_once() -> None:
    pool, box = Pool.of(inputs(40), ImitationSettings()), BlackBox(Regressor("smooth", smooth), queries=40)
    assert imitate_regressor(box, pool, ImitationSettings()).fidelity.rows == 40


@pytest.mark.parametrize("family", ["linear", "sparse-gp"])
def test_surrogates_are_nearer_to_the_expert_the_more_it_is_asked(family: str) -> None:
    settings = ImitationSettings(family=family, objective="moments", inducing=30)  # type: ignore[arg-type]
    test, expert = inputs(200, seed=99), BlackBox(Regressor("gentle", gentle), queries=None)
    means = []
    for count in (20, 50, 100):
        apart = []
        for seed in range(5):
            pool = replace(Pool.of(inputs(count, seed=seed), replace(settings, seed=seed)), held_out=test)
            apart.append(imitate_regressor(expert, pool, settings, seed).fidelity.divergence)
        means.append(np.mean(apart))
    assert means[0] > means[1] > means[2]


def test_a_surrogate_depends_on_its_seed_and_owner_alone() -> None:
    pool, settings = Pool.of(inputs(40), ImitationSettings()), ImitationSettings(steps=3)
    first, again, other = (
        imitate_regressor(logistic(), pool, settings, owner).surrogate.predict(pool.held_out)[0] for owner in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_class_probabilities_are_imitated_and_classes_put_in_their_places() -> None:
    def shares(x: Array) -> Array:
        first = 1.0 / (1.0 + np.exp(-3.0 * x[:, 0]))
        return np.stack([first, 1.0 - first], axis=1)

    pool = Pool.of(inputs(150), ImitationSettings())
    box = BlackBox(Classifier("two of three", shares, np.array(["owl", "cat"])))
    imitated = imitate_classifier(box, pool, ImitationSettings(), np.array(["cat", "dog", "owl"]))
    found = imitated.surrogate.predict_proba(pool.held_out)
    assert found[:, [2, 0]] == pytest.approx(shares(pool.held_out), abs=0.12)
    assert found[:, 1].max() < 0.02
    assert imitated.fidelity.rows == 150
    assert imitated.fidelity.error < 0.1
    with pytest.raises(ValueError, match="two of three: has a class 'owl' that is not among cat, dog"):
        imitate_classifier(box, pool, ImitationSettings(), np.array(["cat", "dog"]))


def test_the_published_objective_and_small_pools_are_refused_where_they_cannot_work() -> None:
    pool, box = Pool.of(inputs(10), ImitationSettings()), BlackBox(Regressor("smooth", smooth))
    with pytest.raises(ValueError, match='"published" is of the family "linear"'):
        imitate_regressor(box, pool, ImitationSettings(family="sparse-gp", objective="published"))
    with pytest.raises(ValueError, match="needs at least 5 inputs without targets; got 4"):
        Pool.of(inputs(4), ImitationSettings())
