"""Agents that see one function through projections of their own: how they begin, and when fusion helps them."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from coolgp.agents.features.inducing import kmeans
from coolgp.agents.kernels.se import SE
from coolgp.agents.pilot import Start, _evidence, fit_own, fit_start
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.data.fields import _projections
from coolgp.scenarios.data.functions import draw_function
from coolgp.scenarios.simulation.assembly import assemble
from coolgp.scenarios.simulation.rounds import simulate

from tests.oracle import LONG, kernel, log_determinant, slope, solve


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    with threadpool_limits(limits=1):
        yield


RNG = np.random.default_rng(5)
X, OWNER = RNG.uniform(-1, 1, (30, 2)), np.arange(30) % 3
Y = np.sin(3 * X[:, 0]) + 0.1 * RNG.standard_normal(30)
EACH = np.log([1.0, 1.5, 0.7, 1.1, 1.3, 0.8, 0.8, 0.2])  # three agents' lengthscales, two variances
BEGIN = Start(np.ones(6), 1.0, 0.1, np.nan)
FREE = (True, True, True)


def log_evidence(theta: np.ndarray) -> np.ndarray:
    """Per row, of rows of which each is seen through its agent's lengthscales."""
    theta = np.asarray(theta, LONG)
    z, signal, noise = X / np.exp(theta[:6].reshape(3, 2))[OWNER], np.exp(theta[6]), np.exp(theta[7])
    covariance = signal * kernel(z, z) + (noise + LONG(1e-8) * signal) * np.eye(len(X), dtype=LONG)
    return -(Y @ solve(covariance, Y) + log_determinant(covariance) + len(X) * np.log(2 * LONG(np.pi))) / 2 / len(X)


def test_the_evidence_of_rows_seen_through_own_projections_and_its_gradient():
    value, gradient = _evidence(X, Y, OWNER, EACH, SE)
    np.testing.assert_allclose(value, float(log_evidence(EACH)), rtol=1e-10)
    np.testing.assert_allclose(gradient, slope(log_evidence, EACH).astype(float), rtol=1e-6, atol=1e-7)


def test_agents_whose_rows_are_all_of_one_are_fitted_as_one():
    start = Start(np.array([1.0, 1.5]), 0.8, 0.2, np.nan)
    one, own = fit_start(X, Y, start, FREE), fit_own(X, Y, np.zeros(30, dtype=int), 2, start, FREE)
    np.testing.assert_allclose(own.lengthscale[0], one.lengthscale, rtol=1e-3)
    np.testing.assert_array_equal(own.lengthscale[1], start.lengthscale)  # it has no rows


def synthetic(seed: int, width: float, rows: int):
    """Two agents' rows and test rows ``(x, y)`` of the SYNTHETIC domain, and their true projections."""
    u, projections = draw_function(seed, "synthetic function", 6), _projections(seed, 2, "diagonal")
    rng = np.random.default_rng(seed)

    def seen(count: int, noise: float):
        x = [rng.uniform(-0.5, 0.5, (count, 6)) * width for _ in projections]
        z = [inputs @ np.diag(w) if w.ndim == 1 else inputs @ w.T for inputs, w in zip(x, projections, strict=True)]
        return x, z, [u(points) + noise * rng.standard_normal(count) for points in z]

    return seen(rows, 0.1), seen(2000, 0.0), np.array([w if w.ndim == 1 else np.diag(w) for w in projections])


@pytest.mark.parametrize("seed", [0, 1])
def test_what_makes_the_pilot_most_probable_lays_projections_upon_one_another(seed):
    (x, _, y), _, truth = synthetic(seed, 1.0, 200)
    owner = np.repeat([0, 1], 200)
    found = fit_own(np.concatenate(x), np.concatenate(y), owner, 2, BEGIN, FREE)
    apart = np.log(found.lengthscale[0] / found.lengthscale[1])
    assert np.abs(apart - np.log(truth[1] / truth[0])).mean() < 0.15  # lengthscales are the reciprocals
    alone = [fit_start(inputs, seen, BEGIN, FREE).lengthscale for inputs, seen in zip(x, y, strict=True)]
    badly = np.abs(np.log(alone[0] / alone[1]) - np.log(truth[1] / truth[0])).mean()
    assert badly > np.abs(apart - np.log(truth[1] / truth[0])).mean()


def gain(seed: int, width: float, inducing: int) -> float:
    """Error of two agents alone by that after fusion, after 60 batches of 40, with the true projections known."""
    (_, z, y), (_, asked, truth), _ = synthetic(seed, width, 2400)
    points = kmeans(np.concatenate(z)[::2], inducing, np.random.default_rng(seed))
    root = np.linalg.cholesky(SE.values(points, points) + 1e-6 * np.eye(inducing))
    phi, test = ([np.linalg.solve(root, SE.values(points, each)) for each in of] for of in (z, asked))
    gram, cross = [p @ p.T for p in phi], [p @ seen for p, seen in zip(phi, y, strict=True)]

    def error(agent: int, gram: np.ndarray, cross: np.ndarray) -> float:
        mean = test[agent].T @ np.linalg.solve(gram + 0.01 * np.eye(inducing), cross)
        return float(np.square(mean - truth[agent]).mean() ** 0.5)

    alone = np.mean([error(agent, gram[agent], cross[agent]) for agent in (0, 1)])
    return float(alone / np.mean([error(agent, sum(gram), sum(cross)) for agent in (0, 1)]))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_with_too_few_inducing_points_fusion_harms_even_if_projections_are_known(seed):
    """What agents see lies in two boxes: few weights serve both worse than one of them."""
    assert gain(seed, 1.0, 50) < 1.0 < gain(seed, 0.5, 100)
    assert gain(seed, 1.0, 50) < gain(seed, 1.0, 150)


@pytest.mark.slow
def test_on_the_papers_domain_every_round_of_fusion_helps():
    asked = {"source": "synthetic", "width": 0.5, "test_count": 2000, "standardize": False}
    agents = {
        "count": 2,
        "inducing": 50,
        "batch_size": 40,
        "hyperparameters": "local",
        "shared": "latent",
    }
    agents |= {"lengthscale": "own", "inducing_choice": "kmeans", "learning_rate": 0.005}
    network, rounds = {"topology": "complete"}, {"rounds": 20, "evaluate_rows": "all"}
    mapping = {"data": asked, "agents": agents, "network": network, "run": rounds}
    simulation = assemble(resolve(mapping, "domain"))
    owner, truth = simulation.dataset.test_owner, simulation.dataset.truth

    def error(mean: np.ndarray) -> float:
        return float(np.mean([np.square(mean[a] - truth)[owner == a].mean() ** 0.5 for a in (0, 1)]))

    seen = [(error(m.record.probed.pre.mean), error(m.record.probed.post.mean)) for m in simulate(simulation)]
    assert all(after < before for before, after in seen)
    assert seen[-1][1] < 0.5 * seen[0][1]


@pytest.mark.parametrize(
    "agents, needed",
    [
        ({"lengthscale": "own", "hyperparameters": "local"}, 'needs shared = "latent"'),
        ({"lengthscale": "own", "shared": "latent"}, 'needs hyperparameters = "local" or "fixed"'),
    ],
)
def test_a_start_of_ones_own_is_refused_where_all_are_to_be_alike(agents, needed):
    with pytest.raises(ConfigError, match=needed):
        resolve({"data": {"source": "synthetic"}, "agents": agents}, "m.toml")


def test_a_width_is_refused_where_no_inputs_are_drawn_from_a_cube():
    with pytest.raises(ConfigError, match='width: only for "synthetic"'):
        resolve({"data": {"source": "airline", "width": 0.5}}, "m.toml")
