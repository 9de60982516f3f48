"""One column of the tables that a run leaves: what it is, in which unit, and how it is computed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

from numpy.typing import NDArray

from coolgp.scenarios.metrics.evaluated import Evaluated

__all__ = ["HYPERPARAMETERS", "METRICS", "PROBES", "SUBSET", "TARGET", "TRAFFIC", "Cell", "Column"]

METRICS, TRAFFIC = "metrics.csv", "traffic.csv"
HYPERPARAMETERS, PROBES = "hyperparameters.csv", "probes.csv"
TARGET = "target"
"""As a unit: the one of what is predicted."""
FEATURE = "{feature}"
SUBSET = "_subset"
"""At the end of the name of a score on the test rows that are asked in every round."""

Cell: TypeAlias = int | float | str


def _not_computed(evaluated: Evaluated) -> float:
    raise NotImplementedError("another kind of scenario computes this column")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column, or one for each input where its name contains ``{feature}``.

    name: as in the header. words: for the axis of a figure. meaning: for the documentation. unit: ``TARGET``, another
    one, or empty. better: which values are. nominal: the value that a calibrated model has. summed: the column counts
    what happened since the row before, so that a run's value is the sum. spread: a column ``<name>_std`` with the
    standard deviation over probes follows. files: the tables of the loop of rounds that hold it; none where another
    kind of scenario writes it. value: of an evaluated round, a number, or one for each probe ``[probes]`` (for each
    input ``[probes, D]``): their mean is written, and in ``probes.csv`` each of them. since: the version of coolgp that
    writes it first.
    """

    name: str
    words: str
    meaning: str
    unit: str = ""
    better: Literal["lower", "higher", ""] = ""
    nominal: float | None = None
    summed: bool = False
    spread: bool = False
    files: tuple[str, ...] = (METRICS,)
    value: Callable[[Evaluated], float | NDArray[Any]] = _not_computed
    since: str = "0.1.0"

    def names(self, features: tuple[str, ...], *, spread: bool = True) -> list[str]:
        """The names in the header of a table, of inputs with these names; without those of spreads if not wanted."""
        return _names(self.name, features, self.spread and spread)

    def words_of(self, name: str) -> str | None:
        """What the column of that name is, if it is this one, the one of an input, or the spread of either.

        >>> from coolgp.scenarios.metrics.columns import COLUMNS
        >>> COLUMNS["lengthscale_{feature}"].words_of("lengthscale_wind_std")
        'length-scale of wind (scaled input), standard deviation over probes'
        >>> COLUMNS["lost"].words_of("lost_std")
        """
        pattern = re.escape(self.name).replace(re.escape(FEATURE), "(.+?)") + ("(_std)?" if self.spread else "()")
        match = re.fullmatch(pattern, name)
        if match is None:
            return None
        feature, spread = match[1], match[match.re.groups]
        words = self.words.replace(FEATURE, feature or "")
        return f"{words}, standard deviation over probes" if spread else words


@cache
def _names(name: str, features: tuple[str, ...], spread: bool) -> list[str]:
    named = [name.replace(FEATURE, feature) for feature in (features if FEATURE in name else ("",))]
    return [f"{one}{end}" for one in named for end in (("", "_std") if spread else ("",))]
