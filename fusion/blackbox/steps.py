"""What an agent does with the sum of all experts' derivatives at its own point.

Axes: leading axes of agents and points, then ``Q`` queries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["STEPS", "Group", "Step"]

UNRESOLVED = 1e-9
"""Gradients below this part of one over the product's standard deviation are rounding, and have no sign."""


@dataclass(frozen=True)
class Group:
    """The group at the points of an iteration, counted from 1.

    gradient: summed. precision: minus the summed second derivatives, or None where nobody asked for them. std: of the
    product, as experts stated theirs. reach: how far a step may go.
    """

    gradient: Array
    precision: Array | None
    std: Array
    reach: Array
    iteration: int


@dataclass(frozen=True)
class Step:
    """move: from a group to the change of its points. curved: whether it needs second derivatives."""

    move: Callable[[Group], Array]
    curved: bool


def newton(group: Group) -> Array:
    """``g / Λ``: exact for Gaussian experts, whatever the units of y.

    Where the product is not log-concave (``Λ ≤ 0``), a step along the gradient of at most one standard deviation, less
    in later iterations.
    """
    assert group.precision is not None
    concave = group.precision > 0
    with np.errstate(all="ignore"):
        to_mode = group.gradient / np.where(concave, group.precision, 1.0)
    uphill = np.clip(group.gradient * np.square(group.std), -group.std, group.std) / np.sqrt(group.iteration)
    return np.clip(np.where(concave, to_mode, uphill), -group.reach, group.reach)


def scale_free(group: Group) -> Array:
    """``g / (Λ √t)``: as Newton's, but shorter and shorter, so that noise in the gradient averages out."""
    shorter: Array = newton(group) / np.sqrt(group.iteration)
    return shorter


def published(group: Group) -> Array:
    """``sign(g) / √t`` in units of y, as in the authors' code: 11.27 units in 40 iterations, whatever the units are."""
    resolved = np.abs(group.gradient) * group.std > UNRESOLVED
    move: Array = np.where(resolved, np.sign(group.gradient), 0.0) / np.sqrt(group.iteration)
    return move


STEPS: Mapping[str, Step] = {
    "newton": Step(newton, curved=True),
    "scale-free": Step(scale_free, curved=True),
    "published": Step(published, curved=False),
}
"""All steps by name."""
