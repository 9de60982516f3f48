"""The digits study of PFNM: networks trained apart, fused, and all baselines, by accuracy on rows that nobody saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.network import Network
from coolgp.fusion.matching.networks.baselines import (
    aligned,
    averaged,
    clustered,
    ensemble,
    input_features,
    random_features,
    weighted_ensemble,
)
from coolgp.fusion.matching.networks.fused import FusedNetwork
from coolgp.fusion.matching.networks.layers import predicted_classes
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.rounds import communication_rounds
from coolgp.fusion.matching.networks.settings import GRID, Setting
from coolgp.fusion.matching.networks.shards import Shard, counted
from coolgp.fusion.matching.networks.shares import class_shares, powered
from coolgp.fusion.matching.studies.training import CLASSES, Trained, Training, trained, trained_apart, trained_further

__all__ = ["Accuracy", "digits_study", "rounds_study"]

ROUND_EPOCHS = 5
DEFAULT = Training()
Row = tuple[str, float, int]


@dataclass(frozen=True)
class Accuracy:
    """Test accuracy of one method on one draw, and the hidden units that it needs at prediction."""

    method: str
    seed: int
    accuracy: float
    units: int


def rounds_study(
    seeds: Sequence[int] = range(10), training: Training = DEFAULT, rounds: int = 6
) -> list[list[Accuracy]]:
    """Test accuracy after each communication round: for each draw, PFNM and federated averaging from a common start."""

    def further(network: Network, rows: Shard, round: int) -> Network:
        return trained_further(network, rows, ROUND_EPOCHS, round)

    scores: list[list[Accuracy]] = []
    for seed in seeds:
        apart = trained_apart(seed, training)
        together = trained_apart(seed, replace(training, epochs=ROUND_EPOCHS), common=True)
        fusions = [one.network for one in communication_rounds(PFNM(), apart.networks, apart.shards, further, rounds)]
        averages = [averaged(together.networks)]
        for round in range(1, rounds):
            averages.append(averaged([further(averages[-1], rows, round) for rows in apart.shards]))
        for name, networks in (("PFNM", fusions), ("federated averaging", averages)):
            rows = [_scored(name, network, apart.test) for network in networks]
            scores.append([Accuracy(method, seed, accuracy, units) for method, accuracy, units in rows])
    return scores


def digits_study(seeds: Sequence[int] = range(10), training: Training = DEFAULT) -> list[Accuracy]:
    """Test accuracy of PFNM and all baselines on every draw."""
    scores: list[Accuracy] = []
    for seed in seeds:
        apart, together = trained_apart(seed, training), trained_apart(seed, training, common=True)
        rows = _baselines(apart, together, training, seed) + _fusions(apart, seed)
        scores += [Accuracy(name, seed, accuracy, units) for name, accuracy, units in rows]
    return scores


def _baselines(apart: Trained, together: Trained, training: Training, seed: int) -> list[Row]:
    networks, (x, y) = apart.networks, apart.test
    shares, units = _shares(apart), sum(sum(one.widths) for one in networks)
    reference = networks[0]
    pooled = trained(_pooled(apart.shards), training, seed)
    width = sum(training.widths)
    weights, bias = input_features(apart.shards, CLASSES)
    random = {size: random_features(apart.shards, size, CLASSES, seed) for size in (50, 250)}
    return [
        ("local networks, mean", float(np.mean([_accuracy(one, apart.test) for one in networks])), width),
        ("best local network, known afterwards", max(_accuracy(one, apart.test) for one in networks), width),
        ("ensemble, uniform", _share(ensemble(networks, x).argmax(axis=1), y), units),
        ("ensemble, by class shares", _share(weighted_ensemble(networks, shares, x).argmax(axis=1), y), units),
        _scored("average by coordinate", averaged(networks), apart.test),
        _scored("average by coordinate, common start", averaged(together.networks), apart.test),
        _scored("average after re-basin", averaged([aligned(one, reference) for one in networks]), apart.test),
        _scored("pooled training", pooled, apart.test),
        *(_scored(f"{size} random features, refitted head", net, apart.test) for size, net in random.items()),
        ("inputs, refitted head", _share((x @ weights + bias).argmax(axis=1), y), 0),
    ]


def _fusions(apart: Trained, seed: int) -> list[Row]:
    counts = counted(apart.shards, CLASSES)
    chosen = PFNM(seed=seed).fuse(apart.networks, apart.shards)
    fused = {
        "PFNM (1, 1, 1)": _single(Setting(), seed).fuse(apart.networks, None, counts),
        "PFNM (50, 0.5, 1), map": _single(Setting(50.0, 0.5, 1.0), seed).fuse(apart.networks, None, counts),
        "PFNM (50, 0.5, 1), split": _single(Setting(50.0, 0.5, 1.0, "split"), seed).fuse(apart.networks, None, counts),
        "greedy matching, count rule": PFNM(seed=seed, solver="greedy", sweeps=0).fuse(apart.networks, apart.shards),
        "PFNM, count rule": chosen,
        "PFNM, count rule, slack 0.005": PFNM(slack=0.005, seed=seed).fuse(apart.networks, apart.shards),
        "PFNM, count rule, refitted head": PFNM((chosen.setting,), head="refit", seed=seed).fuse(
            apart.networks, apart.shards
        ),
    }
    rows = [_scored(name, one.network, apart.test) for name, one in fused.items()]
    best = max((_single(setting, seed).fuse(apart.networks, None, counts) for setting in GRID), key=_on(apart.test))
    rows.append(_scored("PFNM, best setting, known afterwards", best.network, apart.test))
    shares = powered(_shares(apart), chosen.setting.share_power)
    means = clustered(apart.networks, shares, chosen.network.widths, seed)
    rows.append(_scored("k-means of units", means, apart.test))
    return rows


def _single(setting: Setting, seed: int) -> PFNM:
    return PFNM(settings=(setting,), seed=seed)


def _on(test: Shard) -> Callable[[FusedNetwork], float]:
    return lambda fused: _accuracy(fused.network, test)


def _scored(name: str, network: Network, test: Shard) -> Row:
    return name, _accuracy(network, test), sum(network.widths)


def _accuracy(network: Network, test: Shard) -> float:
    return _share(predicted_classes(network, test[0]), test[1])


def _share(classes: Indices, y: Indices) -> float:
    return float((classes == y).mean())


def _shares(apart: Trained) -> Array:
    return class_shares(counted(apart.shards, CLASSES), len(apart.networks), CLASSES)


def _pooled(shards: Sequence[Shard]) -> Shard:
    return np.concatenate([x for x, _ in shards]), np.concatenate([y for _, y in shards])
