"""The experiments behind the method's claims, as tests of the claims; run as a program, this prints their tables.

Settings are those of the method note in kind (d = 3, M = 120 or 128), smaller in rows; errors are RMSE against the
noiseless function, whose standard deviation is one.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from coolgp.agents.batches import Batch
from coolgp.agents.encoding import ENCODINGS, Importance, Transport, effective_sample_size
from coolgp.agents.features.basis import FunctionBasis, LatentBasis
from coolgp.agents.features.inducing import conditional_variance
from coolgp.agents.kernels.se import expected_outer
from coolgp.agents.model import Encoding, Model
from coolgp.agents.parameters import Layout
from coolgp.agents.population import new_population, observe_in_place
from coolgp.agents.prediction import predict
from coolgp.agents.trial import Adam
from coolgp.fusion.hyperparameters import MODES

SEEDS = (0, 1)
NOISE = 0.1
LAYOUT = Layout(3)
HALF = 1.5
"""Inputs are uniform in the cube [-1.5, 1.5]³."""


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    with threadpool_limits(limits=1):
        yield


def drawn_function(rng: np.random.Generator, lengthscale: np.ndarray):
    """A draw of the squared exponential process with unit variance, by 1,000 random Fourier features."""
    frequency = rng.standard_normal((3, 1000)) / lengthscale[:, None]
    phase, weight = rng.uniform(0, 2 * np.pi, 1000), rng.standard_normal(1000) * np.sqrt(2 / 1000)
    return lambda x: np.cos(x @ frequency + phase) @ weight


def cube(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.uniform(-HALF, HALF, (*shape, 3))


def packed(lengthscale: np.ndarray) -> np.ndarray:
    return LAYOUT.pack(lengthscale, 1.0, NOISE**2)


def common_ground(
    basis: str, encoding: Encoding, lengthscale: np.ndarray, inducing: int, rng: np.random.Generator
) -> Model:
    """Inducing inputs chosen under the given lengthscales; a latent basis holds their projections."""
    chosen = conditional_variance(cube(rng, 1000) / lengthscale, inducing, rng)
    if basis == "latent":
        return Model(LAYOUT, LatentBasis(chosen, 1e-6), encoding)
    return Model(LAYOUT, FunctionBasis(chosen * lengthscale, np.diag(1 / lengthscale), 1e-6), encoding)


def error(mean: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.square(mean - truth).mean()))


def table(rows: dict[str, dict[str, float]]) -> str:
    """Named rows of named numbers as text."""
    columns = list(next(iter(rows.values())))
    width = max(map(len, rows))
    lines = [" " * width + "".join(f"{name:>20}" for name in columns)]
    lines += [f"{name:<{width}}" + "".join(f"{row[c]:20.4f}" for c in columns) for name, row in rows.items()]
    return "\n".join(lines)


def averaged(measure, *arguments: object) -> dict[str, float]:
    runs = [measure(seed, *arguments) for seed in SEEDS]
    return {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}


# Hyper-parameters that move (COOL-GP §3) ----------------------------------------------------------------------------

TRUE = np.array([0.9, 1.2, 1.5])
STEPS, ROWS, OFF = 60, 40, 1.5


def moving(seed: int, basis: str) -> dict[str, float]:
    """One agent whose lengthscales go from 1.5 times the true ones to those, a 60th of the way after each batch."""
    rng = np.random.default_rng(seed)
    function, x = drawn_function(rng, TRUE), cube(rng, STEPS, ROWS)
    y = function(x) + NOISE * rng.standard_normal((STEPS, ROWS))
    queries = cube(rng, 500)
    first, last = packed(OFF * TRUE), packed(TRUE)
    path = np.linspace(first, last, STEPS + 1)[1:]
    still = {"encoded anew": np.tile(last, (STEPS, 1)), "never moved": np.tile(first, (STEPS, 1))}
    ground = common_ground(basis, Transport(), OFF * TRUE, 120, rng)
    result = {}
    for name in ("transport", "stale", *still):
        model = replace(ground, encoding=ENCODINGS[name]()) if name in ENCODINGS else ground
        thetas = still.get(name, path)
        population = new_population(model, first if name in ENCODINGS else thetas[0], 1)
        for turn, theta in enumerate(thetas):
            observe_in_place(population, Batch(x[None, turn], y[None, turn], np.ones((1, ROWS))))
            moved = model.encoding.move(model, population.statistics, population.anchor, theta[None])
            population = replace(population, statistics=moved[0], anchor=moved[1], theta=theta[None])
        result[name] = error(predict(model, population.theta, population.evidence(), queries).mean, function(queries))
    return result


@cache
def moving_table() -> dict[str, dict[str, float]]:
    return {basis: averaged(moving, basis) for basis in ("function", "latent")}


def test_transport_about_the_function_loses_hardly_anything_while_hyper_parameters_move():
    row = moving_table()["function"]
    assert row["transport"] <= 1.05 * row["encoded anew"]


@pytest.mark.parametrize("basis", ["function", "latent"])
def test_transport_beats_stale_statistics_and_never_learning(basis):
    row = moving_table()[basis]
    assert row["transport"] < 0.5 * row["stale"]
    assert row["transport"] < row["never moved"]


def test_transport_about_the_latent_function_loses_more_than_about_the_function():
    rows = moving_table()
    assert rows["latent"]["transport"] > rows["function"]["transport"]


# Agents that learned different hyper-parameters of one function (COOL-GP §5) ------------------------------------------

ROUGH = np.full(3, 0.7)


def disagreeing(seed: int, inducing: int, off: float) -> dict[str, float]:
    """Two agents see two halves of one function with lengthscales off in opposite directions; RMSE over both."""
    rng = np.random.default_rng(seed)
    function, x = drawn_function(rng, ROUGH), cube(rng, 2, 1500)
    x[..., 0] = np.abs(x[..., 0]) * np.array([[-1.0], [1.0]])
    batch = Batch(x, function(x) + NOISE * rng.standard_normal((2, 1500)), np.ones((2, 1500)))
    queries = cube(rng, 500)
    right, wrong = packed(ROUGH)[None].repeat(2, 0), np.stack([packed(ROUGH * (1 + off)), packed(ROUGH / (1 + off))])
    result = {}
    for basis, name in (("function", "about the function"), ("latent", "about the latent")):
        model = common_ground(basis, Transport(), ROUGH, inducing, np.random.default_rng(seed))

        def rmse(theta: np.ndarray, fused: bool, model: Model = model) -> float:
            own = model.encoding.evidence(model, theta, model.encoding.encode(model, theta, batch))
            evidence = own + own[::-1] if fused else own
            return error(predict(model, theta, evidence, queries).mean, function(queries))

        if basis == "function":
            result = {"alone": rmse(wrong, fused=False), "pooled, right": rmse(right, fused=True)}
        result[name] = rmse(wrong, fused=True)
    return result


@cache
def disagreeing_row(inducing: int, off: float) -> dict[str, float]:
    return averaged(disagreeing, inducing, off)


@pytest.mark.parametrize("inducing", [128, 256])
def test_messages_about_the_function_fuse_agents_that_disagree_almost_as_if_pooled(inducing):
    row = disagreeing_row(inducing, 0.15)
    assert row["about the function"] < 1.3 * row["pooled, right"]


@pytest.mark.parametrize("inducing, factor", [(128, 4), (256, 9)])
def test_plain_sums_of_latent_statistics_do_not_fuse_agents_that_disagree(inducing, factor):
    row = disagreeing_row(inducing, 0.15)
    assert row["about the latent"] > factor * row["pooled, right"]


def test_where_agents_agree_both_are_the_pooled_process():
    row = disagreeing_row(128, 0.0)
    assert row["about the function"] == pytest.approx(row["pooled, right"], rel=1e-9)
    assert row["about the latent"] == pytest.approx(row["pooled, right"], rel=1e-3)


# Importance weights that degenerate (COOL-GP §3) ----------------------------------------------------------------------

BELIEFS = {"the prior": (0.0, 1.0), "N(0.7 I, 0.5²)": (0.7, 0.5), "N(0.7 I, 0.1²)": (0.7, 0.1)}


def degenerating(seed: int, mean: float, spread: float) -> dict[str, float]:
    """Twenty draws of a full projection, d = 4: effective sample size and relative error of ``Ψ``, over 20 seeds."""
    layout, rng = Layout(4, full=True, uncertain=True), np.random.default_rng(seed)
    points, x = rng.normal(size=(20, 4)), rng.normal(size=(1, 200, 4))
    theta = np.concatenate([mean * np.eye(4).ravel(), np.full(16, np.log(spread)), [0.0, 0.0]])[None]
    batch = Batch(x, np.zeros((1, 200)), np.ones((1, 200)))
    sizes, errors = [], []
    for _ in range(20):
        encoding = Importance(rng.standard_normal((20, 16)))
        model = Model(layout, LatentBasis(points, 1e-6), encoding)
        factor = model.geometry(theta).factor[0]
        evidence = encoding.evidence(model, theta, encoding.encode(model, theta, batch))
        precision = factor @ evidence.precision[0] @ factor.T
        exact = expected_outer(x[0], points, layout.projection(theta[0]), layout.spread(theta[0])).sum(0)
        sizes.append(effective_sample_size(encoding, model, theta)[0])
        errors.append(np.linalg.norm(precision - exact) / np.linalg.norm(exact))
    return {"effective size": float(np.median(sizes)), "relative error": float(np.median(errors))}


@cache
def degenerating_table() -> dict[str, dict[str, float]]:
    return {name: averaged(degenerating, *moments) for name, moments in BELIEFS.items()}


def test_importance_weights_are_even_at_the_prior():
    row = degenerating_table()["the prior"]
    assert row["effective size"] == pytest.approx(20.0)
    assert row["relative error"] < 0.35


@pytest.mark.parametrize("belief", [name for name in BELIEFS if name != "the prior"])
def test_importance_weights_degenerate_away_from_the_prior(belief):
    row = degenerating_table()[belief]
    assert row["effective size"] < 2.0
    assert row["relative error"] > 0.6


# Learning together ----------------------------------------------------------------------------------------------------


def learning(seed: int) -> dict[str, float]:
    """Lengthscales learned from 1.5 times the true ones on 60 batches; mean factor by which they are off at the end."""
    rng = np.random.default_rng(seed)
    function, model = drawn_function(rng, TRUE), common_ground("function", Transport(), OFF * TRUE, 120, rng)
    mode = MODES["local"](Adam(0.03))
    population = new_population(model, packed(OFF * TRUE), 1)
    for _ in range(STEPS):
        x = cube(rng, 1, ROWS)
        batch = Batch(x, function(x) + NOISE * rng.standard_normal((1, ROWS)), np.ones((1, ROWS)))
        population = mode.propose(population, batch, population.evidence)
        observe_in_place(population, batch)
    return {"off": float(np.exp(np.abs(np.log(LAYOUT.lengthscale(population.theta[0]) / TRUE)).mean()))}


def test_an_agent_learns_its_lengthscales_online():
    assert averaged(learning)["off"] < 1.2


if __name__ == "__main__":
    print(table(moving_table()), end="\n\n")
    print(
        table({f"M = {m}, off by {off:.0%}": disagreeing_row(m, off) for m in (128, 256) for off in (0.05, 0.15, 0.3)})
    )
    print("\n" + table(degenerating_table()), end="\n\n")
    print(table({"online": averaged(learning)}))
