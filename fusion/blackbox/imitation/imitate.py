"""One expert, imitated, with a report of how faithful the surrogate is and what it cost.

Axes: ``H`` held-out inputs, ``K`` classes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Classifier
from coolgp.agents.experts.queries.black_box import BlackBox, DensityExpert
from coolgp.agents.experts.queries.density import floored_log
from coolgp.agents.experts.surrogates.softmax import SoftmaxSurrogate
from coolgp.fusion.blackbox.imitation.classes import imitated_classifier
from coolgp.fusion.blackbox.imitation.gaussian import imitated_regressor, started
from coolgp.fusion.blackbox.imitation.settings import ImitationSettings, Pool
from coolgp.fusion.blackbox.imitation.slopes import NODES, Predicts, divergence, moments_by_queries
from coolgp.fusion.blackbox.imitation.sparse_gp import sparse_gp_of_moments

__all__ = ["Fidelity", "ImitatedClassifier", "ImitatedRegressor", "imitate_classifier", "imitate_regressor"]


@dataclass(frozen=True)
class Fidelity:
    """How a surrogate differs from its expert at held-out inputs, and what imitation asked for.

    divergence: mean ``KL(q ‖ p)`` in nats. error: root mean square of differences of means, in units of the target; for
    classes the share of inputs with another most likely class. rows: asked of the expert; density_queries: pairs of
    input and target, or probabilities of classes.
    """

    divergence: float
    error: float
    rows: int
    density_queries: int


@dataclass(frozen=True)
class ImitatedRegressor:
    """A surrogate, and its report."""

    surrogate: Predicts
    fidelity: Fidelity


@dataclass(frozen=True)
class ImitatedClassifier:
    """A surrogate, and its report."""

    surrogate: SoftmaxSurrogate
    fidelity: Fidelity


def imitate_regressor(box: BlackBox, pool: Pool, settings: ImitationSettings, owner: int = 0) -> ImitatedRegressor:
    """The surrogate of a regressor; owner: what its draws are keyed by.

    Raises ValueError for an expert without a standard deviation, or a family that the objective does not fit, and what
    a `BlackBox` raises.
    """
    rows, densities = box.used, box.density_queries
    surrogate = FAMILIES[settings.family](box, pool, settings, owner)
    apart = float(divergence(surrogate, box, pool.held_out).mean())
    difference = surrogate.predict(pool.held_out)[0] - box.predict(pool.held_out)[0]
    error = float(np.sqrt(np.mean(np.square(difference))))
    return ImitatedRegressor(surrogate, Fidelity(apart, error, box.used - rows, box.density_queries - densities))


def imitate_classifier(box: BlackBox, pool: Pool, settings: ImitationSettings, classes: Array) -> ImitatedClassifier:
    """The surrogate of a classifier with probabilities of all classes ``[K]``, among which are the expert's own."""
    rows, densities = box.used, box.density_queries
    places = _places(box, classes)
    asked, held_out = (_probabilities(box, x, places, len(classes)) for x in (pool.asked, pool.held_out))
    surrogate = imitated_classifier(asked, pool.asked, pool.features, classes, settings.floor)
    logarithms = surrogate.log_probabilities(pool.held_out)
    ratio = logarithms - floored_log(held_out, settings.floor / len(classes))
    apart = float(np.sum(np.exp(logarithms) * ratio, axis=1).mean())
    error = float(np.mean(logarithms.argmax(axis=1) != held_out.argmax(axis=1)))
    return ImitatedClassifier(surrogate, Fidelity(apart, error, box.used - rows, box.density_queries - densities))


def _linear(box: BlackBox, pool: Pool, settings: ImitationSettings, owner: int) -> Predicts:
    descent = settings.descent(owner)
    steps = min(descent.steps, _affordable(box, pool, descent.draws))
    return imitated_regressor(box, pool.asked, pool.features, settings.objective, replace(descent, steps=steps))


def _affordable(box: BlackBox, pool: Pool, draws: int) -> int:
    """Steps for which the cap of an expert suffices; one that is asked for moments answers all steps at once."""
    if box.queries is None or not isinstance(box.model, DensityExpert):
        return sys.maxsize
    asked, held_out = len(pool.asked), len(pool.held_out)
    left = box.queries - box.used - asked - (NODES + 1) * held_out
    if left < 2 * draws * asked:
        raise ValueError(
            f"{box.name}: imitation at {asked} inputs needs more than the {box.queries:,} queries that are "
            f"allowed, of which {box.used:,} are used: ask at fewer inputs, or raise the cap (queries)"
        )
    return left // (2 * draws * asked)


def _sparse_gp(box: BlackBox, pool: Pool, settings: ImitationSettings, owner: int) -> Predicts:
    settings.check_task("regression")
    start, step = started(box, pool.asked, pool.features).predict(pool.asked)
    moments = moments_by_queries(box, pool.asked, start, step)
    return sparse_gp_of_moments(pool.asked, *moments, settings.inducing, settings.seed)


def _places(box: BlackBox, classes: Array) -> list[int]:
    """Where the classes of an expert stand among all."""
    if not isinstance(box.model, Classifier):
        raise ValueError(f"{box.name}: is a regressor; needed a classifier with probabilities")
    place = {str(label): number for number, label in enumerate(classes.tolist())}
    unknown = [label for label in box.model.classes.tolist() if str(label) not in place]
    if unknown:
        raise ValueError(f"{box.name}: has a class {unknown[0]!r} that is not among {', '.join(place)}")
    return [place[str(label)] for label in box.model.classes.tolist()]


def _probabilities(box: BlackBox, x: Array, places: list[int], classes: int) -> Array:
    """Of all classes ``[U, K]``; 0 of those that the expert does not know."""
    values = np.zeros((len(x), classes))
    values[:, places] = np.exp(box.log_probabilities(x))
    normalised: Array = values / values.sum(axis=1, keepdims=True)
    return normalised


Imitate = Callable[[BlackBox, Pool, ImitationSettings, int], Predicts]
FAMILIES: Mapping[str, Imitate] = {"linear": _linear, "sparse-gp": _sparse_gp}
