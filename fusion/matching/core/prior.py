"""The Beta-Bernoulli prior over which groups share an atom.

Atoms come from a Beta process, every group picks a subset of them by a Bernoulli process. With the atoms' weights
integrated out the number of atoms is free. Source: Yurochkin et al., "Statistical Model Aggregation via Parameter
Matching", NeurIPS 2019, equations 1-5; Thibaux & Jordan, "Hierarchical Beta processes and the Indian buffet process",
AISTATS 2007. All values are natural logarithms; the papers' code has twice these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from coolgp.agents.base.arrays import Array, Indices

__all__ = ["BetaBernoulli"]


@dataclass(frozen=True)
class BetaBernoulli:
    """The prior of a partition: ``P(B) ∝ (αγ)^L Π_i Γ(m_i) Γ(J - m_i + α) / Γ(J + α)`` over its L atoms.

    The last three settings repeat what the authors' code does; with them the objective can fall.

    mass: γ > 0, how many atoms. concentration: α > 0, how much groups share. ordered: the k-th new atom of a step
    costs ``log k`` more. popularity_weight: factor of the log odds of joining; the authors' PFNM has ½.
    popularity_cap: counts above it are taken for it; the authors' code has 10.
    """

    mass: float = 1.0
    concentration: float = 1.0
    ordered: bool = False
    popularity_weight: float = 1.0
    popularity_cap: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("mass", self.mass), ("concentration", self.concentration)):
            if not 0 < value < np.inf:
                raise ValueError(f"The prior over matchings needs a finite {name} above 0; got {value}")

    def joining(self, counts: Indices, groups: int) -> Array:
        """Log odds ``[L]`` that a group uses an atom which ``counts [L]`` of the other ``groups - 1`` use.

        >>> BetaBernoulli().joining(np.array([1, 2, 3]), groups=4).round(3).tolist()
        [-1.099, 0.0, 1.099]
        """
        popularity = np.minimum(counts, np.inf if self.popularity_cap is None else self.popularity_cap)
        odds: Array = np.log(popularity / (self.concentration + groups - 1 - popularity))
        return self.popularity_weight * odds

    def new(self, groups: int) -> float:
        """Log rate of an atom that no other group uses."""
        return float(np.log(self.concentration * self.mass / (self.concentration + groups - 1)))

    def later(self, size: int) -> Array:
        """What the first, second, ... new atom ``[size]`` of one step adds to :meth:`new`."""
        return -np.log(np.arange(1.0, size + 1.0)) if self.ordered else np.zeros(size)

    def merging(self, first: Indices, second: Indices, groups: int) -> Array:
        """Log odds ``[L2, L1]`` that atoms of two disjoint sets of groups, with counts ``[L1], [L2]``, are one."""
        joint = first[None, :] + second[:, None]
        terms: Array = self._of_atoms(joint, groups) - self._of_atoms(first, groups)
        return terms - self._of_atoms(second, groups)[:, None]

    def log_probability(self, counts: Indices, groups: int) -> float:
        """``log P(B)`` of atoms used by ``counts [L]`` groups, without the constant that no partition changes."""
        return float(self._of_atoms(counts, groups).sum())

    def _of_atoms(self, counts: Indices, groups: int) -> Array:
        """``log[ αγ Γ(m) Γ(J - m + α) / Γ(J + α) ]``; minus infinity for more counts than groups."""
        alpha = self.concentration
        others = groups - counts + alpha
        terms: Array = gammaln(counts) + gammaln(np.maximum(others, alpha)) - gammaln(groups + alpha)
        return np.where(others > 0, terms + np.log(alpha * self.mass), -np.inf)
