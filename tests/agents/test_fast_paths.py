"""Fast paths against plain ones: packed sums, folding, predictions, gradients, coordinates.

The plain ones are float64 NumPy and SciPy, an agent and a row at a time, from the formulas and full matrices.
"""

import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import solve_triangular

from coolgp.agents.batches import Batch
from coolgp.agents.encoding import Transport
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.kernels.se import expected_kernel, expected_outer
from coolgp.agents.learning import gradient
from coolgp.agents.model import Model
from coolgp.agents.parameters import Layout
from coolgp.agents.population import FOLD_ROWS, Population, fold, new_population, observe
from coolgp.agents.prediction import predict
from coolgp.agents.statistics import Evidence
from coolgp.agents.trial import Adam
from coolgp.fusion.hyperparameters import MODES
from coolgp.fusion.sums.tree import Tree
from coolgp.network.graphs.generate import generate
from coolgp.network.serial import SerialTransport
from coolgp.scenarios import resume
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.plots.fusion import fusion_figure
from coolgp.scenarios.records.guarantee import observed_words
from coolgp.scenarios.records.model import load_model
from coolgp.scenarios.records.run_folder import read_metrics, read_run
from coolgp.scenarios.records.tables import Columns
from coolgp.scenarios.runs.run import run

from tests.agents.test_statistics import assert_equal
from tests.oracle import BASES, JITTER, LAYOUTS, QUERIES, build_model, draw, start, walked
from tests.run_folders import contents
from tests.scenarios.runs.test_checkpoint import write_study

AGENTS, ROWS = 3, 9
ENCODINGS = ("transport", "stale", "importance")
EPS = np.finfo(float).eps
CLOSE = {"transport": 1e-10, "stale": 1e-10, "importance": 12 / JITTER * EPS}
"""Projections drawn from the prior may be so small that K is as good as singular but for its jitter."""
FOLDED = 1e-12


def settings(model: Model, *, alike: bool) -> np.ndarray:
    """Hyper-parameters ``[A, K]``: one for all, or others for each agent; near one another, as learning leaves them."""
    theta = np.tile(start(model), (AGENTS, 1))
    return theta if alike else theta + 0.05 * np.random.default_rng(3).standard_normal(theta.shape)


def at(model: Model, theta: np.ndarray) -> Population:
    """Agents with hyper-parameters ``θ [A, K]`` that have seen nothing."""
    return replace(new_population(model, theta[0], len(theta)), theta=theta, anchor=theta, told=theta[:, -2:])


# Plain ones ---------------------------------------------------------------------------------------------------------


def plain_kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * np.square(a[:, None, :] - b[None, :, :]).sum(-1))


class Plain:
    """One agent under ``θ [K]``, or under one projection drawn for the importance encoding; full matrices."""

    def __init__(self, model: Model, theta: np.ndarray, projection: np.ndarray | None = None) -> None:
        self.model, self.theta = model, theta
        self.projection = model.layout.projection(theta) if projection is None else projection
        self.signal, self.noise = np.exp(theta[-2:])
        u = model.basis.inducing
        self.points = u @ self.projection.T if model.basis.moves else u
        self.kernel = plain_kernel(self.points, self.points)
        self.factor = np.linalg.cholesky(self.kernel + JITTER * np.eye(len(u)))
        if model.basis.moves:
            there = u @ model.basis.reference.T
            root = np.linalg.cholesky(plain_kernel(there, there) + JITTER * np.eye(len(u)))
            self.frame = root @ root.T if model.basis.coordinates == "kernel" else root
            self.scales = np.array([1.0, 1.0, 1.0]) / self.noise
        else:
            self.frame = self.factor
            self.scales = np.array([self.signal, np.sqrt(self.signal), 1.0]) / self.noise

    def whitened(self, x: np.ndarray) -> np.ndarray:
        """``φ = L⁻¹κ(x)`` of one row ``[D]``."""
        kappa = plain_kernel((self.projection @ x)[None], self.points)[0]
        return solve_triangular(self.factor, kappa, lower=True)

    def common(self, phi: np.ndarray) -> np.ndarray:
        """``Rᵀ L⁻ᵀ φ``: what multiplies ``v`` where ``f(X_u) = Rv``."""
        return self.frame.T @ solve_triangular(self.factor.T, phi, lower=False)

    def sums(self, batches: list[Batch], agent: int) -> list[np.ndarray]:
        """``Σ φφᵀ``, ``Σ φy``, ``Σ y²`` and their number, in common coordinates, row by row."""
        size = len(self.points)
        sums = [np.zeros((size, size)), np.zeros(size), np.zeros(()), np.zeros(())]
        for batch in batches:
            for x, y, real in zip(batch.x[agent], batch.y[agent], batch.mask[agent], strict=True):
                if real:
                    phi = self.common(self.whitened(x))
                    for total, more in zip(sums, (np.outer(phi, phi), phi * y, y * y, 1.0), strict=True):
                        total += more
        return sums

    def expected(self, batches: list[Batch], agent: int) -> list[np.ndarray]:
        """The same where ``κ`` is random under ``q(W)``: sums of its moments, for a latent basis."""
        moments = (self.projection, self.model.layout.spread(self.theta))
        back = np.linalg.inv(self.factor)
        sums = [np.zeros_like(self.kernel), np.zeros(len(self.points)), np.zeros(()), np.zeros(())]
        for batch in batches:
            real = batch.mask[agent] > 0
            x, y = batch.x[agent, real], batch.y[agent, real]
            sums[0] += back @ expected_outer(x, self.points, *moments).sum(0) @ back.T
            sums[1] += back @ (y @ expected_kernel(x, self.points, *moments))
            sums[2] += y @ y
            sums[3] += len(y)
        return sums

    def scaled(self, sums: list[np.ndarray]) -> list[np.ndarray]:
        return [*(scale * total for scale, total in zip(self.scales, sums, strict=False)), sums[3]]


def plain_evidence(model: Model, theta: np.ndarray, *batches: Batch) -> Evidence:
    """What agents with ``θ [A, K]`` know of the batches."""
    encoding, agents = model.encoding, []
    for agent, own in enumerate(theta):
        plain = Plain(model, own)
        if not hasattr(encoding, "draws"):
            agents.append(plain.scaled(plain.sums(list(batches), agent)))
            continue
        entries = encoding.draws
        drawn = entries.reshape(-1, 2, 2) if model.layout.full else [np.diag(row) for row in entries]
        weights = np.exp(encoding.log_weights(model, own[None]))[0] / len(entries)
        each = [Plain(model, own, projection).sums(list(batches), agent) for projection in drawn]
        mean = [sum(w * sums[field] for w, sums in zip(weights, each, strict=True)) for field in range(2)]
        agents.append(plain.scaled([*mean, *each[0][2:]]))
    return Evidence(*(np.stack(field) for field in zip(*agents, strict=True)))


# Sums ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alike", [True, False], ids=["agreeing", "differing"])
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ENCODINGS)
class TestSums:
    """Whatever the basis, layout and encoding; agents with one setting, or each with its own."""

    def test_sums_are_those_of_a_plain_loop(self, encoding, layout, basis, alike):
        model, batches = build_model(basis, layout, encoding), [draw(AGENTS, ROWS, seed) for seed in range(3)]
        theta = settings(model, alike=alike)
        population = at(model, theta)
        for batch in batches:
            population = observe(population, batch)
        expected = plain_evidence(model, theta, *batches)
        assert_equal(population.evidence(), expected, CLOSE[encoding])
        assert_equal(fold(population).evidence(), expected, CLOSE[encoding])

    def test_it_does_not_matter_when_batches_are_folded(self, encoding, layout, basis, alike):
        """Batches of one row and of many, folded after some of them, after each, or all at once."""
        model, rows = build_model(basis, layout, encoding), draw(AGENTS, 30)
        theta = settings(model, alike=alike)
        cuts = {
            "single rows": (range(1, 30), range(30)),
            "ragged": ((1, 2, 9, 10, 25), (2, 4)),
            "at once": ((), ()),
            "at the end": ((3, 17), ()),
        }
        expected = fold(observe(at(model, theta), rows)).evidence()
        bound = 1e-10 if encoding == "importance" else FOLDED  # some of its draws of W make K ill-conditioned
        for name, (places, folds) in cuts.items():
            population, edges = at(model, theta), [0, *places, 30]
            for turn, (low, high) in enumerate(pairwise(edges)):
                batch = Batch(rows.x[:, low:high], rows.y[:, low:high], rows.mask[:, low:high])
                population = observe(population, batch)
                population = fold(population) if turn in folds else population
            assert population.waiting or name == "single rows", name
            assert_equal(population.evidence(), expected, bound)
            assert_equal(fold(population).evidence(), expected, bound)


def test_many_rows_are_folded_by_themselves():
    model = build_model()
    population = at(model, settings(model, alike=True))
    for turn in range(FOLD_ROWS):
        assert len(population.waiting) == turn
        population = observe(population, draw(AGENTS, 1, turn, full=True))
    assert not population.waiting
    np.testing.assert_array_equal(population.statistics.count, np.full(AGENTS, float(FOLD_ROWS)))


@pytest.mark.parametrize("size", [60, 450])
def test_sums_of_an_agent_do_not_depend_on_who_shares_its_block(size):
    model = wide_model(size)
    home = start(model)
    assert model.geometry(home[None]).home.all()
    theta = np.stack([home, home + 0.1, home, home - 0.1])  # features of those at home come of a triangular product
    batch = draw(len(theta), ROWS)
    together = model.encoding.encode(model, theta, batch).rows
    alone = [model.encoding.encode(model, theta[[k]], batch[[k]]).rows[0] for k in range(len(theta))]
    np.testing.assert_array_equal(together, alone)


def wide_model(size: int) -> Model:
    """So many inducing inputs in the plane, whitened."""
    inputs, layout = np.random.default_rng(8).uniform(-2, 2, (size, 2)), Layout(2)
    reference = layout.projection(layout.pack(np.array([0.8, 1.1]), 1.3, 0.05))
    return Model(layout, FunctionBasis(inputs, reference, JITTER), Transport())


def test_reading_what_waits_changes_nothing():
    model = build_model()
    population = observe(at(model, settings(model, alike=False)), draw(AGENTS, ROWS))
    before = population.statistics.rows.copy()
    first, some = population.packed(slice(None)), population.packed(np.array([2, 0]))
    np.testing.assert_array_equal(population.packed(slice(None)), first)
    np.testing.assert_array_equal(some, first[[2, 0]])
    np.testing.assert_array_equal(population.statistics.rows, before)


@pytest.mark.parametrize("encoding", ["transport", "stale"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_sums_of_an_uncertain_projection_are_those_of_its_moments(layout, encoding):
    shape = replace(build_model("latent", layout).layout, uncertain=True)
    model = Model(shape, build_model("latent").basis, build_model("latent", layout, encoding).encoding)
    theta, batch = settings(model, alike=False), draw(AGENTS, ROWS)
    agents = [Plain(model, own).scaled(Plain(model, own).expected([batch], i)) for i, own in enumerate(theta)]
    expected = Evidence(*(np.stack(field) for field in zip(*agents, strict=True)))
    assert_equal(fold(observe(at(model, theta), batch)).evidence(), expected, CLOSE[encoding])


# Predictions --------------------------------------------------------------------------------------------------------


def plain_predictions(model: Model, theta: np.ndarray, evidence: Evidence, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean and variance ``[A, Q]``, an agent and a query at a time, by solving with the full posterior precision."""
    mean, variance = np.empty((2, len(theta), len(x)))
    for agent, own in enumerate(theta):
        plain = Plain(model, own)
        amplitude = np.sqrt(plain.signal) if model.basis.moves else 1.0
        own_to_common = np.linalg.solve(plain.factor, plain.frame)
        prior = own_to_common.T @ own_to_common / amplitude**2
        covariance = np.linalg.inv(prior + evidence.precision[agent])
        for place, query in enumerate(x):
            phi = plain.whitened(query)
            row = np.sqrt(plain.signal) / amplitude * plain.common(phi)
            mean[agent, place] = row @ covariance @ evidence.shift[agent]
            variance[agent, place] = plain.signal * (1.0 - phi @ phi) + row @ covariance @ row
    return mean, variance


@pytest.mark.parametrize("alike", [True, False], ids=["agreeing", "differing"])
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_predictions_are_those_of_full_solves(layout, basis, alike):
    """Agents that hold one belief are predicted once, others each by itself."""
    model = build_model(basis, layout)
    theta, batch = settings(model, alike=alike), draw(AGENTS, ROWS)
    evidence = fold(observe(at(model, theta), batch)).evidence()
    if alike:  # of one belief, not of one setting alone
        evidence = Evidence(*(np.repeat(field[:1], AGENTS, 0) for field in vars(evidence).values()))
    prediction = predict(model, theta, evidence, QUERIES)
    mean, variance = plain_predictions(model, theta, evidence, QUERIES)
    np.testing.assert_allclose(prediction.mean, mean, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(prediction.variance, variance, rtol=1e-10, atol=1e-10)


# Gradients ----------------------------------------------------------------------------------------------------------


def plain_gradient(model: Model, theta: np.ndarray, evidence: Evidence, batch: Batch) -> np.ndarray:
    """By ``W``, agent by agent: the derivative by every kernel value, held in full, times that value's by ``W``.

    With ``q(f_u)`` held, ``∂L/∂κ_n = (σ_s (y_n - σ_s κ_nᵀα) α + σ_s² Fκ_n) / σ_η²`` and, where inducing points move
    with ``W``, ``∂L/∂K = Σ_n K⁻¹κ_n (½ σ_s²/σ_η² K⁻¹κ_n - ∂L/∂κ_n)ᵀ - ½ (F - ααᵀ)`` a batch's share, ``α`` the weights
    of the mean and ``F = K⁻¹ - K⁻¹SK⁻¹/σ_s²``.
    """
    slopes = []
    for agent, own in enumerate(theta):
        plain = Plain(model, own)
        amplitude = np.sqrt(plain.signal) if model.basis.moves else 1.0
        kernel = plain.factor @ plain.factor.T
        inverse = np.linalg.inv(kernel)
        own_to_common = np.linalg.solve(plain.factor, plain.frame)
        covariance = np.linalg.inv(own_to_common.T @ own_to_common / amplitude**2 + evidence.precision[agent])
        carrier = inverse @ plain.frame / amplitude  # from v to K⁻¹u, u the unit process
        alpha = carrier @ covariance @ evidence.shift[agent]
        shrink = inverse - carrier @ covariance @ carrier.T
        slopes.append(_by_projection(plain, batch, agent, alpha, shrink, float(evidence.count[agent])))
    return np.array(slopes)


def _by_projection(
    plain: Plain, batch: Batch, agent: int, alpha: np.ndarray, shrink: np.ndarray, count: float
) -> np.ndarray:
    real = batch.mask[agent] > 0
    x, y, u = batch.x[agent, real], batch.y[agent, real], plain.model.basis.inducing
    inverse = np.linalg.inv(plain.factor @ plain.factor.T)
    root, n = np.sqrt(plain.signal), len(y)
    kappa = plain_kernel(x @ plain.projection.T, plain.points)
    by_kappa = (root * np.outer(y - root * kappa @ alpha, alpha) + plain.signal * kappa @ shrink) / (plain.noise * n)
    slope = np.zeros((2, 2))
    for i in range(n):
        for j in range(len(u)):
            gap = plain.projection @ x[i] - plain.points[j]
            moved = x[i] - u[j] if plain.model.basis.moves else x[i]
            slope -= by_kappa[i, j] * kappa[i, j] * np.outer(gap, moved)
    if not plain.model.basis.moves:
        return slope
    rows = kappa @ inverse
    by_kernel = rows.T @ (0.5 * plain.signal / (plain.noise * n) * rows - by_kappa)
    by_kernel -= 0.5 * (shrink - np.outer(alpha, alpha)) / count
    for j in range(len(u)):
        for k in range(len(u)):
            gap = u[j] - u[k]
            slope -= by_kernel[j, k] * plain.kernel[j, k] * np.outer(plain.projection @ gap, gap)
    return slope


@pytest.mark.parametrize("alike", [True, False], ids=["agreeing", "differing"])
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_by_the_projection_are_those_of_full_matrices(layout, basis, alike):
    model = build_model(basis, layout)
    theta, batch = settings(model, alike=alike), draw(AGENTS, ROWS, 5)
    evidence = fold(observe(at(model, theta), draw(AGENTS, 30))).evidence()
    slope = plain_gradient(model, theta, evidence, batch)
    if layout == "diagonal":
        expected = np.diagonal(slope, axis1=-2, axis2=-1) * np.exp(theta[:, :2])
    else:
        expected = slope.reshape(AGENTS, 4)
    found_slope = gradient(model, theta, evidence, batch)[:, : model.layout.width]
    np.testing.assert_allclose(found_slope, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


# Coordinates --------------------------------------------------------------------------------------------------------


def in_coordinates(coordinates: str, layout: str = "diagonal") -> Model:
    model = build_model("function", layout)
    return Model(model.layout, replace(model.basis, coordinates=coordinates), model.encoding)


def lost(model: Model, theta: np.ndarray) -> float:
    """Relative error that kernel coordinates may have: rounding times the condition number of their prior precision."""
    worst = np.linalg.cond(model.geometry(theta).prior).max() + np.linalg.cond(model.basis.frame.factor)
    return float(EPS * worst)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("alike", [True, False], ids=["agreeing", "differing"])
@pytest.mark.parametrize("coordinates", ["whitened", "kernel"])
def test_sums_in_both_coordinates_are_those_of_a_plain_loop(coordinates, alike, layout):
    model, batch = in_coordinates(coordinates, layout), draw(AGENTS, ROWS)
    for theta in (settings(model, alike=alike), at_home(model)):
        found_evidence = fold(observe(at(model, theta), batch)).evidence()
        assert_equal(found_evidence, plain_evidence(model, theta, batch), max(1e-10, lost(model, theta)))


def at_home(model: Model) -> np.ndarray:
    """Hyper-parameters at the reference, whose carrier needs no rounding; for a diagonal layout, near it."""
    reference = model.basis.reference
    theta = np.tile(start(model), (AGENTS, 1))
    theta[:, : model.layout.width] = reference.ravel() if model.layout.full else np.log(np.diagonal(reference))
    return theta


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("moved", [False, True], ids=["where they started", "moved since"])
def test_predictions_do_not_depend_on_the_coordinates(moved, layout):
    """Beyond as many digits as the condition number of the kernel matrix has; also where hyper-parameters moved."""
    predictions = []
    for coordinates in ("whitened", "kernel"):
        model = in_coordinates(coordinates, layout)
        population = at(model, settings(model, alike=False))
        for seed in range(3):
            population = fold(observe(population, draw(AGENTS, 30, seed)))
            if moved:
                slope = np.random.default_rng(seed).standard_normal(population.theta.shape)
                population = walked(population, Adam(0.2), population.theta, slope)
        predictions.append(predict(model, population.theta, population.evidence(), QUERIES))
    bound = lost(model, population.theta)
    assert bound < 1e-4
    for name in ("mean", "variance"):
        np.testing.assert_allclose(getattr(predictions[1], name), getattr(predictions[0], name), rtol=bound, atol=bound)


def learned(coordinates: str) -> tuple[Population, np.ndarray, np.ndarray]:
    """Four rounds of agents that learn together over a tree."""
    model, graph = in_coordinates(coordinates), generate("small-world", 8, seed=1)
    rule = Tree()
    transport = SerialTransport(rule.links(graph))
    mode = MODES["collective"](Adam(0.1))
    population = mode.start(new_population(model, start(model), 8))
    state = rule.init(population, transport)
    for turn in range(4):
        batch = draw(8, 20, turn)
        population = mode.adopt(population, rule.announced(state, population)) if turn else population
        population = fold(observe(population, batch))
        observed = population
        population = mode.propose(population, batch, lambda rows: rule.fused_evidence(state, observed, rows))  # noqa: B023
        state = rule.converge(state, population, transport)
    prediction = rule.predict(state, population, np.arange(8), QUERIES, transport)
    return population, prediction.mean, prediction.variance


def test_learning_together_does_not_depend_on_the_coordinates():
    whitened, kernel = learned("whitened"), learned("kernel")
    assert np.abs(whitened[0].candidate - start(whitened[0].model)).max() > 0.1
    bound = 100 * lost(kernel[0].model, kernel[0].theta)  # steps divide small gradients by their own size
    assert bound < 1e-3
    np.testing.assert_allclose(kernel[0].candidate, whitened[0].candidate, rtol=bound, atol=bound)
    for one, other in zip(kernel[1:], whitened[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=bound, atol=bound)


@pytest.mark.parametrize("mode", ["fixed", "collective", "local"])
def test_a_model_in_kernel_coordinates_predicts_again(tmp_path, mode):
    settings = {
        "data": {"source": "field"},
        "agents": {"count": 6, "inducing": 8, "batch_size": 5, "coordinates": "kernel", "hyperparameters": mode},
        "run": {"rounds": 3, "probes": 3},
    }
    run(resolve(settings, "kernel"), tmp_path / "run", figures=False)
    model, predictions = load_model(tmp_path / "run"), dict(np.load(tmp_path / "run" / "predictions.npz"))
    for place, agent in enumerate(model.agents):
        again = model.predict(predictions["x_test"], agent)
        np.testing.assert_allclose(again.mean, predictions["mean_post"][place], rtol=1e-9)
        np.testing.assert_allclose(again.variance, predictions["variance_post"][place], rtol=1e-9)


# Rounds without an exchange -----------------------------------------------------------------------------------------


def stretched(
    folder: Path, every: int, rounds: int, batch_size: int, *more: str, stops: tuple[int, ...] = ()
) -> Columns:
    """A run whose agents speak after every so many rounds; stops: copied after these, as a kill would leave it."""
    settings = {
        "data": {"source": str(folder.parent / "points.csv"), "target": "y", "agent": "station"},
        "agents": {"inducing": 10, "batch_size": batch_size, "lengthscale": 0.8, "signal_variance": 1.0},
        "network": {"topology": "ring"},
        "fusion": {"every": every},
        "run": {"rounds": rounds, "probes": 4, "checkpoint_minutes": 0},
    }

    def copy(record: object, row: dict[str, float]) -> None:
        if row["round"] - 1 in stops:
            shutil.copytree(folder, f"{folder}-killed-{int(row['round']) - 1}")

    run(resolve(settings, "stretched", more), folder, figures=False, watch=copy)
    return read_metrics(folder)


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("points")
    write_study(folder)
    return folder


@pytest.mark.parametrize("rule", ["tree", "consensus", "push-sum", "none"])
def test_speaking_after_every_third_round_is_learning_from_batches_thrice_as_large(points, rule):
    more = (f"fusion.rule={rule}", "fusion.rounds_per_step=2", "agents.hyperparameters=fixed")
    seldom = stretched(points / f"{rule}-seldom", 3, 9, 4, *more)
    large = stretched(points / f"{rule}-large", 1, 3, 12, *more)
    speaking = np.arange(2, 9, 3)
    for name in ("observations", "rmse_pre", "rmse_post", "nlpd_post", "bytes", "messages", "communication_rounds"):
        np.testing.assert_allclose(seldom[name][speaking], large[name], rtol=CLOSE["transport"], err_msg=name)
    assert not np.delete(seldom["messages"], speaking).any()
    assert not np.delete(seldom["communication_rounds"], speaking).any()
    predictions = [np.load(points / f"{rule}-{kind}" / "predictions.npz")["mean_post"] for kind in ("seldom", "large")]
    np.testing.assert_allclose(*predictions, rtol=CLOSE["transport"])


@pytest.mark.parametrize("batch_size", [6, 50], ids=["nothing folded on the way", "folded on the way"])
def test_a_run_killed_between_two_exchanges_and_resumed_is_the_run_that_nobody_stopped(points, batch_size):
    folder, stops = points / f"whole-{batch_size}", (1, 3, 4, 5)
    stretched(folder, 4, 6, batch_size, "agents.hyperparameters=collective", stops=stops)
    for stop in stops:
        resume(f"{folder}-killed-{stop}", figures=False)
        assert contents(Path(f"{folder}-killed-{stop}")) == contents(folder), stop


def test_a_stretch_begun_on_one_rank_ends_on_two_with_the_same_bytes(points, on_ranks):
    folder = points / "one"
    stretched(folder, 4, 6, 6, "agents.hyperparameters=local", stops=(2,))
    program = "import sys\nfrom coolgp.scenarios import resume\nresume(sys.argv[1], figures=False)\n"
    done = on_ranks(2, program, f"{folder}-killed-2")
    assert done.returncode == 0, done.stderr
    assert contents(Path(f"{folder}-killed-2")) == contents(folder)


def test_what_was_seen_is_said_of_rounds_with_an_exchange_alone(points):
    metrics = stretched(points / "said", 4, 8, 4)
    assert metrics["fusion_error"][0] > 0.1  # nobody has spoken yet
    assert (metrics["fusion_error"][3:] < 1e-12).all()
    assert metrics["rmse_post"][0] == metrics["rmse_post"][2] > metrics["rmse_post"][3]
    folder = read_run(points / "said")
    words = observed_words(folder.guarantee, metrics)
    rounds = int(metrics["communication_rounds"][3])
    assert words.startswith(f"Observed: {rounds} communication rounds in each of 2 exchanges; ")
    assert fusion_figure(folder) is None  # all went well


def test_what_was_seen_where_every_round_ends_with_an_exchange(points):
    metrics = stretched(points / "each", 1, 2, 4)
    words = observed_words(read_run(points / "each").guarantee, metrics)
    assert words.startswith(f"Observed: {int(metrics['communication_rounds'][0])} communication rounds in a round of ")
