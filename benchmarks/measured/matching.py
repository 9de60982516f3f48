"""Matching of parameters: SPAHM and PFNM, each beside a loop written from the formulas, on the same draws."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from cProfile import Profile
from functools import partial
from pstats import Stats

import numpy as np

from coolgp.agents.blocks import on_cores
from coolgp.agents.experts.network import Network
from coolgp.fusion.matching.core import assignment, gains
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.settings import Setting
from coolgp.fusion.matching.networks.shares import class_shares
from coolgp.fusion.matching.networks.units import BIAS_MEAN
from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.fusion.matching.studies.simulated import drawn_copies
from coolgp.network.base.randomness import generator

from benchmarks.limits import measure_limits
from benchmarks.plain.matching import Matcher, spahm
from benchmarks.results import Measurement, Row, Value, seconds, single
from benchmarks.timing import Effort, contest
from benchmarks.work import Array

__all__ = ["copies_of_units", "measure", "orders", "pfnm_labels", "plain_pfnm", "plain_spahm", "spahm_labels"]

NOTES = (
    "Groups of noisy copies of L atoms in D dimensions, each group with the atoms that it includes by a Beta(1, 1) "
    "probability of each; one pass over the groups by size, then so many sweeps. SPAHM learns its variances per "
    "dimension; PFNM matches networks with D inputs, one hidden layer and 10 classes. One core.",
    "The plain loop is written from the formulas: a gain matrix filled row by row, each row against all atoms, and "
    "lists of labels. Both find the same labels (a test compares them), and both use SciPy's linear_sum_assignment.",
    "coolgp fills the gain matrix by matrix products, needs no assignment problem where the best atoms of a group's "
    "vectors differ, and visits a group again only if another one changed.",
    "`share of the gain matrix` and `share of the assignment` are of coolgp's time, in a call of its own.",
)
CLASSES = 10


def measure(quick: bool) -> Measurement:
    """Time coolgp and the plain loop."""
    limits = measure_limits(quick)
    sizes = [(4, 8, 6, 2)] if quick else [(10, 50, 50, 10), (25, 200, 200, 3), (50, 500, 800, 1)]
    rows: list[Row] = []
    for groups, atoms, dimensions, sweeps in sizes:
        for method in ("SPAHM", "PFNM"):
            case: dict[str, Value] = {"method": method, "J": groups, "L": atoms, "D": dimensions, "sweeps": sweeps}
            print(f"matching: {case}", file=sys.stderr)
            rows += _contest(case, Effort(2, 0.005) if quick else Effort(2 if groups < 50 else 1, 0.25))
    return Measurement(tuple(rows), limits, NOTES)


def copies_of_units(seed: int, networks: int, units: int, inputs: int) -> tuple[list[Network], Array]:
    """Networks whose units are noisy copies, and class counts ``[J, K]`` from 50 to 149."""
    rng = generator(seed, "units of networks")
    truth = rng.normal(size=(units, inputs + 1 + CLASSES))
    included = rng.random((networks, units)) < rng.beta(1.0, 1.0, size=units)
    drawn: list[Network] = []
    for row in included:
        own = truth[rng.permutation(np.flatnonzero(row))]
        own = own + 0.5 * rng.normal(size=own.shape)
        matrices = own[:, :inputs].T.copy(), own[:, inputs + 1 :].copy()
        drawn.append(Network(matrices, (own[:, inputs].copy(), rng.normal(size=CLASSES))))
    return drawn, rng.integers(50, 150, size=(networks, CLASSES)).astype(float)


def orders(groups: int, sweeps: int) -> list[list[int]]:
    """The orders of visits that coolgp draws for seed 0."""
    return [generator(0, "matching order", round=sweep).permutation(groups).tolist() for sweep in range(sweeps)]


def spahm_labels(groups: Sequence[Array], sweeps: int) -> list[list[int]]:
    """Labels by coolgp."""
    matched = SPAHM(noise_variance=1.0, prior_variance=1.0, sweeps=sweeps).match(groups)
    return [own.tolist() for own in matched.labels]


def plain_spahm(groups: Sequence[Array], sweeps: int) -> list[list[int]]:
    """Labels by the loop."""
    return spahm(groups, 1.0, 1.0, orders(len(groups), sweeps))


def pfnm_labels(networks: Sequence[Network], counts: Array, sweeps: int) -> list[list[int]]:
    """Labels by coolgp."""
    fused = PFNM(settings=(Setting(),), sweeps=sweeps).fuse(networks, class_counts=counts)
    return [own.tolist() for own in fused.labels[0]]


def plain_pfnm(networks: Sequence[Network], counts: Array, sweeps: int) -> list[list[int]]:
    """Labels by the loop; all variances are 1."""
    shares = class_shares(counts, len(networks), CLASSES)
    values = [np.hstack([one.weights[0].T, one.biases[0][:, None] - BIAS_MEAN, one.weights[1]]) for one in networks]
    entries = values[0].shape[1] - CLASSES
    precision = [np.concatenate([np.ones(entries), share]) for share in shares]
    matcher = Matcher(values, precision, np.ones(entries + CLASSES), marginal=False)
    matcher.start()
    for order in orders(len(networks), sweeps):
        matcher.sweep(order)
    return matcher.labels


def _contest(case: dict[str, Value], effort: Effort) -> list[Row]:
    groups, atoms, dimensions, sweeps = (int(case[name]) for name in ("J", "L", "D", "sweeps"))
    works: dict[str, Callable[[], object]]
    if case["method"] == "SPAHM":
        copies = drawn_copies(0, groups, 1.0, atoms, dimensions).groups
        works = {"coolgp": partial(spahm_labels, copies, sweeps), "plain loop": partial(plain_spahm, copies, sweeps)}
    else:
        drawn = copies_of_units(0, groups, atoms, dimensions)
        works = {"coolgp": partial(pfnm_labels, *drawn, sweeps), "plain loop": partial(plain_pfnm, *drawn, sweeps)}
    with on_cores(1):
        times = contest(works, effort)
        shares = _shares(works["coolgp"])
    rows = [seconds(case, who, "matching", timing) for who, timing in times.items()]
    return rows + [single(case, "coolgp", f"share of the {what}", "%", value) for what, value in shares.items()]


def _shares(work: Callable[[], object]) -> dict[str, float]:
    """Percentages of a call's time in the gain matrix and in the assignment."""
    profile = Profile()
    profile.runcall(work)
    stats = Stats(profile)
    seconds_in = {name: cumulative for (_, _, name), (_, _, _, cumulative, _) in stats.stats.items()}  # type: ignore[attr-defined]
    steps = {"gain matrix": gains.surplus, "assignment": assignment.best_assignment}
    return {what: 100.0 * seconds_in[step.__name__] / stats.total_tt for what, step in steps.items()}  # type: ignore[attr-defined]
