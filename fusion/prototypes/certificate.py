"""What is certain of a new task: a PAC-Bayes bound of the expected loss ``1 - p(right class)`` of a drawn prototype."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Certificate", "width"]


def width(divergence: float, examples: int, delta: float) -> float:
    """The root in F_R: how far the expected loss may be above that on the examples.

    >>> round(width(0.0, 10, 0.05), 4)
    0.5281
    """
    return float(np.sqrt((divergence + np.log(examples / delta)) / (2 * examples - 1)))


@dataclass(frozen=True)
class Certificate:
    """loss: on so many examples; divergence: of the styles from their prior, nats; delta: as it was adapted for.

    certified: whether the bound holds, for nets that do not depend on the examples.
    """

    loss: float
    divergence: float
    examples: int
    delta: float
    certified: bool

    def bound(self, delta: float | None = None) -> float:
        """F_R: with probability ``1 - delta`` over independent examples the expected loss is at most this."""
        return self.loss + width(self.divergence, self.examples, self.delta if delta is None else delta)

    def __str__(self) -> str:
        value = f"{self.bound():.3f}"
        if not self.certified:
            return f"{value}, without certificate: nets depend on the examples"
        empty = ", which says nothing: a loss is at most 1" if self.bound() >= 1.0 else ""
        return f"{value} with probability {1.0 - self.delta:g}, for independent examples{empty}"
