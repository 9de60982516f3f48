"""A newcomer's model from networks of others: PFNM's network, with an output layer for the newcomer's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, softmax

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.network import Network
from coolgp.fusion.matching.networks.head import Ridge
from coolgp.fusion.matching.networks.layers import checked_networks, with_head
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.settings import Setting
from coolgp.fusion.personalise.heads import class_head, ridge_about, with_one
from coolgp.fusion.personalise.outcome import PersonalClassifier, PersonalRegressor, PersonalReport, Request

__all__ = ["from_networks"]

SETTING = Setting(mass=50.0, noise_variance=0.5)
"""Of PFNM: few rows choose worse than none, for a fused network that is surer looks better on them."""
FOLDS = 5
PRIORS = {"fused head": 1.0, "half-way": 0.5, "scratch": 0.0}
"""Prior means of the head, as shares of the fused one; that with the largest evidence is taken."""
SHARPENED = {f"fused head × {times}": float(times) for times in (8, 4, 2)} | {"fused head": 1.0, "scratch": 0.0}
"""The same of a classifier: networks that were averaged are far less sure than right.

At most 8 times: few rows that all come out right would ask for any factor.
"""


def from_networks(request: Request) -> PersonalClassifier | PersonalRegressor:
    """Raises ValueError where models are no networks of one depth, or do not know a class of the newcomer's."""
    networks = checked_networks(request.models, "relu")
    if request.x.shape[1] != networks[0].inputs:
        raise ValueError(f"models take {networks[0].inputs} inputs; X has {request.x.shape[1]}")
    outputs = len(networks[0].biases[-1])
    if networks[0].classes is None and outputs == 1:
        return _regressor(request, networks)
    labels = np.arange(outputs) if networks[0].classes is None else networks[0].classes
    return _classifier(request, networks, labels, _numbered(request.y, labels))


def _numbered(y: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Indices:
    unknown = sorted(set(y.tolist()) - set(labels.tolist()))
    if unknown:
        raise ValueError(f"networks know the classes {', '.join(map(str, labels))}; the newcomer has {unknown[0]} too")
    number = {label: place for place, label in enumerate(labels.tolist())}
    return np.array([number[label] for label in y.tolist()], dtype=np.intp)


def _fused(request: Request, networks: tuple[Network, ...]) -> Network:
    return PFNM(settings=(SETTING,)).fuse(networks, graph=request.graph).network


def _why(networks: tuple[Network, ...]) -> str:
    depth = len(networks[0].widths)
    return f"all {len(networks)} models are networks with {depth} hidden layer{'s' * (depth > 1)}"


def _sizes(fused: Network, best: str, strength: float) -> dict[str, str]:
    units = ", ".join(map(str, fused.widths))
    return {"hidden units": units, "prior of the head": best, "strength of the prior": f"{strength:.3g}"}


def _weights(log_evidence: Mapping[str, float]) -> dict[str, float]:
    """Of the priors, by their evidence, before which they are equal."""
    shares = softmax(list(log_evidence.values()))
    return dict(zip(log_evidence, shares.tolist(), strict=True))


def _moved(fused: Network, share: float, departure: Array) -> Network:
    """The fused network with so much of its head, and a departure from it."""
    return with_head(fused, share * fused.weights[-1] + departure[:-1], share * fused.biases[-1] + departure[-1])


def _classifier(
    request: Request, networks: tuple[Network, ...], labels: npt.NDArray[Any], y: Indices
) -> PersonalClassifier:
    fused = _fused(request, networks)
    phi, outputs = with_one(fused.hidden(request.x)), fused.outputs(request.x)
    heads = {name: class_head(phi, y, share * outputs) for name, share in SHARPENED.items()}
    best = max(heads, key=lambda name: heads[name].log_evidence)
    left_out = {name: _left_out_classes(phi, y, share * outputs) for name, share in SHARPENED.items()}
    report = PersonalReport(
        chosen="fused network with a head of one's own",
        why=_why(networks),
        rows=len(y),
        weights=_weights({name: head.log_evidence for name, head in heads.items()}),
        left_out=left_out | {"fused network": _log_shares(outputs, y) / len(y)},
        details=_sizes(fused, best, heads[best].strength),
    )
    network = replace(_moved(fused, SHARPENED[best], heads[best].departure), classes=np.asarray(labels))
    return PersonalClassifier(network, report, labels, network)


def _log_shares(outputs: Array, y: Indices) -> float:
    return float(log_softmax(outputs, axis=1)[np.arange(len(y)), y].sum())


def _left_out_classes(phi: Array, y: Indices, outputs: Array) -> float:
    """Mean log probability of rows of a fold, by a head for the rows of the others."""
    total, folds = 0.0, np.arange(len(y)) % FOLDS
    for fold in np.unique(folds):
        seen, out = folds != fold, folds == fold
        values = outputs[out]
        if seen.any():
            values = values + phi[out] @ class_head(phi[seen], y[seen], outputs[seen]).departure
        total += _log_shares(values, y[out])
    return total / len(y)


@dataclass(frozen=True)
class AdaptedNetwork:
    """A network of one output, and what is left to know of its head."""

    network: Network
    ridge: Ridge

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of an observation at x ``[Q, D]``, each ``[Q]``."""
        variance = self.ridge.variance(with_one(self.network.hidden(x))) + self.ridge.noise_variance
        return self.network.outputs(x)[:, 0], np.sqrt(variance)


def _regressor(request: Request, networks: tuple[Network, ...]) -> PersonalRegressor:
    y = np.asarray(request.y, dtype=float)[:, None]
    fused = _fused(request, networks)
    phi, outputs = with_one(fused.hidden(request.x)), fused.outputs(request.x)
    ridges = {name: ridge_about(phi, y - share * outputs) for name, share in PRIORS.items()}
    best = max(ridges, key=lambda name: ridges[name].log_evidence)
    report = PersonalReport(
        chosen="fused network with a head of one's own",
        why=_why(networks),
        rows=len(y),
        weights=_weights({name: ridge.log_evidence for name, ridge in ridges.items()}),
        left_out={name: _left_out(phi, y - share * outputs) for name, share in PRIORS.items()},
        details=_sizes(fused, best, ridges[best].strength),
    )
    network = _moved(fused, PRIORS[best], ridges[best].weights)
    return PersonalRegressor(AdaptedNetwork(network, ridges[best]), report, network)


def _left_out(phi: Array, leftover: Array) -> float:
    """Mean log density of rows of a fold, by a head for the rows of the others."""
    scores, folds = [], np.arange(len(phi)) % FOLDS
    for fold in np.unique(folds):
        seen, out = folds != fold, folds == fold
        if not seen.any():
            return float("nan")
        ridge = ridge_about(phi[seen], leftover[seen])
        variance = np.maximum(ridge.variance(phi[out]) + ridge.noise_variance, 1e-300)
        error = (leftover[out] - phi[out] @ ridge.weights)[:, 0]
        scores.extend((-0.5 * (np.square(error) / variance + np.log(2.0 * np.pi * variance))).tolist())
    return float(np.mean(scores))
