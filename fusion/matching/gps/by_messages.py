"""Sparse Gaussian processes where nobody has all outlines: inducing inputs are matched by messages between owners.

Units that all agree on follow from sums. Hyper-parameters are collected on the way to the root, which takes their
medians and tells everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.matching.gps.agreement import Units, common_prior, units_of_moments
from coolgp.fusion.matching.gps.fused import Form, columns_of
from coolgp.fusion.matching.gps.outline import Outline, outline_of, packed, packed_size, unpacked
from coolgp.fusion.matching.gps.selection import Selection
from coolgp.fusion.matching.messages.matching import Owners, Start, matched_by_messages
from coolgp.fusion.matching.messages.passes import Rounds, TreeLinks, known_to_all, summed, to_root
from coolgp.fusion.matching.sets.moments import Hyperparameters, vectors_under
from coolgp.fusion.matching.sets.spahm import SPAHM

__all__ = ["GPOwners", "matched_inputs"]


@dataclass(frozen=True)
class GPOwners:
    """This rank's owners ``[A]``."""

    gps: Sequence[SparseGP]
    links: TreeLinks


def matched_inputs(owners: GPOwners, form: Form, spahm: SPAHM, start: Start) -> Rounds[tuple[Selection, SparseGP]]:
    """What is matched, with labels of this rank's owners alone, and the common prior, about nothing yet.

    spahm: mass, sweeps, solver, and the noise variance of standardised columns, whose prior variance is 1.
    """
    columns = [columns_of(owner, form) for owner in owners.gps]
    units = yield from _common_units(columns, owners.links)
    width = columns[0].shape[1]
    assert spahm.noise_variance is not None
    at = Hyperparameters(np.zeros(width), np.ones(width), np.full(width, spahm.noise_variance))
    orders = [np.lexsort(own.T) for own in columns]
    ordered = [units.standardised(own[order]) for own, order in zip(columns, orders, strict=True)]
    vectors = [vectors_under([own], None, at) for own in ordered]
    prior = yield from _prior_known_to_all(owners)
    (match,) = yield from matched_by_messages(Owners([vectors], [spahm.criterion], owners.links), start, spahm.sweeps)
    labels = tuple(own[np.argsort(order)] for own, order in zip(match.labels, orders, strict=True))
    rows = units.original(match.atoms.shift / match.atoms.precision)
    return Selection(rows, labels, np.zeros(0)), prior


def _common_units(columns: Sequence[Array], links: TreeLinks) -> Rounds[Units]:
    """Those of :func:`coolgp.fusion.matching.gps.agreement.common_units`, from two sums over all owners."""
    first = yield from summed(np.stack([np.append(rows.sum(axis=0), len(rows)) for rows in columns]), links)
    mean = first[:-1] / first[-1]
    squares = yield from summed(np.stack([np.square(rows - mean).sum(axis=0) for rows in columns]), links)
    return units_of_moments(mean, squares / first[-1])


def _prior_known_to_all(owners: GPOwners) -> Rounds[SparseGP]:
    """The common prior about no inducing inputs, by way of the root."""
    like = outline_of(owners.gps[0], "evidence").without_columns()
    width, kernel, size = like.columns.shape[1], like.prior.kernel, packed_size(like)
    rows = {
        agent: packed(outline_of(owners.gps[place], "evidence").without_columns(), size)
        for agent, place in owners.links.agents.items()
    }

    def joined(agent: int, messages: Sequence[Array]) -> Array:
        return np.concatenate([rows[agent], *messages])

    rows_of_all = yield from to_root(joined, owners.links)
    message = rows_of_all
    if len(rows_of_all):
        priors = [unpacked(row, width, "evidence", kernel).prior for row in rows_of_all.reshape(-1, size)]
        common = common_prior(priors, np.zeros((0, width)))
        message = packed(Outline(common.parameters.inducing_inputs, common), size)
    message = yield from known_to_all(message, owners.links)
    return unpacked(message, width, "evidence", kernel).prior
