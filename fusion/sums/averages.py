"""What rules that average have in common: they also mix how much of each agent's evidence is in an average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from coolgp.fusion.sums.base import SumRule
from coolgp.fusion.sums.shares import LEAST_GROUPS, share_count

__all__ = ["AveragingRule"]


@dataclass(frozen=True)
class AveragingRule(SumRule):
    """A rule whose sums are N times a mean.

    share_groups: numbers that an agent mixes beside its row, so that nobody is counted twice. One for each agent where
    there are no more agents than that: exact. Else one for each random group of agents, and fewer agents may be counted
    than were mixed in, never more. Default: one for each of up to 512 agents, 64 with more.
    """

    share_groups: Annotated[int, Field(ge=LEAST_GROUPS)] | None = None
    averages: ClassVar[bool] = True

    def share_numbers(self, size: int) -> int:
        """See `SumRule`."""
        return share_count(size, self.share_groups)
