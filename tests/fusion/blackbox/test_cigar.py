"""Laws of CIGAR: where agents that know experts by their answers alone end, and how they get there."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import logistic

from coolgp.agents.experts.queries.density import gaussian_log_density
from coolgp.fusion.blackbox.cigar import Cigar
from coolgp.fusion.blackbox.estimators import Antithetic
from coolgp.fusion.blackbox.gaussians import generalised_product, mixture, product
from coolgp.fusion.blackbox.steps import STEPS, Group
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import PERFECT, Faults

from tests.fusion.blackbox.panels import Run, density, drawn, gaussian, gaussians

MEAN, STD = drawn(0, 6, 9)
MODE, PRODUCT_STD = product(MEAN, STD)


@pytest.mark.parametrize("starts", ["own", "common"])
def test_newton_finds_the_product_of_gaussians_in_one_step(starts: str) -> None:
    run = Run(gaussians(MEAN, STD), 9, sums=2, starts=starts, width=0.5)
    np.testing.assert_allclose(run.mean, np.broadcast_to(MODE, run.mean.shape), atol=1e-10)


@pytest.mark.parametrize(
    "uncertainty, std",
    [
        ("product", PRODUCT_STD),
        ("gpoe", generalised_product(MEAN, STD)[1]),
        ("mixture", np.hypot(mixture(MEAN, STD)[1], mixture(MEAN, STD)[0] - MODE)),
    ],
)
def test_each_uncertainty_is_that_of_its_closed_form(uncertainty: str, std: np.ndarray) -> None:
    for starts in ("own", "common"):
        run = Run(gaussians(MEAN, STD), 9, starts=starts, uncertainty=uncertainty)
        np.testing.assert_allclose(run.variance, np.broadcast_to(std**2, run.variance.shape), rtol=1e-10)


@pytest.mark.parametrize("rate", [0.3, 0.1, 1.1, 2.1])
def test_exact_gradients_and_a_common_step_contract_by_one_factor_for_every_agent(rate: float) -> None:
    """``y ← y + η G``, with the sums that CIGAR forms, for ``η = rate / Λ``."""
    run = Run(gaussians(MEAN, STD), 9, sums=1, step="published", width=0.5)
    total = (1.0 / STD**2).sum(axis=0)
    gradient = run.climb.rows[:, :-1].sum(axis=0).reshape(run.climb.points[0].shape)
    start = run.climb.points[0]
    after = start + rate / total * gradient
    np.testing.assert_allclose(after - MODE, (1.0 - rate) * (start - MODE), atol=1e-12 * np.ptp(start))


def test_directions_that_experts_and_agents_share_contract_by_the_mean_of_their_squares() -> None:
    z = np.broadcast_to(np.random.default_rng(4).normal(size=(10, 1, 9)), (10, 6, 9))
    total, rate = (1.0 / STD**2).sum(axis=0), 0.3
    estimator = Antithetic(10)
    slopes = [
        estimator.slope(lambda y, m=m, s=s: gaussian_log_density(y, m, s), MEAN, 0.1 * s, z, curved=False).gradient
        for m, s in zip(MEAN, STD, strict=True)
    ]
    after = MEAN + rate / total * np.sum(slopes, axis=0)
    factor = 1.0 - rate * np.square(z[:, 0]).mean(axis=0)
    np.testing.assert_allclose(after - MODE, factor * (MEAN - MODE), atol=1e-12 * np.ptp(MEAN))


@pytest.mark.parametrize("rate", [0.2, 1.0])
@pytest.mark.parametrize("kind", ["gaussian", "logistic"])
def test_the_spread_of_concave_experts_never_grows(kind: str, rate: float) -> None:
    centres = np.array([-3.0, 0.5, 2.0])
    curvature = {"gaussian": 3.0, "logistic": 0.75}[kind]  # the steepest: Σ|f″| of unit scales
    slope = {"gaussian": lambda y: -y, "logistic": lambda y: 1.0 - 2.0 * logistic.cdf(y)}[kind]
    y = np.linspace(-6.0, 7.0, 12)
    spreads = []
    for _ in range(30):
        spreads.append(np.ptp(y))
        y = y + rate / curvature * slope(y[:, None] - centres).sum(axis=1)
    assert (np.diff(spreads) <= 1e-12).all()


def test_logistic_experts_agree_on_the_mode_of_their_product() -> None:
    centres = [-3.0, 0.5, 2.0]
    boxes = [density(f"{c}", lambda y, c=c: logistic.logpdf(y, c), c, std=1.8) for c in centres]  # type: ignore[misc]
    run = Run(boxes, 1, graph="star", width=1e-3)
    slope = sum(1.0 - 2.0 * logistic.cdf(run.mean[0, 0] - c) for c in centres)
    assert run.climb.done == "settled"
    assert np.ptp(run.mean) < 1e-6
    assert abs(slope) < 1e-6


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("starts", ["own", "common"])
def test_experts_that_are_alike_do_not_move(step: str, starts: str) -> None:
    mean, std = np.tile(MEAN[:1], (4, 1)), np.tile(STD[:1], (4, 1))
    run = Run(gaussians(mean, std), 9, step=step, starts=starts)
    np.testing.assert_allclose(run.mean, mean, atol=1e-12)
    assert np.isfinite(run.variance).all()


def test_an_expert_that_is_alone_is_its_own_product() -> None:
    run = Run(gaussians(MEAN[:1], STD[:1]), 9)
    np.testing.assert_allclose(run.mean, MEAN[:1], atol=1e-12)
    np.testing.assert_allclose(run.variance, STD[:1] ** 2, rtol=1e-10)


def test_limits_of_the_product() -> None:
    sure = STD.copy()
    sure[2] = 1e-6
    np.testing.assert_allclose(Run(gaussians(MEAN, sure), 9).mean[0], MEAN[2], atol=1e-8)
    alike = Run(gaussians(MEAN, np.full_like(STD, 0.7)), 9)
    np.testing.assert_allclose(alike.mean[0], MEAN.mean(axis=0), atol=1e-8)
    twice = Run(gaussians(np.tile(MEAN, (2, 1)), np.tile(STD, (2, 1))), 9, uncertainty="product")
    np.testing.assert_allclose(twice.mean[0], MODE, atol=1e-8)
    np.testing.assert_allclose(twice.variance[0], PRODUCT_STD**2 / 2.0, rtol=1e-8)
    silent = Run(gaussians(np.vstack([MEAN, MEAN[:1]]), np.vstack([STD, np.full((1, 9), 1e8)])), 9)
    np.testing.assert_allclose(silent.mean[0], MODE, atol=1e-8)


@pytest.mark.parametrize("step", STEPS)
def test_renaming_the_agents_renames_their_predictions(step: str) -> None:
    order = np.random.default_rng(2).permutation(6)
    boxes = gaussians(MEAN, STD)
    run, renamed = Run(boxes, 9, "complete", step=step), Run([boxes[i] for i in order], 9, "complete", step=step)
    np.testing.assert_allclose(renamed.mean, run.mean[order], atol=1e-10)


@pytest.mark.parametrize("factor, offset", [(0.01, 3.0), (100.0, -40.0)])
@pytest.mark.parametrize("estimator", ["central", "antithetic", "forward"])
@pytest.mark.parametrize("step", ["newton", "scale-free"])
def test_other_units_of_the_target_change_nothing(step: str, estimator: str, factor: float, offset: float) -> None:
    settings = {"step": step, "estimator": estimator, "iterations": 6}
    plain, scaled = (Run(gaussians(a * MEAN + b, a * STD), 9, **settings) for a, b in ((1.0, 0.0), (factor, offset)))
    np.testing.assert_allclose((scaled.mean - offset) / factor, plain.mean, atol=1e-10)
    np.testing.assert_allclose(scaled.variance / factor**2, plain.variance, rtol=1e-8)


def test_the_published_step_is_not_free_of_units() -> None:
    spreads = [
        np.ptp(Run(gaussians(a * MEAN, a * STD), 9, step="published").mean, axis=0).mean() / a for a in (1.0, 100.0)
    ]
    assert spreads[1] > 5.0 * spreads[0]


def test_the_product_lies_between_the_experts_and_no_start_is_more_likely() -> None:
    run = Run(gaussians(MEAN, STD), 9)
    assert (run.mean >= MEAN.min(axis=0) - 1e-12).all()
    assert (run.mean <= MEAN.max(axis=0) + 1e-12).all()

    def likelihood(y: np.ndarray) -> np.ndarray:
        return -0.5 * (np.square((y - MEAN) / STD)).sum(axis=0)

    assert all((likelihood(run.mean[0]) >= likelihood(start) - 1e-12).all() for start in MEAN)


def test_experts_without_a_consensus_leave_agents_at_different_modes() -> None:
    cauchy = [density(f"{c}", lambda y, c=c: -np.log1p((y - c) ** 2), c) for c in (-3.0, 3.0)]  # type: ignore[misc]
    run = Run(cauchy, 1, graph="star", width=1e-4, tolerance=1e-8)
    np.testing.assert_allclose(run.mean[:, 0], [-np.sqrt(8.0), np.sqrt(8.0)], atol=1e-6)
    assert not run.rule.consensus(run.climb, run.transport).any()
    agreed = Run(gaussians(MEAN, STD), 9)
    assert agreed.rule.consensus(agreed.climb, agreed.transport).all()


def test_rounding_has_no_sign() -> None:
    group = Group(np.array([1e-12, -1e-3]), None, np.full(2, 2.0), np.full(2, 100.0), 1)
    np.testing.assert_array_equal(STEPS["published"].move(group), [0.0, -1.0])


def test_random_directions_have_to_find_rest_twice() -> None:
    runs = [Run(gaussians(MEAN, STD), 9, estimator=name, tolerance=1e9) for name in ("central", "forward")]
    assert [run.climb.iteration for run in runs] == [1, 2]
    assert {run.climb.done for run in runs} == {"settled"}


def test_agents_that_agree_may_stop_without_looking_whether_they_still_move() -> None:
    run = Run(gaussians(MEAN, STD), 9, stop="disagreement")
    assert (run.climb.done, run.climb.iteration) == ("settled", 1)
    np.testing.assert_allclose(run.mean, np.broadcast_to(MODE, run.mean.shape), atol=1e-10)
    centres = [-3.0, 0.5, 2.0]
    boxes = [density(f"{c}", lambda y, c=c: logistic.logpdf(y, c), 0.0, std=1.8) for c in centres]  # type: ignore[misc]
    together = Run(boxes, 1, width=1e-3, stop="disagreement")  # agents that start together agree, and are nowhere yet
    slope = sum(1.0 - 2.0 * logistic.cdf(together.mean[0, 0] - c) for c in centres)
    assert abs(slope) < 1e-6


def test_experts_that_are_asked_in_several_calls_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"step": "scale-free", "estimator": "forward", "iterations": 3}
    at_once = Run(gaussians(MEAN, STD), 9, **settings)
    monkeypatch.setattr("coolgp.fusion.blackbox.asking.CACHED", 200)
    np.testing.assert_array_equal(Run(gaussians(MEAN, STD), 9, **settings).mean, at_once.mean)


def test_where_a_product_is_not_concave_a_step_is_bounded() -> None:
    group = Group(np.array([50.0, -50.0, 1e-3]), np.array([-1.0, 0.0, -1.0]), np.full(3, 2.0), np.full(3, 100.0), 4)
    np.testing.assert_allclose(STEPS["newton"].move(group), [1.0, -1.0, 2e-3])
    assert (np.abs(STEPS["newton"].move(replace(group, precision=np.full(3, 1e-9)))) <= 100.0).all()


@pytest.mark.parametrize("graph", ["random-tree", "star", "ring", "small-world"])
def test_a_sum_is_complete_after_as_many_rounds_as_the_tree_is_wide_and_not_before(graph: str) -> None:
    topology = generate(graph, 6, 1)
    boxes = gaussians(MEAN, STD)
    rounds = Run(boxes, 9, topology, sums=0).rule.guarantee(topology, Faults()).rounds
    assert rounds is not None
    early, late = (Run(boxes, 9, topology, rounds=count) for count in (2 * rounds - 1, 2 * rounds))
    np.testing.assert_array_equal(early.mean, MEAN)
    np.testing.assert_allclose(late.mean, np.broadcast_to(MODE, MEAN.shape), atol=1e-12)


@pytest.mark.parametrize("starts", ["own", "common"])
def test_messages_along_a_tree_give_what_a_centre_would(starts: str) -> None:
    settings = {"starts": starts, "step": "scale-free", "estimator": "forward", "iterations": 30}
    decentralised, centre = (Run(gaussians(MEAN, STD), 9, via=via, **settings) for via in ("tree", "central"))
    np.testing.assert_allclose(decentralised.mean, centre.mean, rtol=1e-11)


@pytest.mark.parametrize("via", ["consensus", "push-sum", "flood", "server"])
def test_what_carries_a_sum_does_not_change_where_agents_end(via: str) -> None:
    np.testing.assert_allclose(Run(gaussians(MEAN, STD), 9, via=via).mean, np.broadcast_to(MODE, MEAN.shape), atol=1e-9)


def test_sums_that_are_not_complete_leave_agents_apart() -> None:
    spread = [
        np.ptp(Run(gaussians(MEAN, STD), 9, via="consensus", query_rounds=rounds).mean, axis=0).max()
        for rounds in (3, 12)
    ]
    assert spread[0] > 10 * spread[1] > 0


def test_a_sum_gets_the_communication_rounds_that_it_is_given() -> None:
    before, after = (Run(gaussians(MEAN, STD), 9, query_rounds=7, rounds=rounds) for rounds in (6, 7))
    assert before.climb.agreed is None
    assert after.climb.agreed is not None


def test_sums_that_are_read_early_are_promised_as_approximate() -> None:
    ring = generate("ring", 6, 0)
    kinds = {
        rounds: Cigar(query_rounds=rounds).fit(ring, PERFECT).guarantee(ring, PERFECT).kind
        for rounds in (4, 5, "converge")
    }
    assert kinds == {4: "approximate", 5: "exact", "converge": "exact"}
    averaged = Cigar(via="consensus", query_rounds=10).fit(ring, PERFECT).guarantee(ring, PERFECT)
    assert averaged.kind == "approximate"
    assert "after 10 communication rounds" in averaged.why


def test_late_messages_are_refused_and_sums_that_never_settle_need_a_number_of_rounds() -> None:
    with pytest.raises(ValueError, match="late"):
        Run(gaussians(MEAN, STD), 9, faults=Faults(delay=1))
    with pytest.raises(ValueError, match="query_rounds"):
        Run(gaussians(MEAN, STD), 9, via="consensus", faults=Faults(loss=0.2))


@pytest.mark.parametrize("estimator, each", [("central", 2), ("forward", 11), ("antithetic", 20)])
def test_queries_are_counted_exactly(estimator: str, each: int) -> None:
    asked = [0] * 6

    def box(agent: int) -> object:
        def answer(y: np.ndarray) -> np.ndarray:
            asked[agent] += y.size
            return -0.5 * np.square(y - agent)

        return density(f"expert {agent}", answer, float(agent))

    run = Run([box(agent) for agent in range(6)], 5, step="published", estimator=estimator, iterations=3)
    assert asked == [each * 6 * 5 * 3] * 6
    assert sum(asked) == sum(box.density_queries for box in run.boxes)


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    settings = {"step": "scale-free", "estimator": "forward", "iterations": 5}
    runs = [Run(gaussians(MEAN, STD), 9, seed=seed, **settings).mean for seed in (3, 3, 4)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()


def test_an_expert_that_fails_is_out_and_the_others_agree_without_it() -> None:
    def fails(x: np.ndarray) -> np.ndarray:
        raise RuntimeError("no power")

    boxes = gaussians(MEAN, STD)
    boxes[3] = gaussian("expert 3", MEAN[3], STD[3])
    boxes[3].model = replace(boxes[3].model, moments=fails)
    run = Run(boxes, 9)
    left = [0, 1, 2, 4, 5]
    np.testing.assert_allclose(run.mean, np.broadcast_to(product(MEAN[left], STD[left])[0], MEAN.shape), atol=1e-10)
    assert [(run.order[place], reason) for place, reason in run.climb.out.items()] == [
        (3, "raised RuntimeError (no power)")
    ]


def test_an_expert_that_fails_on_the_way_is_not_counted_any_more() -> None:
    calls = []

    def fails(y: np.ndarray) -> np.ndarray:
        calls.append(y)
        return -0.5 * y**2 if len(calls) < 2 else np.full(y.shape, np.nan)

    boxes = [density(f"expert {c}", lambda y, c=c: -0.5 * (y - c) ** 2, float(c)) for c in (1, 2, 3)]  # type: ignore[misc]
    run = Run([*boxes, density("expert 4", fails, 0.0)], 3, iterations=4, step="scale-free", tolerance=1e-12)
    assert list(run.climb.out.values()) == ["answers a log density that is not finite for 36 rows"]
    np.testing.assert_allclose(run.variance, 1.0, rtol=1e-8)  # three of unit precision


def test_a_cap_on_queries_ends_the_climb_before_it_is_exceeded() -> None:
    boxes = [density(f"expert {c}", lambda y, c=c: -0.5 * (y - c) ** 2, float(c)) for c in range(4)]  # type: ignore[misc]
    boxes[2].queries = 100
    run = Run(boxes, 3, step="published")
    assert run.climb.done == "queries"
    assert boxes[2].used <= 100
    assert run.climb.iteration == (100 - 3) // (2 * 4 * 3)
