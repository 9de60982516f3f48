"""The sections of scenarios that match sets of vectors: [vectors], [matching] and [run] as it is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from pydantic.fields import FieldInfo

from coolgp.scenarios.config.constraints import Names
from coolgp.scenarios.config.options import ChosenSettings, options_of
from coolgp.scenarios.config.section import Count, Positive, Positives, Settings

__all__ = ["MatchingSettings", "VectorsRunSettings", "VectorsSettings"]


def _studies() -> Mapping[str, Any]:
    from coolgp.fusion.matching.studies.registry import SETS_STUDIES  # for scenarios of this kind alone

    return SETS_STUDIES


class VectorsSettings(ChosenSettings):
    """Where the vectors of the groups come from; further keys are the settings of that source."""

    section: ClassVar[str] = "vectors"
    choice: ClassVar[str] = "source"

    source: Annotated[str, Names(lambda: tuple(_studies()))] = Field(
        default="copies",
        description="noisy copies of atoms, states of hidden Markov models that groups fit, or topics of their images",
    )
    noise: Positives = Field(
        default=(0.1, 0.5, 1.0),
        description="standard deviation of a group's copy of an atom in each dimension, "
        "or of a pixel's noise; a row of metrics.csv for each",
    )

    @classmethod
    def names(cls) -> Iterable[str]:
        """All sources of vectors."""
        return _studies()

    @classmethod
    def options_named(cls, name: str) -> dict[str, FieldInfo] | None:
        """The settings of a source."""
        return options_of(_studies()[name]) if name in _studies() else None

    @classmethod
    def made(cls, name: str, options: Mapping[str, Any]) -> Any:
        """The source with these settings."""
        return _studies()[name](**options)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse a noise that is given twice."""
        noise = values.get("noise", ())
        twice = [value for place, value in enumerate(noise) if value in noise[:place]]
        own = [("noise", f"needed each value once; got {twice[0]:g} twice")] if twice else []
        return own + super().conflicts(values)

    @property
    def study(self) -> Any:
        """The source with the settings that were given."""
        return self.made(self.source, self.options)


class MatchingSettings(Settings):
    """How SPAHM matches."""

    mass: Positive = Field(default=1.0, description="of the Beta-Bernoulli prior; more mass means more atoms")
    concentration: Positive = Field(default=1.0, description="of the Beta-Bernoulli prior")
    noise_variance: Positive | None = Field(
        default=None,
        description="to start from; without it three starts, at 0.1, 0.01 and 1 times the variance of all vectors",
    )
    learn: bool = Field(default=True, description="learn noise variance, prior variance and prior mean")
    per_dimension: bool = Field(default=True, description="variances differ between dimensions")
    sweeps: Count = Field(default=100, description="at most so many; matching ends before where nothing changes")
    read_out: Literal["posterior", "mean"] = Field(
        default="posterior", description="atoms are posterior means, or plain means of the matched vectors"
    )


class VectorsRunSettings(Settings):
    """How many draws, and the seed."""

    repeats: Count = Field(default=10, description="draws at each noise; metrics.csv has means over them")
    seed: int = Field(
        default=0, ge=0, description="everything random follows from it; runs of different seeds share no draw"
    )
