"""What owners hand to everybody before they fuse, a row of numbers each: what is matched, and hyper-parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.sparse.collapsed import Parameters
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.matching.gps.fused import Form, columns_of

__all__ = ["Outline", "outline_of", "packed", "packed_size", "unpacked"]


@dataclass(frozen=True)
class Outline:
    """columns ``[M, E]``: what is matched, in original units; prior: the owner's model without evidence."""

    columns: Array
    prior: SparseGP

    def without_columns(self) -> Outline:
        """The hyper-parameters alone."""
        return replace(self, columns=self.columns[:0])


def outline_of(owner: SparseGP, form: Form) -> Outline:
    """That of an owner."""
    return Outline(columns_of(owner, form), owner.without_evidence())


def packed_size(outline: Outline) -> int:
    """Length of its row, without zeros behind."""
    return 5 + len(outline.prior.parameters.lengthscale) + outline.columns.size


def packed(outline: Outline, length: int) -> Array:
    """A row ``[length]``: M, two variances, center, jitter, lengthscales ``[D]``, columns, and zeros."""
    prior, at, row = outline.prior, outline.prior.parameters, np.zeros(length)
    numbers = [len(outline.columns), at.signal_variance, at.noise_variance, prior.center, prior.jitter]
    content = np.concatenate([numbers, at.lengthscale, outline.columns.ravel()])
    row[: len(content)] = content
    return row


def unpacked(row: Array, inputs: int, form: Form, kernel: str) -> Outline:
    """The inverse of :func:`packed` for D inputs."""
    size, width = int(row[0]), inputs + (form == "published")
    signal, noise, center, jitter = row[1:5].tolist()
    columns = row[5 + inputs : 5 + inputs + size * width].reshape(size, width)
    at = Parameters(columns[:, :inputs], row[5 : 5 + inputs], signal, noise)
    return Outline(columns, SparseGP(at, np.zeros((size, size)), np.zeros(size), center, kernel, jitter))
