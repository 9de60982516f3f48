"""Sparse Gaussian processes fitted apart on regions of one random field, fused, and all baselines.

The field has three inputs; a region is a box around a random point, with rows of its own. Regions overlap, or are the
cells of the points. Everybody is scored on the noiseless field, on rows of all regions.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.fusion.matching.gps.beliefs import Belief, belief_of, shared_hyperparameters
from coolgp.fusion.matching.gps.fusion import FusedGP, GPMatching, carried, interpolated
from coolgp.fusion.matching.studies.simulated import kmeans
from coolgp.network.base.randomness import generator

__all__ = ["Error", "Regions", "drawn_regions", "regions_study"]

FREQUENCIES, REACH, NOISE, TEST_ROWS = 300, 0.25, 0.2, 2000
NUGGET = 1e-3


@dataclass(frozen=True)
class Error:
    """Root mean square error of one method on one draw, and how many inducing inputs it predicts from."""

    method: str
    seed: int
    rmse: float
    inducing: int


@dataclass(frozen=True)
class Regions:
    """Rows of each region, ``[n, D]`` and ``[n]``, and test rows of all regions with the noiseless field there."""

    rows: tuple[tuple[Array, Array], ...]
    test: tuple[Array, Array]


def drawn_regions(
    seed: int, regions: int = 20, rows: int = 400, overlap: bool = True, lengthscale: float = 0.3
) -> Regions:
    """Rows of so many regions, boxes of side 0.5, of a random field of unit variance with that lengthscale."""
    rng = generator(seed, "regions of a field")
    frequencies = rng.normal(size=(FREQUENCIES, 3)) / lengthscale
    phases, centres = rng.uniform(0, 2 * np.pi, size=FREQUENCIES), rng.uniform(REACH, 1 - REACH, size=(regions, 3))

    def field(x: Array) -> Array:
        values: Array = np.sqrt(2.0 / FREQUENCIES) * np.cos(x @ frequencies.T + phases).sum(axis=1)
        return values

    def inside(region: int, size: int) -> Array:
        box = centres[region] + REACH * rng.uniform(-1, 1, size=(20 * regions * size if not overlap else size, 3))
        if overlap:
            return np.asarray(box)
        nearest = np.square(box[:, None] - centres).sum(axis=2).argmin(axis=1)
        return np.asarray(box[nearest == region][:size])

    inputs = [inside(region, rows) for region in range(regions)]
    dealt = tuple((x, field(x) + NOISE * rng.normal(size=len(x))) for x in inputs)
    test = np.concatenate([inside(region, TEST_ROWS // regions) for region in range(regions)])
    return Regions(dealt, (test, field(test)))


def regions_study(
    seeds: Sequence[int] = range(3), inducing: int = 30, overlap: bool = True, lengthscale: float = 0.3
) -> list[Error]:
    """Errors of fusion in both forms and of all baselines, on every draw."""
    errors: list[Error] = []
    for seed in seeds:
        regions = drawn_regions(seed, overlap=overlap, lengthscale=lengthscale)
        models = [_fitted(x, y, inducing, seed) for x, y in regions.rows]
        errors += _scores(models, regions, seed)
    return errors


def _fitted(x: Array, y: Array, inducing: int, seed: int) -> SparseGPRegressor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return SparseGPRegressor(inducing, optimize_inducing=False, random_state=seed).fit(x, y)


def _scores(models: list[SparseGPRegressor], regions: Regions, seed: int) -> list[Error]:
    x, truth = regions.test
    beliefs = [belief_of(model) for model in models]
    local = [model.predict(x) for model in models]
    scores = [
        Error("local models, mean", seed, float(np.mean([_rmse(mean, truth) for mean in local])), 0),
        Error("rBCM of local models", seed, _rmse(_robust(models, x), truth), 0),
    ]
    for name, fused in _fusions(beliefs, seed).items():
        mean = fused.predict(x)
        assert isinstance(mean, np.ndarray)
        scores.append(Error(name, seed, _rmse(mean, truth), len(fused.inducing_inputs)))
    return scores


def _fusions(beliefs: list[Belief], seed: int) -> dict[str, FusedGP]:
    prior = shared_hyperparameters(beliefs)
    inputs = np.concatenate([belief.inducing_inputs for belief in beliefs])
    values = np.concatenate([belief.mean for belief in beliefs])
    published = GPMatching("published", noise_variance=0.02).fuse(beliefs)
    evidence = GPMatching().fuse(beliefs)
    rng, sizes = generator(seed, "random subset"), (len(published.inducing_inputs), len(evidence.inducing_inputs))
    subsets = [rng.permutation(len(inputs))[:size] for size in sizes]
    pairs = kmeans(np.column_stack([inputs, values]), sizes[0], seed)
    return {
        "all pairs": interpolated(inputs, values, prior, NUGGET),
        "matched pairs, as published": published,
        "k-means of pairs": interpolated(pairs[:, :-1], pairs[:, -1], prior, NUGGET),
        "random pairs": interpolated(inputs[subsets[0]], values[subsets[0]], prior, NUGGET),
        "evidence, all inputs": carried(inputs, beliefs, prior),
        "evidence, matched inputs": evidence,
        "evidence, matched inputs, leftover variance": GPMatching(leftover=True).fuse(beliefs),
        "evidence, k-means of inputs": carried(kmeans(inputs, sizes[1], seed), beliefs, prior),
        "evidence, random inputs": carried(inputs[subsets[1]], beliefs, prior),
    }


def _robust(models: list[SparseGPRegressor], x: Array) -> Array:
    """Mean of the robust Bayesian committee machine (Deisenroth & Ng, ICML 2015)."""
    moments = [model.predict(x, return_std=True) for model in models]
    prior = float(np.exp(np.median([np.log(model.signal_variance_) for model in models])))
    level = float(np.median([model._target_center for model in models]))
    means = np.stack([mean for mean, _ in moments]) - level
    noises = np.array([model.noise_variance_ for model in models])[:, None]
    variances = np.maximum(np.stack([np.square(std) for _, std in moments]) - noises, 1e-9 * prior)
    weights = np.maximum(0.5 * (np.log(prior) - np.log(variances)), 0.0)
    precision = (weights / variances).sum(axis=0) + (1.0 - weights.sum(axis=0)) / prior
    return np.asarray(level + (weights / variances * means).sum(axis=0) / precision)


def _rmse(mean: Array, truth: Array) -> float:
    return float(np.sqrt(np.square(mean - truth).mean()))
