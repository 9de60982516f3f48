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


def clustered(networks: Sequence[Network], shares: Array, widths: Sequence[int], seed: int) -> Network:
    """Hidden units by k-means of their weights, in place of matching; shares ``[J, K]`` of the classes.

    widths: clusters of each hidden layer, from the first; where fewer units differ, there are as many. Units are
    clustered by their incoming weights from the clusters before, and in the last hidden layer by their outgoing ones
    too. Incoming weights are means over the units that have them, those to the classes the sum of the units', each
    times its network's shares. As many clusters as units are the mean of all outputs, weighted by the shares.
    """
    last, before = len(widths) - 1, [np.arange(network.inputs) for network in networks]
    weights, biases, inputs = [], [], networks[0].inputs
    for layer, width in enumerate(widths):
        owner = np.repeat(np.arange(len(networks)), [network.widths[layer] for network in networks])
        bias = np.concatenate([network.biases[layer] for network in networks])
        incoming = np.concatenate([_incoming_of(*own, layer, inputs) for own in zip(networks, before, strict=True)])
        described = [incoming, bias[:, None]]
        described += [np.concatenate([network.weights[-1] for network in networks])] if layer == last else []
        labels = _clusters(np.hstack(described), width, seed)
        member = np.eye(labels.max() + 1)[labels]
        has = np.stack([np.bincount(own, minlength=inputs) > 0 for own in before])[owner]
        weights.append((member.T @ incoming / np.maximum(member.T @ has, 1)).T)
        biases.append(member.T @ bias / member.sum(axis=0))
        before, inputs = [labels[owner == place] for place in range(len(networks))], member.shape[1]
    weights.append(member.T @ (described[-1] * shares[owner]))
    biases.append(np.einsum("jk,jk->k", shares, np.stack([network.biases[-1] for network in networks])))
    return replace(networks[0], weights=tuple(weights), biases=tuple(biases))


def _incoming_of(network: Network, before: Indices, layer: int, inputs: int) -> Array:
    """Weights ``[units, inputs]`` from the clusters before: sums over the network's own units of each."""
    weights: Array = (np.eye(inputs)[before].T @ network.weights[layer]).T
    return weights


def _clusters(units: Array, width: int, seed: int) -> Indices:
    """The cluster of each unit, from 0 and without empty ones."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    width = min(width, len(np.unique(units, axis=0)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # units that are nearly equal may share a cluster
        labels = KMeans(n_clusters=width, n_init=3, random_state=seed).fit(units).labels_
    numbers: Indices = np.unique(labels, return_inverse=True)[1]
    return numbers


def clusterings(
    networks: Sequence[Network], shares: Array, widths: Sequence[Sequence[int]], seed: int
) -> list[Network]:
    """:func:`clustered` networks to choose from: of each width, with the class shares and with their roots."""
    return [clustered(networks, powered(shares, power), own, seed) for own, power in product(widths, CLUSTERED_POWERS)]


def cluster_widths(networks: Sequence[Network], units: int | None = None) -> list[tuple[int, ...]]:
    """Clusters of each hidden layer to choose from: a quarter, half, three quarters and all of its units.

    units: in place of these, so many in each layer.
    """
    if units is not None:
        return [(units,) * len(networks[0].widths)]
    together = np.sum([network.widths for network in networks], axis=0)
    return [tuple(max(1, round(share * layer)) for layer in together.tolist()) for share in CLUSTERED_SHARES]


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
