"""What can be wrong with what an agent knows: mistakes that name the agent."""

from __future__ import annotations

import numpy as np

__all__ = ["Indefinite", "NotFinite"]


class Indefinite(ValueError):
    """The posterior precision of one agent (its row among those asked) is not positive definite."""

    def __init__(self, row: int, lowest: float) -> None:
        super().__init__(row, lowest)
        self.row, self.lowest = row, lowest

    def __str__(self) -> str:
        return self.of(f"in row {self.row}")

    def of(self, agent: str) -> str:
        """The message, with the agent's own name."""
        return (
            f"the precision of agent {agent} is not positive definite (lowest eigenvalue {self.lowest:.3g}): "
            "what it fused is no sum of evidence (a false message never is), or its hyper-parameters diverged; check "
            "the fusion rule, raise agents.jitter or lower agents.learning_rate"
        )


class NotFinite(Indefinite):
    """What one agent (its row among those asked) predicts is not a finite number."""

    def __init__(self, row: int) -> None:
        super().__init__(row, np.nan)

    def of(self, agent: str) -> str:
        """The message, with the agent's own name."""
        return (
            f"what agent {agent} predicts is not finite: numbers left the range of the precision, or a false message "
            'was taken in; take run.precision = "float64" and data.standardize = true, look at the largest and '
            "smallest values in the data, or take a fusion rule that stands false messages"
        )
