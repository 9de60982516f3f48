"""Laws of two classes: sums of weighted rows are fused as any others, and weights settle at those of all rows together.

The oracle is variational inference with Pólya-Gamma variables on all rows in one place, in function space (matrices
over rows), by its textbook steps; it shares no code with the package.
"""

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.special import expit, log_expit

from coolgp.agents.batches import Batch
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.likelihoods.bernoulli import BERNOULLI, expected_logistic, log_slack, mean_weight
from coolgp.agents.model import Model
from coolgp.agents.population import Population, fold, new_population, observe_in_place
from coolgp.agents.prediction import Prediction
from coolgp.agents.sparse.collapsed import Parameters, bound_and_slopes
from coolgp.agents.sparse.fitting import maximise
from coolgp.agents.sparse.rows import Pooled
from coolgp.agents.sparse.two_classes import Labelled, fit_labels
from coolgp.fusion.hyperparameters import training_evidence_of
from coolgp.fusion.registry import RULES, SUM_RULES
from coolgp.fusion.weighing import take_in
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import PERFECT
from coolgp.network.partition import partition
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

from tests.oracle import JITTER, QUERIES, build_model, draw, ranked, rows_of, start

AGENTS, SIGNAL, SETTLED = 6, 5.0, 60
GRAPH = generate("ring", AGENTS, 0)
FUSING = ("tree", "flood", "server", "central", "consensus", "chebyshev", "push-sum")


def drawn(turn: int) -> Batch:
    """Classes by the sign of a function with noise; what masked rows hold is garbage."""
    batch = draw(AGENTS, 5, turn)
    return Batch(batch.x, np.where(batch.mask > 0, (batch.y > 0.2).astype(float), batch.y), batch.mask)


BATCHES = [drawn(turn) for turn in range(3)]
NONE = Batch(np.zeros((AGENTS, 1, 2)), np.zeros((AGENTS, 1)), np.zeros((AGENTS, 1)))


def classes() -> Model:
    return replace(build_model(), likelihood=BERNOULLI)


def ended(transport: Transport, name: str, keeps: float, rounds: int) -> tuple[Population, Prediction]:
    """Agents after so many rounds, the first with batches, and what each predicts."""
    rule, model = RULES[name]().fit(GRAPH, PERFECT), classes()
    theta = start(model, signal=SIGNAL, noise=1.0)
    population = replace(new_population(model, theta, transport.shard.agents.size), keeps=keeps)
    state = rule.init(population, transport)
    for turn in range(rounds):
        batch = ranked(BATCHES[turn] if turn < len(BATCHES) else NONE, transport)
        population = fold(take_in(population, batch, training_evidence_of(rule, state, population)))
        state = rule.converge(state, population, transport)
    everyone = np.arange(population.size)
    return population, rule.predict(state, population, everyone, QUERIES, transport)


def serially(name: str, keeps: float, rounds: int) -> tuple[Population, Prediction]:
    return ended(SerialTransport(RULES[name]().fit(GRAPH, PERFECT).links(GRAPH)), name, keeps, rounds)


@cache
def textbook() -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of ``f`` at the queries, by steps over all rows until nothing moves."""
    pairs = [rows_of(batch) for batch in BATCHES]
    x, y = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    z, scale = classes().basis.inducing, np.array([0.8, 1.1])

    def k(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return SIGNAL * np.exp(-0.5 * np.square((a[:, None] - b[None]) / scale).sum(-1))

    inverse = np.linalg.inv(k(z, z) + JITTER * SIGNAL * np.eye(len(z)))
    everything = np.concatenate([x, QUERIES])
    explained = k(everything, z) @ inverse @ k(z, everything)
    n, weight = len(x), np.full(len(x), 0.25)
    for _ in range(500):
        gain = explained[:, :n] @ np.linalg.inv(explained[:n, :n] + np.diag(1.0 / weight))
        mean = gain @ ((y - 0.5) / weight)
        variance = SIGNAL - (gain * explained[:, :n]).sum(1)
        c = np.sqrt(mean[:n] ** 2 + variance[:n])
        weight = np.tanh(c / 2) / (2 * c)
    return mean[n:], variance[n:]


@pytest.mark.parametrize("name", FUSING)
def test_where_rows_are_kept_every_agent_comes_to_the_textbook_on_all_rows(name):
    mean, variance = textbook()
    _, found = serially(name, np.inf, SETTLED)
    np.testing.assert_allclose(found.mean, np.tile(mean, (AGENTS, 1)), atol=1e-9)
    np.testing.assert_allclose(found.variance, np.tile(variance, (AGENTS, 1)), atol=1e-9)


@pytest.mark.parametrize(("name", "keeps"), [("tree", 0), ("tree", 5), ("tree", np.inf), ("gossip", 5)])
def test_fused_sums_are_those_of_one_agent_with_all_rows_of_the_same_weights(name, keeps):
    population, found = serially(name, keeps, len(BATCHES))
    _, central = serially("central", keeps, len(BATCHES))
    np.testing.assert_allclose(found.mean, central.mean, atol=1e-9 if name == "tree" else 1e-6)
    assert len(population.waiting) == {0: 0, 5: 1}.get(keeps, len(BATCHES))


def test_rows_that_are_weighed_once_are_further_from_the_textbook_than_rows_that_are_kept():
    mean, variance = textbook()
    right = expected_logistic(mean, variance)
    errors = []
    for keeps in (0, 5, np.inf):
        _, found = serially("tree", keeps, len(BATCHES))
        errors.append(np.abs(expected_logistic(found.mean, found.variance) - right).max())
    assert 0.1 > errors[0] > errors[1] > errors[2]


def test_a_stand_in_counts_as_its_weight_says():
    model, batch = build_model(), draw(AGENTS, 5, full=True)
    theta = start(model, noise=1.0)
    unknowing = new_population(classes(), theta, AGENTS)
    rows = take_in(unknowing, batch, unknowing.evidence).waiting[0]
    summed = np.zeros_like(unknowing.statistics.rows)
    for place in range(5):
        alone, row = new_population(model, theta, AGENTS), slice(place, place + 1)
        observe_in_place(alone, Batch(batch.x[:, row], rows.stand_in.target[:, row], batch.mask[:, row]))
        summed += np.square(rows.stand_in.root[:, row]) * alone.statistics.rows
    weighted = new_population(model, theta, AGENTS)
    observe_in_place(weighted, rows)
    np.testing.assert_allclose(weighted.statistics.rows[:, :-1], summed[:, :-1], rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(weighted.statistics.count, 5)


def test_a_parabola_is_below_the_likelihood_and_touches_it_where_the_belief_is():
    f, c = np.linspace(-12, 12, 241), np.array([1e-9, 0.3, 2.0, 7.0])[:, None]
    for y in (0.0, 1.0):
        target, weight = BERNOULLI.as_gaussian(np.full_like(c, y), np.zeros_like(c), c**2)
        below = log_slack(c**2) + weight * target * f - 0.5 * weight * f**2
        assert (below <= log_expit((2 * y - 1) * f) + 1e-12).all()
        touching = log_slack(c**2) + (y - 0.5) * c - 0.5 * weight * c**2
        np.testing.assert_allclose(touching, log_expit((2 * y - 1) * c), atol=1e-12)
    np.testing.assert_allclose(mean_weight(np.array([0.0])), 0.25)


@pytest.mark.parametrize("variance", [0.0, 1.0, 30.0, 900.0])
def test_probabilities_are_the_integral_over_what_is_not_known_of_f(variance):
    means = np.array([-4.0, 0.3, 25.0])
    integrals = [
        quad(
            lambda z, m=m: expit(m + np.sqrt(variance) * z) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi),
            *(-9, 9),
            points=[float(np.clip(-m / max(np.sqrt(variance), 1e-9), -9, 9))],
        )[0]
        for m in means
    ]
    np.testing.assert_allclose(expected_logistic(means, np.full(3, variance)), integrals, atol=1e-8)
    p, spread = BERNOULLI.observed(means, np.full(3, variance), np.ones(3))
    np.testing.assert_array_equal(spread, p * (1 - p))


def pilot() -> tuple[np.ndarray, np.ndarray, Parameters]:
    x, y = (np.concatenate(parts) for parts in zip(*map(rows_of, BATCHES), strict=True))
    return x, y, Parameters(classes().basis.inducing, np.array([0.8, 1.1]), SIGNAL, 1.0)


def test_the_bound_of_weighted_rows_has_the_slopes_of_its_differences():
    x, y, at = pilot()
    rows = Labelled(x, y, np.linspace(0.1, 9.0, len(y))).rows

    def value(theta: np.ndarray) -> float:
        moved = replace(at, lengthscale=np.exp(theta[:2]), signal_variance=float(np.exp(theta[2])))
        return bound_and_slopes(rows, moved, KERNELS["se"], JITTER)[0]

    theta = np.log([*at.lengthscale, at.signal_variance])
    _, slopes = bound_and_slopes(rows, at, KERNELS["se"], JITTER)
    expected = approx_fprime(theta, value, 1e-6)
    np.testing.assert_allclose([*slopes.log_lengthscale, slopes.log_signal_variance], expected, rtol=1e-4, atol=1e-4)


def test_rows_of_weight_one_have_the_bound_of_rows_without_weights():
    x, y, at = pilot()
    plain, weighted = (bound_and_slopes(rows, at, KERNELS["se"], JITTER) for rows in (Pooled(x, y), one(x, y)))
    assert plain[0] == weighted[0]
    np.testing.assert_array_equal(plain[1].inducing_inputs, weighted[1].inducing_inputs)


def one(x: np.ndarray, y: np.ndarray) -> Pooled:
    return Pooled(x, y, root=np.ones_like(y))


def test_a_search_never_lowers_the_bound_and_the_bound_is_below_the_evidence():
    x, y, at = pilot()
    labelled, bounds = Labelled(x, y, np.full(len(y), SIGNAL)), []
    for _ in range(6):
        bounds.append(labelled.bound(at, KERNELS["se"], JITTER))
        labelled = labelled.looked_at(at, KERNELS["se"], JITTER)
        bounds.append(labelled.bound(at, KERNELS["se"], JITTER))
        at = maximise(labelled.rows, at, KERNELS["se"], JITTER, 3, free=(True, True, False)).parameters
    assert (np.diff(bounds) > -1e-9).all()
    assert bounds[-1] < sampled_evidence(x, y, at)
    fit = fit_labels(x, y, pilot()[2], KERNELS["se"], JITTER, 12, moves=True, free=(True, True))
    assert fit.bound > fit.start_bound
    assert fit.parameters.noise_variance == 1.0


def sampled_evidence(x: np.ndarray, y: np.ndarray, at: Parameters) -> float:
    """``log p(y)`` of the exact process, by draws from the prior given by their posterior's Gaussian (importance)."""
    gap = (x[:, None] - x[None]) / at.lengthscale
    prior = at.signal_variance * (np.exp(-0.5 * np.square(gap).sum(-1)) + 1e-8 * np.eye(len(x)))
    weight, target = np.full(len(y), 0.25), y - 0.5
    for _ in range(200):
        cover = prior - prior @ np.linalg.solve(prior + np.diag(1 / weight), prior)
        mean = cover @ target
        c = np.sqrt(mean**2 + np.diag(cover))
        weight = np.tanh(c / 2) / (2 * c)
    factor = np.linalg.cholesky(cover + 1e-10 * np.eye(len(x)))
    z = np.random.default_rng(1).standard_normal((4000, len(x)))
    f = mean + z @ factor.T
    chance = log_expit((2 * y - 1) * f).sum(1)
    root = np.linalg.solve(np.linalg.cholesky(prior), f.T)
    ratio = -0.5 * np.square(root).sum(0) - np.linalg.slogdet(prior)[1] / 2
    ratio += 0.5 * np.square(z).sum(1) + np.log(np.diag(factor)).sum()
    total = chance + ratio
    return float(np.log(np.mean(np.exp(total - total.max()))) + total.max())


def main(folder: str) -> None:
    from coolgp.network.mpi import MPITransport, world

    links = RULES["tree"]().fit(GRAPH, PERFECT).links(GRAPH)
    transport = MPITransport(links, partition(links, world().size, "contiguous"))
    _, found = ended(transport, "tree", np.inf, 5)
    mean = transport.gather_rows(found.mean, transport.shard.agents)
    if transport.root:
        np.save(Path(folder) / "mean.npy", mean)


def test_any_number_of_ranks_has_the_bits_of_one(on_ranks, tmp_path):
    done = on_ranks(2, Path(__file__), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "mean.npy"), serially("tree", np.inf, 5)[1].mean)


def test_all_rules_that_sum_take_classes():
    assert {*FUSING, "gossip", "none"} == set(SUM_RULES)


if __name__ == "__main__":
    main(sys.argv[1])
