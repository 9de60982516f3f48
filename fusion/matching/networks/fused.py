"""What fusing networks gives: matched units, and the one network that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.network import Network, mlp_of
from coolgp.fusion.matching.networks.layers import predicted_classes, sub_network
from coolgp.fusion.matching.networks.settings import Setting
from coolgp.fusion.matching.networks.units import Units

__all__ = ["FusedNetwork", "MatchedUnits"]


@dataclass(frozen=True)
class MatchedUnits:
    """Matched hidden units: of each hidden layer from the first, its units, J arrays of labels, and the objective."""

    units: tuple[Units, ...]
    labels: tuple[tuple[Indices, ...], ...]
    objective: tuple[Array, ...]


@dataclass(frozen=True)
class FusedNetwork:
    """One network from many.

    labels: of each hidden layer from the first, J arrays ``[L_j]`` with the fused unit of every unit. counts: of each
    hidden layer, how many networks use each unit ``[L]``. objective: of each hidden layer, the log joint probability up
    to a constant, at the start and after every sweep. setting: that was used. correct ``[S]``: rows that each of S
    candidate settings got right, summed over the shards; empty where there was one candidate.
    """

    network: Network
    labels: tuple[tuple[Indices, ...], ...]
    counts: tuple[Indices, ...]
    objective: tuple[Array, ...]
    setting: Setting
    correct: Indices

    def predict(self, x: Array) -> Indices:
        """Numbers of the classes ``[n]`` of inputs ``[n, D]``."""
        return predicted_classes(self.network, x)

    def as_mlp(self, classes: Sequence[object] | None = None) -> MLPClassifier | MLPRegressor:
        """The network as a fitted scikit-learn model: it predicts at once, and ``partial_fit`` trains it further.

        classes: labels of the outputs, where the networks that were fused did not have any.
        """
        network = self.network if classes is None else replace(self.network, classes=np.array(classes))
        return mlp_of(network)

    def sub_networks(self) -> list[Network]:
        """The sub-network of every network's units, of the width that it had: what a next round trains from."""
        return [sub_network(self.network, own) for own in zip(*self.labels, strict=True)]
