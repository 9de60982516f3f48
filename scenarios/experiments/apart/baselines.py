"""What simple combinations of the local models' answers score, all in one place: a table beside every run.

Closed forms, without a network and without a message: what rules are compared with in the report of the same run.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.blackbox.gaussians import generalised_product, mixture, product
from coolgp.fusion.blackbox.uncertainty import POOLS
from coolgp.scenarios.experiments.apart.scoring import ClassScoring, Scoring
from coolgp.scenarios.experiments.apart.tables import Table

__all__ = ["BASELINES", "baseline_rows"]

BASELINES = "baselines.csv"
"""In the run folder."""
MEAN, BEST = "local models, mean", "best local model, known afterwards"


def baseline_rows(before: Array, scoring: Scoring) -> Table:
    """``baselines.csv``: a row for each baseline, from the answers of all local models ``[N, Q, C]``.

    Models that failed are left out, as are products of models without a standard deviation.
    """
    there = np.isfinite(before[:, :, 0]).all(axis=1)
    rows = [{"baseline": MEAN} | _scores(before, scoring)] if there.all() else []
    best = before[np.argmin(np.where(there, scoring.losses(np.nan_to_num(before)), np.inf))]
    of_all = _classes(before[there]) if isinstance(scoring, ClassScoring) else _numbers(before[there])
    for name, answers in (*of_all, (BEST, best)):
        rows.append({"baseline": name} | _scores(np.broadcast_to(answers, before.shape), scoring))
    return rows


def _scores(answers: Array, scoring: Scoring) -> dict[str, object]:
    scores = scoring.scores(answers, answers)
    return {name: scores.get(f"{name}_post", np.nan) for name in scoring.beside}


def _numbers(answers: Array) -> Iterator[tuple[str, Array]]:
    mean, std = answers[:, :, 0], np.sqrt(answers[:, :, 1])
    yield "average", _moments(*mixture(mean, std))
    yield "median", np.median(answers, axis=0)
    if np.isfinite(std).all() and (std > 0).all():
        yield "product", _moments(*product(mean, std))
        yield "generalised product", _moments(*generalised_product(mean, std))


def _moments(mean: Array, std: Array) -> Array:
    return np.stack([mean, np.square(std)], axis=1)


def _classes(answers: Array) -> Iterator[tuple[str, Array]]:
    kinds = {"average": "mixture", "product": "product", "generalised product": "gpoe"}
    for name, kind in kinds.items():
        pool = POOLS[kind]  # type: ignore[index]  # a literal
        yield name, pool.read(pool.term(answers).sum(axis=0), np.array(float(len(answers))))
