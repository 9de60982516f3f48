"""The published simulation of SPAHM beside baselines: atoms are matched from noisy copies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.core.prior import BetaBernoulli
from coolgp.fusion.matching.sets.spahm import SPAHM, MatchedAtoms
from coolgp.fusion.matching.studies.outcome import COPY, Outcome, StudyDraw
from coolgp.fusion.matching.studies.simulated import (
    STARTS,
    Copies,
    drawn_copies,
    estimated,
    hausdorff,
    kmeans,
    points,
)

__all__ = ["AUTHORS", "PUBLISHED", "CopiesStudy"]

PUBLISHED = SPAHM(
    noise_variance=1.0, prior_variance=1.0, sweeps=10, prior=BetaBernoulli(ordered=True, popularity_cap=10)
)
"""The settings of the authors' simulation."""
AUTHORS = {
    0.1: (0.74, 0.09, 47.8),
    0.5: (3.67, 0.42, 47.8),
    1.0: (7.28, 0.81, 47.8),
    2.0: (14.11, 1.49, 47.8),
    5.0: (30.40, 3.89, 48.1),
    10.0: (51.68, 2.61, 60.2),
}
"""By noise: Hausdorff distance of the authors' code, its standard deviation over 10 draws, and mean number of atoms.

These are of the default settings, on draws of that code; 47.8 atoms are used in the mean.
"""
PUBLISHED_CENTRES = 50
"""Centres of k-means in the authors' simulation, however many atoms there are."""


@dataclass(frozen=True)
class CopiesStudy:
    """Noisy copies of atoms, as in the published simulation.

    groups: that have copies. atoms: that are drawn, of which a group has some. dimensions: of a vector. local: vectors
    are the "true" copies, or "estimated" by k-means from points around them.
    """

    measures: ClassVar[tuple[str, ...]] = ("hausdorff", "atoms")
    facts: ClassVar[tuple[str, ...]] = ("noise_found", "prior_deviation_found")
    extra: ClassVar[tuple[str, ...]] = ()
    level: ClassVar[str] = COPY
    truth: ClassVar[str] = "true ones"
    remarks: ClassVar[tuple[str, ...]] = (
        "k-means with the true number of atoms is told what SPAHM has to find. SPAHM never gives two vectors of one "
        "group the same atom, k-means may.",
    )

    groups: Annotated[int, Ge(2)] = 20
    atoms: Annotated[int, Ge(10)] = 50
    dimensions: Annotated[int, Ge(1)] = 50
    local: Literal["true", "estimated"] = "true"

    @property
    def methods(self) -> tuple[str, ...]:
        """See `SetsStudy`."""
        of_points = () if self.local == "true" else ("kmeans_points",)
        return ("spahm", "published", "greedy", "kmeans", "kmeans_used", "all", *of_points)

    def drawn(self, noise: float, seed: int, settings: SPAHM) -> StudyDraw:
        """See `SetsStudy`."""
        copies = drawn_copies(seed, self.groups, noise, self.atoms, self.dimensions)
        groups = tuple(values for values in copies.groups if len(values))  # a group may have no atom at all
        copies = replace(copies, groups=groups)
        methods: dict[str, Callable[[], Array]] = {}
        if self.local == "estimated":
            rows = points(copies, seed)
            copies = estimated(copies, rows, seed)
            methods["kmeans_points"] = lambda: kmeans(np.concatenate(rows), len(copies.atoms), seed)
        started = perf_counter()
        matched = settings.match(copies.groups)
        outcomes = {"spahm": _outcome(copies, matched.atoms, perf_counter() - started)}
        for name, method in (_baselines(copies, settings, seed) | methods).items():
            started = perf_counter()
            atoms = method()
            outcomes[name] = _outcome(copies, atoms, perf_counter() - started)
        return StudyDraw(len(copies.atoms), outcomes, _facts(matched), _arrays(matched))


def _baselines(copies: Copies, settings: SPAHM, seed: int) -> dict[str, Callable[[], Array]]:
    vectors, greedy = np.concatenate(copies.groups), replace(settings, solver="greedy", sweeps=0)
    return {
        "published": lambda: PUBLISHED.match(copies.groups).atoms,
        "greedy": lambda: greedy.match(copies.groups).atoms,
        "kmeans": lambda: kmeans(vectors, PUBLISHED_CENTRES, seed, STARTS),
        "kmeans_used": lambda: kmeans(vectors, len(copies.atoms), seed, STARTS),
        "all": lambda: vectors,
    }


def _outcome(copies: Copies, atoms: Array, seconds: float) -> Outcome:
    return Outcome({"hausdorff": hausdorff(copies.atoms, atoms), "atoms": float(len(atoms))}, seconds)


def _facts(matched: MatchedAtoms) -> dict[str, float]:
    """Standard deviations that SPAHM found, of noise and prior, roots of the mean variance over dimensions."""
    noise, prior = matched.noise_variance.mean(), matched.prior_variance.mean()
    return {"noise_found": float(np.sqrt(noise)), "prior_deviation_found": float(np.sqrt(prior))}


def _arrays(matched: MatchedAtoms) -> dict[str, Array | Indices]:
    return {"atoms": matched.atoms, "variances": matched.variances, "counts": matched.counts}
