"""A newcomer's model from networks of others: PFNM's network, with an output layer for the newcomer's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, softmax

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.network import Network, NotFinite
from coolgp.agents.experts.queries.density import gaussian_log_density
from coolgp.agents.experts.weights import network_in
from coolgp.fusion.matching.networks.head import Ridge
from coolgp.fusion.matching.networks.layers import checked_networks, with_head
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.settings import Setting
from coolgp.fusion.personalise.alternatives import FoldScores, by_folds, of_owners, owners_densities
from coolgp.fusion.personalise.heads import ClassHead, class_head, ridge_about, with_one
from coolgp.fusion.personalise.outcome import PersonalClassifier, PersonalRegressor, PersonalReport, Request
from coolgp.fusion.personalise.owners import Owners, network_faults, owners_left

__all__ = ["SETTING", "adapted", "from_networks"]

SETTING = Setting(mass=50.0, noise_variance=0.5)
"""Of PFNM: few rows choose worse than none, for a fused network that is surer looks better on them."""
PRIORS = {"fused head": 1.0, "half-way": 0.5, "scratch": 0.0}
"""Prior means of the head, as shares of the fused one; that with the largest evidence is taken."""
SHARPENED = {f"fused head × {times}": float(times) for times in (8, 4, 2)} | {"fused head": 1.0, "scratch": 0.0}
"""The same of a classifier: networks that were averaged are far less sure than right.

At most 8 times: few rows that all come out right would ask for any factor.
"""
AS_IT_IS = "fused network"
"""The alternative whose head is not fitted to any row."""


def from_networks(request: Request) -> PersonalClassifier | PersonalRegressor:
    """Raises ValueError where models are no networks of one depth, or do not know a class of the newcomer's."""
    given = [_network_or_fault(model) for model in request.models]
    owners = owners_left(request, given, network_faults(given, request.x.shape[1]))
    networks = checked_networks(owners.models, "relu")
    outputs = len(networks[0].biases[-1])
    if networks[0].classes is None and outputs == 1:
        return _regressor(request, owners, networks)
    labels = np.arange(outputs) if networks[0].classes is None else networks[0].classes
    return _classifier(request, owners, networks, labels)


def _network_or_fault(model: Any) -> Network | str:
    """The network of a model, or why its numbers make none. Raises ValueError for a model without weights."""
    try:
        return network_in(model)
    except ValueError as problem:
        if isinstance(problem, NotFinite) or isinstance(problem.__cause__, NotFinite):
            return "has weights that are not finite"
        raise


def _numbered(y: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Indices:
    unknown = sorted(set(y.tolist()) - set(labels.tolist()))
    if unknown:
        raise ValueError(f"networks know the classes {', '.join(map(str, labels))}; the newcomer has {unknown[0]} too")
    number = {label: place for place, label in enumerate(labels.tolist())}
    return np.array([number[label] for label in y.tolist()], dtype=np.intp)


def _fused(owners: Owners[Any], networks: tuple[Network, ...]) -> Network:
    return PFNM(settings=(SETTING,)).fuse(networks, graph=owners.graph).network


def _why(request: Request, networks: tuple[Network, ...]) -> str:
    depth = len(networks[0].widths)
    return f"all {len(request.models)} models are networks with {depth} hidden layer{'s' * (depth > 1)}"


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
    request: Request, owners: Owners[Any], networks: tuple[Network, ...], labels: npt.NDArray[Any]
) -> PersonalClassifier:
    y, fused = _numbered(request.y, labels), _fused(owners, networks)
    phi, outputs = with_one(fused.hidden(request.x)), fused.outputs(request.x)
    network, heads = adapted(fused, request.x, y)
    best = _most_probable(heads)
    fits = {name: partial(_class_scores, phi, y, share * outputs) for name, share in SHARPENED.items()}
    own = np.stack([_log_shares(network.outputs(request.x), y) for network in networks])
    report = PersonalReport(
        chosen="fused network with a head of one's own",
        why=_why(request, networks),
        rows=len(y),
        weights=_weights({name: head.log_evidence for name, head in heads.items()}),
        left_out=by_folds(len(y), fits) | {AS_IT_IS: float(_log_shares(outputs, y).mean())} | of_owners(own),
        details=_sizes(fused, best, heads[best].strength),
        models_left_out=owners.left_out,
    )
    network = replace(network, classes=np.asarray(labels))
    return PersonalClassifier(network, report, labels, network)


def adapted(fused: Network, x: Array, y: Indices) -> tuple[Network, dict[str, ClassHead]]:
    """A fused classifier with the best head for rows x ``[n, D]`` of classes y ``[n]``, and the head of each prior."""
    phi, outputs = with_one(fused.hidden(x)), fused.outputs(x)
    heads = {name: class_head(phi, y, share * outputs) for name, share in SHARPENED.items()}
    best = _most_probable(heads)
    return _moved(fused, SHARPENED[best], heads[best].departure), heads


def _most_probable(heads: Mapping[str, ClassHead]) -> str:
    return max(heads, key=lambda name: heads[name].log_evidence)


def _log_shares(outputs: Array, y: Indices) -> Array:
    """Log probabilities ``[n]`` of the classes of the rows."""
    shares: Array = log_softmax(outputs, axis=1)[np.arange(len(y)), y]
    return shares


def _class_scores(phi: Array, y: Indices, outputs: Array, seen: Array) -> FoldScores:
    """A head for the rows that are seen."""
    if not seen.any():
        return 0.0, _log_shares(outputs, y)
    head = class_head(phi[seen], y[seen], outputs[seen])
    return head.log_evidence, _log_shares(outputs + phi @ head.departure, y)


@dataclass(frozen=True)
class AdaptedNetwork:
    """A network of one output, and what is left to know of its head."""

    network: Network
    ridge: Ridge

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of an observation at x ``[Q, D]``, each ``[Q]``."""
        variance = self.ridge.variance(with_one(self.network.hidden(x))) + self.ridge.noise_variance
        return self.network.outputs(x)[:, 0], np.sqrt(variance)


def _regressor(request: Request, owners: Owners[Any], networks: tuple[Network, ...]) -> PersonalRegressor:
    y, fused = np.asarray(request.y, dtype=float)[:, None], _fused(owners, networks)
    phi, outputs = with_one(fused.hidden(request.x)), fused.outputs(request.x)
    ridges = {name: ridge_about(phi, y - share * outputs) for name, share in PRIORS.items()}
    best = max(ridges, key=lambda name: ridges[name].log_evidence)
    noise = ridges[best].noise_variance
    fits = {name: partial(_ridge_scores, phi, y - share * outputs) for name, share in PRIORS.items()}
    report = PersonalReport(
        chosen="fused network with a head of one's own",
        why=_why(request, networks),
        rows=len(y),
        weights=_weights({name: ridge.log_evidence for name, ridge in ridges.items()}),
        left_out=by_folds(len(y), fits)
        | {AS_IT_IS: float(_plain_scores((fused,), request.x, y[:, 0], noise).mean())}
        | of_owners(_plain_scores(networks, request.x, y[:, 0], noise)),
        details=_sizes(fused, best, ridges[best].strength),
        models_left_out=owners.left_out,
    )
    network = _moved(fused, PRIORS[best], ridges[best].weights)
    return PersonalRegressor(AdaptedNetwork(network, ridges[best]), report, network)


def _plain_scores(networks: tuple[Network, ...], x: Array, y: Array, noise_variance: float) -> Array:
    """Log densities ``[A, n]`` of rows under networks as they are."""
    means = np.stack([network.outputs(x)[:, 0] for network in networks])
    return owners_densities(means, np.full_like(means, np.nan), y, noise_variance)


def _ridge_scores(phi: Array, leftover: Array, seen: Array) -> FoldScores:
    """A head for the rows that are seen; NaN without any."""
    if not seen.any():
        return 0.0, np.full(len(phi), np.nan)
    ridge = ridge_about(phi[seen], leftover[seen])
    variance = np.maximum(ridge.variance(phi) + ridge.noise_variance, 1e-300)
    return ridge.log_evidence, gaussian_log_density(leftover[:, 0], phi @ ridge.weights[:, 0], np.sqrt(variance))
