"""What fusing networks is compared with: ensembles, averages, matching to a reference, and random features."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from scipy.optimize import linear_sum_assignment

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.network import Network
from coolgp.fusion.matching.networks.head import head_sums, refitted_head
from coolgp.fusion.matching.networks.layers import sub_network
from coolgp.fusion.matching.networks.shards import Shard
from coolgp.fusion.matching.networks.shares import powered
from coolgp.network.base.randomness import generator

__all__ = [
    "aligned",
    "averaged",
    "cluster_widths",
    "clustered",
    "clusterings",
    "ensemble",
    "input_features",
    "random_features",
    "random_units",
    "weighted_ensemble",
]

PASSES = 10
CLUSTERED_SHARES, CLUSTERED_POWERS = (0.25, 0.5, 0.75, 1.0), (0.5, 1.0)
"""Of all units, and of the class shares: what owners choose among."""


def ensemble(networks: Sequence[Network], x: Array) -> Array:
    """Mean of the class probabilities ``[n, K]`` of all networks."""
    mean: Array = np.mean([one.predict_proba(x) for one in networks], axis=0)
    return mean


def weighted_ensemble(networks: Sequence[Network], shares: Array, x: Array) -> Array:
    """Sum over networks of probability ``[n, K]`` times the network's share ``[J, K]`` of the class; not normalised."""
    probabilities = np.stack([one.predict_proba(x) for one in networks])
    weighted: Array = np.einsum("jnk,jk->nk", probabilities, shares)
    return weighted


def averaged(networks: Sequence[Network]) -> Network:
    """Mean of every entry; the networks need the same widths."""
    weights = tuple(np.mean(arrays, axis=0) for arrays in zip(*(one.weights for one in networks), strict=True))
    biases = tuple(np.mean(arrays, axis=0) for arrays in zip(*(one.biases for one in networks), strict=True))
    return replace(networks[0], weights=weights, biases=biases)


def aligned(network: Network, reference: Network) -> Network:
    """The network with its hidden units in the order that is closest to a reference of the same widths.

    Layers take turns until none changes, each an assignment that maximises the inner products of weights; the first
    turn looks at incoming weights alone. Source:
    Ainsworth, Hayase & Srinivasa, "Git Re-Basin: merging models modulo permutation symmetries", ICLR 2023, section 3.2.
    """
    depth = len(network.widths)
    orders: list[Indices] = [np.arange(width) for width in network.widths]
    for layer in range(depth):
        orders[layer] = _best_order(_incoming(network, reference, orders, layer))
    for _ in range(PASSES):
        before = list(orders)
        for layer in range(depth):
            alike = _incoming(network, reference, orders, layer) + _outgoing(network, reference, orders, layer)
            orders[layer] = _best_order(alike)
        if all((old == new).all() for old, new in zip(before, orders, strict=True)):
            break
    return sub_network(network, orders)


def _incoming(network: Network, reference: Network, orders: list[Indices], layer: int) -> Array:
    """Inner products ``[L, L]`` of the reference's incoming weights and biases with the network's."""
    weights = network.weights[layer][orders[layer - 1]] if layer else network.weights[0]
    biases = np.outer(reference.biases[layer], network.biases[layer])
    return reference.weights[layer].T @ weights + biases


def _outgoing(network: Network, reference: Network, orders: list[Indices], layer: int) -> Array:
    weights = network.weights[layer + 1]
    ordered = weights[:, orders[layer + 1]] if layer + 1 < len(orders) else weights
    return reference.weights[layer + 1] @ ordered.T


def _best_order(alike: Array) -> Indices:
    _, order = linear_sum_assignment(alike, maximize=True)
    return order


def clustered(networks: Sequence[Network], shares: Array, width: int, seed: int) -> Network:
    """Units of one hidden layer by k-means of their weights, in place of matching; shares ``[J, K]`` of the classes.

    Incoming weights are the cluster's mean, outgoing ones the sum of its units', each times its network's shares. Where
    fewer than `width` units differ, there are as many clusters as units that do.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    owner = np.repeat(np.arange(len(networks)), [one.widths[0] for one in networks])
    incoming = np.concatenate([np.hstack([one.weights[0].T, one.biases[0][:, None]]) for one in networks])
    outgoing = np.concatenate([one.weights[1] for one in networks])
    units = np.hstack([incoming, outgoing])
    width = min(width, len(np.unique(units, axis=0)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # units that are nearly equal may share a cluster
        labels = KMeans(n_clusters=width, n_init=3, random_state=seed).fit(units).labels_
    member = np.eye(width)[labels][:, np.unique(labels)]
    means = member.T @ incoming / member.sum(axis=0)[:, None]
    bias = np.einsum("jk,jk->k", shares, np.stack([one.biases[-1] for one in networks]))
    weights = means[:, :-1].T, member.T @ (outgoing * shares[owner])
    return replace(networks[0], weights=weights, biases=(means[:, -1], np.asarray(bias)))


def clusterings(networks: Sequence[Network], shares: Array, widths: Sequence[int], seed: int) -> list[Network]:
    """:func:`clustered` networks to choose from: of each width, with the class shares and with their roots."""
    return [
        clustered(networks, powered(shares, power), width, seed) for width, power in product(widths, CLUSTERED_POWERS)
    ]


def cluster_widths(networks: Sequence[Network]) -> tuple[int, ...]:
    """Numbers of clusters to choose from: a quarter, half, three quarters and all of the units that there are."""
    units = sum(one.widths[0] for one in networks)
    return tuple(max(1, round(share * units)) for share in CLUSTERED_SHARES)


def random_features(shards: Sequence[Shard], width: int, classes: int, seed: int) -> Network:
    """A network of random ReLU units whose output layer is fitted by sums over the shards, as the refitted head is."""
    matrix, bias = random_units(shards[0][0].shape[1], width, seed)
    sums = [head_sums(np.maximum(x @ matrix + bias, 0.0), y, classes) for x, y in shards]
    weights, level = refitted_head(sums)
    return Network((matrix, weights), (bias, level))


def random_units(inputs: int, width: int, seed: int) -> tuple[Array, Array]:
    """Weights ``[D, width]`` from ``N(0, 2/D)`` and biases ``[width]`` from ``N(0, 1/4)``: no unit was trained."""
    rng = generator(seed, "random features")
    return rng.normal(size=(inputs, width)) * np.sqrt(2.0 / inputs), 0.5 * rng.normal(size=width)


def input_features(shards: Sequence[Shard], classes: int) -> tuple[Array, Array]:
    """Weights ``[D, K]`` and biases ``[K]`` of the same head on the inputs themselves."""
    return refitted_head([head_sums(x, y, classes) for x, y in shards])
