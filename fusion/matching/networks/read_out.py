"""From matched units to the weights of one network.

Three ways, by how a weight follows from those of the networks that have it:

* ``map``: its posterior mean, ``(μ0 p0 + Σ p v) / (p0 + Σ p)``, which shrinks to the prior mean.
* ``mean``: the mean weighted by precision, ``Σ p v / Σ p``.
* ``split``: the same, but outgoing weights to classes are ``Σ_j f_jk w_jk`` with a 0 of every network without the unit.
  Where nothing is matched the network then is the ensemble of all, weighted by class shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.network import Network
from coolgp.fusion.matching.core.atoms import Atoms, gathered, posterior, weighted_means
from coolgp.fusion.matching.core.vectors import expanded
from coolgp.fusion.matching.networks.units import BIAS_MEAN, LayerPrior, Units

__all__ = ["READ_OUTS", "fused_network", "network_of_sums"]

READ_OUTS = ("map", "mean", "split")


def fused_network(
    networks: Sequence[Network],
    layers: Sequence[Units],
    labels: Sequence[Sequence[Indices]],
    shares: Array,
    top: LayerPrior,
    read_out: str,
) -> Network:
    """The fused network of matched units.

    layers, labels: of each hidden layer from the first. shares ``[J, K]``. top: the prior of the last hidden layer,
    which the output biases share.
    """
    entries = [_entries(units, own, read_out) for units, own in zip(layers, labels, strict=True)]
    weights, biases = _parts(layers, entries)
    if read_out == "split":
        weights[-1] = _summed(networks, labels[-1], shares, len(entries[-1]))
    mean = np.einsum("jk,jk->k", shares, np.stack([network.biases[-1] for network in networks]))
    biases.append(_output_bias(mean, shares.sum(axis=0), top, read_out))
    return replace(networks[0], weights=tuple(weights), biases=tuple(biases))


def network_of_sums(
    like: Network, layers: Sequence[Units], atoms: Sequence[Atoms], bias: Array, top: LayerPrior, read_out: str
) -> Network:
    """The same network from what atoms are known by, where nobody has all networks.

    like: a network with the same inputs, classes and activation. layers: of each hidden layer from the first, the
    units of any of the networks. atoms: of each hidden layer, without the prior. bias ``[K]``: the sum of shares times
    output biases.
    """
    entries = [_entries_of_sums(*both, read_out) for both in zip(atoms, layers, strict=True)]
    weights, biases = _parts(layers, entries)
    if read_out == "split":
        weights[-1] = top.noise_variance * atoms[-1].shift[:, layers[-1].incoming + 1 :]
    biases.append(_output_bias(bias, np.ones_like(bias), top, read_out))
    return replace(like, weights=tuple(weights), biases=tuple(biases))


def _parts(layers: Sequence[Units], entries: Sequence[Array]) -> tuple[list[Array], list[Array]]:
    """All weights, and the biases of the hidden layers."""
    weights, biases = [entries[0][:, : layers[0].incoming].T], []
    for units, values in zip(layers, entries, strict=True):
        biases.append(values[:, units.incoming])
        weights.append(values[:, units.incoming + 1 :])
    return weights, biases


def _entries_of_sums(atoms: Atoms, units: Units, read_out: str) -> Array:
    """Entries ``[L, E]``; 0 in a mean of which no network knows anything."""
    if read_out == "map":
        return posterior(atoms, units.vectors)[0] + units.prior_mean
    precision = expanded(atoms.precision, units.vectors.widths)
    means: Array = atoms.shift / np.where(precision > 0, precision, 1.0) + units.prior_mean
    return np.where(precision > 0, means, 0.0)


def _entries(units: Units, labels: Sequence[Indices], read_out: str) -> Array:
    """Entries ``[L, E]`` of the matched units of one layer."""
    vectors = units.vectors
    atoms = gathered(vectors, labels)
    if read_out == "map":
        return posterior(atoms, vectors)[0] + units.prior_mean
    weights = [expanded(own, vectors.widths) for own in vectors.precision]
    return weighted_means(units.entries, weights, labels, expanded(atoms.precision, vectors.widths))


def _summed(networks: Sequence[Network], labels: Sequence[Indices], shares: Array, size: int) -> Array:
    weights = np.zeros((size, shares.shape[1]))
    for network, own, share in zip(networks, labels, shares, strict=True):
        weights[own] += share * network.weights[-1]
    return weights


def _output_bias(mean: Array, shares: Array, top: LayerPrior, read_out: str) -> Array:
    """Biases ``[K]`` of the classes, from sums ``[K]`` of shares times biases and of shares: nothing to match."""
    if read_out != "map":
        return mean
    start, noise = 1.0 / top.prior_variance, 1.0 / top.noise_variance
    bias: Array = (BIAS_MEAN * start + mean * noise) / (start + shares * noise)
    return bias
