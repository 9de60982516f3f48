"""Hidden units as vectors, one layer at a time from the top: what PFNM matches.

The vector of a unit is its bias, its outgoing weights and, in the first hidden layer alone, its incoming ones. Outgoing
weights lead to units of the layer above, which were matched before, so these give them their places; a weight to a unit
that a network does not have is absent. Outgoing weights of the last hidden layer lead to classes and are known as
precisely as the network has seen the class. Source: Yurochkin et al., "Bayesian Nonparametric Federated Learning of
Neural Networks", ICML 2019, and the authors' code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.network import Network
from coolgp.fusion.matching.core.vectors import Vectors

__all__ = ["LayerPrior", "Units", "units_of"]

BIAS_MEAN = 0.1
"""Prior mean of biases: what the authors start training from."""


@dataclass(frozen=True)
class LayerPrior:
    """Of one hidden layer: noise and prior variance of its entries, and the mass, so how many units."""

    mass: float
    noise_variance: float
    prior_variance: float


@dataclass(frozen=True)
class Units:
    """Units of one hidden layer of all networks.

    entries: J arrays ``[L_j, E]``, of which so many are ``incoming`` weights; then come the bias and the outgoing
    weights. vectors: the same relative to prior_mean ``[E]``, with what each is known to.
    """

    entries: tuple[Array, ...]
    vectors: Vectors
    prior_mean: Array
    incoming: int


def units_of(
    networks: Sequence[Network],
    layer: int,
    prior: LayerPrior,
    shares: Array,
    above: Sequence[Indices] | None,
    zeros: bool = False,
    size: int | None = None,
) -> Units:
    """The units of one hidden layer, counted from 0.

    shares ``[J, K]``: of each class. above: J arrays, the labels of the layer above; None for the last hidden layer.
    zeros: take an absent weight for a 0 of full precision, as the authors' code does. size: units above, where these
    networks need not have all.
    """
    incoming = networks[0].inputs if layer == 0 else 0
    if above is None:
        outgoing, presence = _to_classes(networks, shares)
    else:
        size = size or 1 + max(int(labels.max()) for labels in above if len(labels))
        outgoing, presence = _to_units(networks, layer, above, zeros, size)
    prior_mean = np.concatenate([np.zeros(incoming), [BIAS_MEAN], np.zeros(outgoing[0].shape[1])])
    entries, precision = [], []
    for network, weights, present in zip(networks, outgoing, presence, strict=True):
        bias = network.biases[layer][:, None]
        own = network.weights[layer].T if incoming else np.zeros((len(bias), 0))
        entries.append(np.hstack([own, bias, weights]))
        precision.append(np.concatenate([[1.0], present])[None, :] / prior.noise_variance)
    widths = np.array([incoming + 1] + [1] * outgoing[0].shape[1], dtype=np.intp)
    start = np.full(len(widths), 1.0 / prior.prior_variance)
    vectors = Vectors(tuple(own - prior_mean for own in entries), tuple(precision), start, widths)
    return Units(tuple(entries), vectors, prior_mean, incoming)


def _to_classes(networks: Sequence[Network], shares: Array) -> tuple[list[Array], list[Array]]:
    """Outgoing weights ``[L_j, K]`` of the last hidden layer, and how well each class is known ``[K]``."""
    return [network.weights[-1] for network in networks], list(shares)


def _to_units(
    networks: Sequence[Network], layer: int, above: Sequence[Indices], zeros: bool, size: int
) -> tuple[list[Array], list[Array]]:
    """Outgoing weights ``[L_j, L]`` to the matched units above, and which of these a network has ``[L]``."""
    outgoing: list[Array] = []
    present: list[Array] = []
    for network, labels in zip(networks, above, strict=True):
        weights, own = np.zeros((len(network.biases[layer]), size)), np.full(size, float(zeros))
        weights[:, labels], own[labels] = network.weights[layer + 1], 1.0
        outgoing.append(weights)
        present.append(own)
    return outgoing, present
