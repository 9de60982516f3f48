"""The sections of scenarios whose agents learn two classes: [data], [agents], [fusion] and [run] as they are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from coolgp.fusion.registry import SUM_RULES
from coolgp.scenarios.config.constraints import Names
from coolgp.scenarios.config.section import Natural
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sections.fusion import FusionSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.config.sources import source_named

__all__ = ["ClassAgentsSettings", "ClassDataSettings", "ClassFusionSettings", "ClassRunSettings"]

REFUSED = {
    "noise_variance": ("pilot", "classes have no noise of their own: the logistic function says how sure they are"),
    "shared": ("function", "a row's weight follows from what is believed about the function at it"),
    "encoding": ("transport", "hyper-parameters are fixed, and no sums grow old"),
    "projection_std": (0.0, "a row's weight follows from kernel values, not from expectations of them"),
    "inducing_common": (None, "inducing inputs are chosen from the pilot sample, alike for all"),
    "learn_inducing": (False, "what tells better ones is the density of numbers"),
    "pilot_held": ("shared", "the search on sums alone is of numbers with Gaussian noise"),
}
"""Keys of [agents] that mean nothing where classes are learned, the one value that they take, and why."""


class ClassDataSettings(DataSettings):
    """Where the rows come from, which columns are used, and which agent observes which row."""

    classifies: ClassVar[bool] = True

    task: Literal["classification"] = Field(
        default="classification", description="the target is the name or number of one of two classes"
    )

    @property
    def classified(self) -> bool:
        """See `DataSettings`."""
        return True

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse sources of numbers."""
        name = values.get("source")
        source = source_named(name if isinstance(name, str) else "")
        numbers = [("source", f'"{name}" has numbers, and two classes are learned: leave out data.task')]
        return [*super().conflicts(values), *(numbers if source.target and not source.classes else [])]


class ClassAgentsSettings(AgentsSettings):
    """The agents and the model of two classes that each of them learns."""

    likelihood: ClassVar[str] = "bernoulli"

    hyperparameters: Literal["fixed"] = Field(
        default="fixed", description="fixed at their start: what tells better ones from sums is of Gaussian noise"
    )
    kept_rows: Natural | Literal["all"] = Field(
        default="all",
        description="newest rows of its own that an agent keeps, to weigh them anew in every round by what all know: "
        '"all" comes to what one model of all rows in one place is; with 0 each row is weighed once, as it comes',
    )

    @property
    def keeps(self) -> float:
        """See `AgentsSettings`."""
        return float("inf") if self.kept_rows == "all" else self.kept_rows

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse what is for numbers with Gaussian noise."""
        keeps = {} if values.get("kept_rows") == 0 else {"forget": (1.0, "rows that are kept count in full")}
        refused = {**REFUSED, **keeps}
        problems = [
            (key, f"not where classes are learned: {why}; leave it out")
            for key, (value, why) in refused.items()
            if values.get(key, value) != value
        ]
        if values.get("inducing_choice") == "own" or values.get("lengthscale") == "own":
            key = "inducing_choice" if values.get("inducing_choice") == "own" else "lengthscale"
            problems.append((key, '"own" not where classes are learned: agents start from one pilot sample, all alike'))
        return problems or super().conflicts(values)


class ClassFusionSettings(FusionSettings):
    """How what the agents learned apart becomes one model; further keys are the fields of the chosen rule."""

    rule: Annotated[str, Names(lambda: tuple(SUM_RULES))] = Field(
        default="tree", description="the rule that sums what agents know: others fuse predictions of numbers"
    )

    @classmethod
    def names(cls) -> Iterable[str]:
        """Rules that sum."""
        return SUM_RULES


class ClassRunSettings(RunSettings):
    """How long to run, and what to look at."""

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse what `coolgp animate` would draw: it draws numbers."""
        kept = [("keep_predictions", "not where classes are learned: what is drawn of it are numbers; leave it out")]
        return [*super().conflicts(values), *(kept if values.get("keep_predictions") else [])]
