"""A dense textbook sparse Gaussian process to test against, and small worlds to test it on.

The oracle shares no code with the package: it works in function space (matrices over observations, not over inducing
points), unwhitened, in extended precision where the machine has it, and forms every matrix directly.
Axes: ``n`` observations of everyone, ``Q`` queries, ``M`` inducing points, ``D`` inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.batches import Batch
from coolgp.agents.encoding import ENCODINGS, Importance
from coolgp.agents.features.basis import FunctionBasis, LatentBasis
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.model import Model
from coolgp.agents.parameters import Layout
from coolgp.agents.population import Population, new_population, observe_in_place
from coolgp.agents.trial import Adam, promoted, step
from coolgp.fusion.rule import FusionRule, SeesData, State
from coolgp.network.transport import Transport

LONG = np.longdouble
Array = np.ndarray

# The oracle ---------------------------------------------------------------------------------------------------------


PROFILES = {
    "se": lambda r: np.exp(-r * r / 2),
    "matern32": lambda r: (1 + np.sqrt(LONG(3)) * r) * np.exp(-np.sqrt(LONG(3)) * r),
    "matern52": lambda r: (1 + np.sqrt(LONG(5)) * r + 5 * r * r / 3) * np.exp(-np.sqrt(LONG(5)) * r),
}
"""Unit kernels by distance, as in Rasmussen & Williams 2006, equations 4.9 and 4.17."""


def kernel(a: Array, b: Array, name: str = "se") -> Array:
    """A unit kernel from the differences themselves."""
    gap = np.asarray(a, LONG)[:, None, :] - np.asarray(b, LONG)[None, :, :]
    return PROFILES[name](np.sqrt((gap * gap).sum(-1)))


def lower(matrix: Array) -> Array:
    """Cholesky factor by outer products, in the precision of the matrix."""
    rest, factor = matrix.copy(), np.zeros_like(matrix)
    for k in range(len(rest)):
        assert rest[k, k] > 0, "the oracle's matrix is not positive definite"
        factor[k:, k] = rest[k:, k] / np.sqrt(rest[k, k])
        rest[k:, k:] -= np.outer(factor[k:, k], factor[k:, k])
    return factor


def solve(matrix: Array, right: Array) -> Array:
    """``A⁻¹B`` of a symmetric positive definite ``A``."""
    factor, x = lower(matrix), np.array(right, LONG)
    for k in range(len(x)):
        x[k] = (x[k] - factor[k, :k] @ x[:k]) / factor[k, k]
    for k in reversed(range(len(x))):
        x[k] = (x[k] - factor[k + 1 :, k] @ x[k + 1 :]) / factor[k, k]
    return x


def log_determinant(matrix: Array) -> Array:
    return 2 * np.log(np.diagonal(lower(matrix))).sum()


@dataclass(frozen=True)
class Dense:
    """A sparse GP under one setting: inducing points ``[M, P]`` in the standardized domain, projection ``[P, D]``."""

    points: Array
    projection: Array
    signal: float
    noise: float
    jitter: float
    kernel: str = "se"

    @property
    def inducing_kernel(self) -> Array:
        """``K + jitter·I``."""
        return kernel(self.points, self.points, self.kernel) + LONG(self.jitter) * np.eye(len(self.points), dtype=LONG)

    def cross(self, x: Array) -> Array:
        """``κ(x) [n, M]``."""
        return kernel(np.asarray(x, LONG) @ np.asarray(self.projection, LONG).T, self.points, self.kernel)

    def weights(self, x: Array) -> Array:
        """``κ(x)ᵀK⁻¹ [n, M]``."""
        return solve(self.inducing_kernel, self.cross(x).T).T

    def nystrom(self, a: Array, b: Array) -> Array:
        """``Q_ab = σ_s² κ(a)ᵀK⁻¹κ(b)``."""
        return LONG(self.signal) * self.weights(a) @ self.cross(b).T

    def covariance(self, x: Array) -> Array:
        """``Q + σ_η²I``."""
        return self.nystrom(x, x) + LONG(self.noise) * np.eye(len(x), dtype=LONG)

    def predict(self, x: Array, y: Array, queries: Array) -> tuple[Array, Array]:
        """Mean and latent variance ``[Q]``: ``Q*f(Q+σ_η²I)⁻¹y`` and ``σ_s² - Q*f(Q+σ_η²I)⁻¹Qf*`` (DTC)."""
        across = self.nystrom(queries, x)
        reduced = solve(self.covariance(x), across.T)
        return reduced.T @ np.asarray(y, LONG), LONG(self.signal) - (across * reduced.T).sum(-1)

    def bound(self, x: Array, y: Array) -> Array:
        """``log N(y | 0, Q+σ_η²I) - (nσ_s² - tr Q)/2σ_η²`` (Titsias 2009)."""
        covariance, y = self.covariance(x), np.asarray(y, LONG)
        fit = y @ solve(covariance, y) + log_determinant(covariance) + len(y) * np.log(2 * LONG(np.pi))
        missed = len(y) * LONG(self.signal) - np.trace(self.nystrom(x, x))
        return -fit / 2 - missed / (2 * LONG(self.noise))

    def moments(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Posterior mean ``[M]`` and covariance ``[M, M]`` of ``f`` at the inducing points."""
        across = LONG(self.signal) * self.cross(x)
        reduced = solve(self.covariance(x), across)
        return reduced.T @ np.asarray(y, LONG), LONG(self.signal) * self.inducing_kernel - across.T @ reduced

    def expected_log_likelihood(self, x: Array, y: Array, mean: Array, covariance: Array) -> Array:
        """``Σ_n E log N(y_n | f_n, σ_η²)`` with ``f`` at the inducing points ``N(mean, covariance)``."""
        weights, y = self.weights(x), np.asarray(y, LONG)
        variance = LONG(self.signal) - np.diagonal(self.nystrom(x, x)) + (weights @ covariance * weights).sum(-1)
        noise = LONG(self.noise)
        return -(np.log(2 * LONG(np.pi) * noise) + ((y - weights @ mean) ** 2 + variance) / noise).sum() / 2

    def divergence(self, mean: Array, covariance: Array) -> Array:
        """``KL(N(mean, covariance) ‖ p(f))`` at the inducing points."""
        prior = LONG(self.signal) * self.inducing_kernel
        spread = np.trace(solve(prior, covariance)) + mean @ solve(prior, mean)
        return (spread - len(mean) + log_determinant(prior) - log_determinant(covariance)) / 2


def pooled(told: list[tuple[Dense, Array, Array]], reader: Dense, queries: Array) -> tuple[Array, Array]:
    """What a reader predicts from everyone's pseudo-likelihood of ``f(X_u)``, each under its own hyper-parameters.

    Agent ``a`` says ``y_a ~ N(κ_a(x)ᵀK_a⁻¹ f_u, σ_a²)``; the reader's prior is ``f_u ~ N(0, σ_s²K)``.
    """
    rows = np.concatenate([who.weights(x) / np.sqrt(LONG(who.noise)) for who, x, _ in told])
    target = np.concatenate([np.asarray(y, LONG) / np.sqrt(LONG(who.noise)) for who, _, y in told])
    signal = LONG(reader.signal)
    across = signal * reader.cross(queries) @ rows.T
    covariance = signal * rows @ reader.inducing_kernel @ rows.T + np.eye(len(rows), dtype=LONG)
    reduced = solve(covariance, across.T)
    return reduced.T @ target, signal - (across * reduced.T).sum(-1)


def slope(function, at: Array, width: float = 1e-6) -> Array:
    """Central differences of a scalar function of a vector, in extended precision."""
    result = []
    for k in range(len(at)):
        step = np.zeros(len(at), LONG)
        step[k] = width
        result.append((function(at + step) - function(at - step)) / (2 * LONG(width)))
    return np.array(result, LONG)


# Small worlds -------------------------------------------------------------------------------------------------------

BASES = ("function", "latent")
LAYOUTS = ("diagonal", "full")
JITTER = 1e-6
QUERIES = np.random.default_rng(77).uniform(-2.5, 2.5, (17, 2))


def build_model(
    basis: str = "function", layout: str = "diagonal", encoding: str = "transport", kernel: str = "se"
) -> Model:
    """Twelve inducing inputs in the plane. The importance encoding holds an uncertain ``q(W)``."""
    rng = np.random.default_rng(5)
    shape = Layout(2, full=layout == "full", uncertain=encoding == "importance")
    first, second = np.meshgrid(np.linspace(-2, 2, 4), np.linspace(-1.8, 1.8, 3))
    inputs = np.stack([first.ravel(), second.ravel()], axis=1) + rng.normal(0, 0.1, (12, 2))
    # The reference is not where agents start, so that common coordinates are not whitened ones.
    reference = np.array([[0.8, 0.1], [0.0, 1.2]])
    of = KERNELS[kernel]
    held = (
        FunctionBasis(inputs, reference, JITTER, kernel=of) if basis == "function" else LatentBasis(inputs, JITTER, of)
    )
    how = Importance(rng.standard_normal((6, shape.width))) if encoding == "importance" else ENCODINGS[encoding]()
    return Model(shape, held, how)


def start(model: Model, factor: tuple[float, float] = (1.0, 1.0), signal: float = 1.3, noise: float = 0.05) -> Array:
    """Hyper-parameters ``[K]``; a full projection is no diagonal. factor: stretches the two lengthscales."""
    theta = model.layout.pack(np.array([0.8, 1.1]) * factor, signal, noise, spread=0.6)
    if model.layout.full:
        theta[:4] += [0.0, 0.3, -0.2, 0.0]
    return theta


def dense(model: Model, theta: Array) -> Dense:
    """The oracle's view of an agent with hyper-parameters ``θ [K]``, read without the package's layout."""
    theta, width = np.asarray(theta, LONG), 4 if model.layout.full else 2
    projection = theta[:4].reshape(2, 2) if model.layout.full else np.diag(np.exp(theta[:width]))
    inducing = np.asarray(model.basis.inducing, LONG)
    points = inducing @ projection.T if isinstance(model.basis, FunctionBasis) else inducing
    name = next(name for name, kernel in KERNELS.items() if kernel == model.basis.kernel)
    return Dense(points, projection, np.exp(theta[-2]), np.exp(theta[-1]), model.basis.jitter, name)


def field(x: Array) -> Array:
    return np.sin(1.5 * x[..., 0]) + 0.5 * np.cos(2.0 * x[..., 1])


def draw(agents: int, rows: int, seed: int = 0, full: bool = False) -> Batch:
    """Observations of one function, agents getting different numbers of them; what masked rows hold is garbage."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2.2, 2.2, (agents, rows, 2))
    y = field(x) + 0.2 * rng.standard_normal((agents, rows))
    mask = np.ones((agents, rows)) if full else (rng.random((agents, rows)) < 0.7).astype(float)
    mask[:, 0] = 1.0
    y = np.where(mask > 0, y, 1e3 * rng.standard_normal(y.shape))
    return Batch(x, y, mask)


def rows_of(batch: Batch) -> tuple[Array, Array]:
    """All real observations ``x [n, D]``, ``y [n]``."""
    real = batch.mask > 0
    return batch.x[real], batch.y[real]


def informed(model: Model, theta: Array, *batches: Batch) -> Population:
    """Agents that start at ``θ [K]`` and observed the batches."""
    population = new_population(model, theta, batches[0].y.shape[0])
    for batch in batches:
        observe_in_place(population, batch)
    return population


def ranked(batch: Batch, transport: Transport) -> Batch:
    """The batch of agents 0, 1, ..., in the order in which the transport holds them."""
    agents = transport.shard.agents
    return Batch(batch.x[agents], batch.y[agents], batch.mask[agents])


def taught(rule: FusionRule, population: Population, batches: list[Batch], transport: Transport) -> State:
    """The rule's state after a round of observing and speaking for each batch, of all agents by global id."""
    state = rule.init(population, transport)
    for turn, batch in enumerate(batches):
        transport.advance(turn)
        batch = ranked(batch, transport)
        state = rule.observe(state, population, batch) if isinstance(rule, SeesData) else state
        observe_in_place(population, batch)
        state = rule.exchange(state, population, transport)
    return state


def walked(population: Population, adam: Adam, theta: np.ndarray, slope: np.ndarray) -> Population:
    """A step from hyper-parameters ``[A, K]`` that is put to use at once."""
    moved = step(population, adam, theta, slope)
    return promoted(moved, moved.candidate, np.ones(moved.size, dtype=bool))
