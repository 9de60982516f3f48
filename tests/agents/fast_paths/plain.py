"""Plain twins of fast paths: float64 NumPy and SciPy, an agent and a row at a time, from formulas and full matrices."""

from dataclasses import replace

import numpy as np
from scipy.linalg import solve_triangular

from coolgp.agents.batches import Batch
from coolgp.agents.kernels.se import expected_kernel, expected_outer
from coolgp.agents.model import Model
from coolgp.agents.population import Population, new_population
from coolgp.agents.statistics import Evidence

from tests.oracle import JITTER, start

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
