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
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.sparse.collapsed import posterior_of
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.committees.base import FLOOR, Experts
from coolgp.fusion.committees.rbcm import RBCM
from coolgp.fusion.matching.gps.agreement import common_prior
from coolgp.fusion.matching.gps.fused import fused_evidence, fused_pairs
from coolgp.fusion.matching.gps.pairs import pairs, predicting_from
from coolgp.fusion.matching.gps.selection import label_means
from coolgp.fusion.matching.sets.spahm import SPAHM
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
    seeds: Sequence[int] = range(3),
    regions: int = 20,
    rows: int = 400,
    inducing: int = 30,
    overlap: bool = True,
    lengthscale: float = 0.3,
) -> list[Error]:
    """Errors of fusion in both forms and of all baselines, on every draw; so many rows and inducing inputs a region."""
    errors: list[Error] = []
    for seed in seeds:
        drawn = drawn_regions(seed, regions, rows, overlap, lengthscale)
        models = [_fitted(x, y, inducing, seed) for x, y in drawn.rows]
        errors += [_error(name, gps, drawn, seed) for name, gps in _fusions(models, drawn, seed).items()]
        errors.append(Error("rBCM of local models", seed, _rmse(_robust(models, drawn.test[0]), drawn.test[1]), 0))
    return errors


def _fitted(x: Array, y: Array, inducing: int, seed: int) -> SparseGP:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = SparseGPRegressor(inducing, optimize_inducing=False, random_state=seed).fit(x, y)
    return model.to_sparse_gp()


def _error(name: str, gps: Sequence[SparseGP], regions: Regions, seed: int) -> Error:
    """The mean error of the models that owners end with: one, or one for each."""
    x, truth = regions.test
    rmse = float(np.mean([_rmse(gp.predict(x)[0], truth) for gp in gps]))
    return Error(name, seed, rmse, len(gps[0].shift))


def _fusions(models: list[SparseGP], regions: Regions, seed: int) -> dict[str, list[SparseGP]]:
    x, y = (np.concatenate(arrays) for arrays in zip(*regions.rows, strict=True))
    size = len(SPAHM(seed=seed).fuse(models).counts)
    return {
        "local models": models,
        **_of_pairs(models, seed),
        **_of_evidence(models, seed),
        "all rows, in the matched inputs": [_of_rows(models, x, y, seed)],
        "all rows, one sparse GP": [_fitted(x, y, size, seed)],
    }


def _of_pairs(models: list[SparseGP], seed: int) -> dict[str, list[SparseGP]]:
    published = SPAHM(seed=seed).fuse(models, form="published")
    everything, size = np.concatenate([pairs(model) for model in models]), len(published.counts)
    means = label_means([pairs(model) for model in models], published.labels)
    subset = generator(seed, "random pairs").permutation(len(everything))[:size]
    return {
        "all pairs": [fused_pairs(models, everything, NUGGET)],
        "matched pairs, as published": [published.model],
        "matched pairs, own hyper-parameters": [predicting_from(means, model, NUGGET) for model in models],
        "k-means of pairs": [fused_pairs(models, kmeans(everything, size, seed), NUGGET)],
        "random pairs": [fused_pairs(models, everything[subset], NUGGET)],
    }


def _of_evidence(models: list[SparseGP], seed: int) -> dict[str, list[SparseGP]]:
    matched = SPAHM(seed=seed).fuse(models)
    inputs, size = np.concatenate([model.parameters.inducing_inputs for model in models]), len(matched.counts)
    subset = generator(seed, "random inputs").permutation(len(inputs))[:size]
    return {
        "evidence, all inputs": [fused_evidence(models, inputs)],
        "evidence, matched inputs": [matched.model],
        "evidence, matched inputs, leftover variance": [SPAHM(seed=seed).fuse(models, leftover=True).model],
        "evidence, k-means of inputs": [fused_evidence(models, kmeans(inputs, size, seed))],
        "evidence, random inputs": [fused_evidence(models, inputs[subset])],
    }


def _of_rows(models: list[SparseGP], x: Array, y: Array, seed: int) -> SparseGP:
    """What models that were fitted apart cannot have: the rows themselves, as evidence about the matched inputs."""
    union = common_prior(models, SPAHM(seed=seed).fuse(models).inducing_inputs)
    kernel = KERNELS[union.kernel]
    posterior = posterior_of(x, y - union.center, union.parameters, kernel, union.jitter)
    return SparseGP.of_posterior(posterior, union.center, union.kernel, union.jitter)


def _robust(models: list[SparseGP], x: Array) -> Array:
    """Mean of the robust Bayesian committee machine."""
    prior = common_prior(models, models[0].parameters.inducing_inputs)
    kernel, signal = KERNELS[prior.kernel], np.array([[prior.parameters.signal_variance]])
    moments = [model.posterior.predict(x, kernel) for model in models]
    means = np.stack([mean + model.center - prior.center for (mean, _), model in zip(moments, models, strict=True)])
    signals = np.array([[model.parameters.signal_variance] for model in models])
    variances = np.maximum(np.stack([variance for _, variance in moments]), FLOOR * signals)
    terms = RBCM().terms(Experts(means, variances, signals)).sum(axis=0, keepdims=True)
    mean, _ = RBCM().combined(terms, Experts(means[:1], variances[:1], signal), np.ones((1, 1)))
    return np.asarray(prior.center + mean[0])


def _rmse(mean: Array, truth: Array) -> float:
    return float(np.sqrt(np.square(mean - truth).mean()))
