"""A newcomer's model of a number from models that only answer: the population of their surrogates, and a mixture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Regressor
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.fusion.personalise.alternatives import of_owners, owners_densities
from coolgp.fusion.personalise.answers import asked_boxes, boxes_of, query_words
from coolgp.fusion.personalise.from_gps import mixture_left_out
from coolgp.fusion.personalise.gps import learner_over
from coolgp.fusion.personalise.imitated import Answers, Imitation, imitation, one_task, with_noise
from coolgp.fusion.personalise.mixture import PersonalGP, candidates_of
from coolgp.fusion.personalise.outcome import PersonalRegressor, PersonalReport, Request
from coolgp.fusion.personalise.owners import Owners, owners_left

__all__ = ["from_answers"]


def from_answers(request: Request) -> PersonalRegressor:
    """The mixture of priors that surrogates of the models give, from their answers at rows without targets.

    Raises ValueError without such rows, and where models are no regressors.
    """
    boxes = boxes_of(request, Regressor, "a regressor")
    if request.unlabelled is None:
        raise ValueError("models that only answer need rows without targets, at which they are asked: give unlabelled")
    y = np.asarray(request.y, dtype=float)
    owners, pool = asked_boxes(request, boxes)
    imitated, owners = _imitated(request, boxes, owners, pool)
    learned = learner_over(owners.graph, len(owners.models))(imitated.evidence)
    population = learned.populations[0]
    pooled = one_task(population, len(owners.models))
    start = PersonalGP(candidates_of(population, pooled=pooled), imitated.common)
    model = with_noise(start, request.x, y, imitated.noise_variance)
    names = [candidate.name for candidate in model.candidates]
    noise = model.common.parameters.noise_variance
    report = PersonalReport(
        chosen="mixture of Gaussian process priors, from surrogates",
        why=f"all {len(boxes)} models are regressors that answer, and there are rows without targets",
        rows=len(y),
        weights=dict(zip(names, model.weights.tolist(), strict=True)),
        left_out=mixture_left_out(model, request.x, y) | of_owners(_densities(owners, request.x, y, noise)),
        details={
            "queries": query_words(boxes, request),
            "surrogates": _fidelity(imitated, len(pool)),
            "shrinkage of the population": f"{learned.shrinkages[0]:g} tasks",
            "noise of the newcomer's rows": f"standard deviation {np.sqrt(noise):.3g}, {_source(imitated)}",
        },
        models_left_out=owners.left_out,
    )
    return PersonalRegressor(model, report, SparseGPRegressor.of_sparse_gp(model.as_one()))


def _imitated(
    request: Request, boxes: Sequence[BlackBox], owners: Owners[BlackBox], pool: Array
) -> tuple[Imitation, Owners[BlackBox]]:
    """Surrogates of the models, but for those whose answers none explains; they are left out too."""
    first = imitation(pool, [Answers(*box.predict(pool)) for box in owners.models])
    if first.imitated.all():
        return first, owners
    faults = {
        name: f"answers what no surrogate explains: it differs by {misfit:.3g} where answers spread by {spread:.3g}"
        for name, misfit, spread, fits in zip(
            owners.names, first.misfits, first.spreads, first.imitated.tolist(), strict=True
        )
        if not fits
    }
    known = {**owners.left_out, **faults}
    left = owners_left(request, boxes, [known.get(box_name, "") for box_name in request.names])
    return imitation(pool, [Answers(*box.predict(pool)) for box in left.models]), left


def _densities(owners: Owners[BlackBox], x: Array, y: Array, noise_variance: float) -> Array:
    """Log densities ``[A, n]`` of the rows under the models as they are."""
    means, stds = (np.stack(parts) for parts in zip(*(box.predict(x) for box in owners.models), strict=True))
    return owners_densities(means, np.where(stds > 0, stds, np.nan), y, noise_variance)


def _fidelity(imitated: Imitation, rows: int) -> str:
    share = np.median(imitated.misfits / np.maximum(imitated.spreads, 1e-300))
    about = f"{len(imitated.common.shift)} features, fitted at {rows} rows but for a fifth"
    return f"{about}, where they differ by {100 * share:.1f} % of the spread"


def _source(imitated: Imitation) -> str:
    stated = imitated.noise_variance
    about = "models state none" if np.isnan(stated) else f"models state {np.sqrt(stated):.3g}"
    return f"the most probable ({about})"
