"""The section [fusion]: the rule, its number of communication rounds, and the options of the rule itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field
from pydantic.fields import FieldInfo

from coolgp.fusion.apart.registry import APART_RULES, apart_rule_named
from coolgp.fusion.registry import FORMER_NAMES, RULES, rule_class, rule_named
from coolgp.scenarios.config.constraints import Names
from coolgp.scenarios.config.options import ChosenSettings, options_of
from coolgp.scenarios.config.section import Count, Settings

__all__ = ["ApartFusionSettings", "FusionSettings", "SumsSettings", "rule_options"]


def _carriers() -> tuple[str, ...]:
    from coolgp.fusion.sums.carrier import Via  # for scenarios whose owners sum alone

    return get_args(Via)


class FusionSettings(ChosenSettings):
    """How what the agents learned apart becomes one model; further keys are the fields of the chosen rule."""

    section: ClassVar[str] = "fusion"
    choice: ClassVar[str] = "rule"

    rule: Annotated[str, Names(lambda: tuple(RULES), own=True, former=FORMER_NAMES)] = Field(
        default="tree", description="the fusion rule"
    )
    rounds_per_step: Count | Literal["converge"] = Field(
        default="converge", description="communication rounds after each round of learning, or until the fixed point"
    )
    every: Count = Field(
        default=1,
        description="rounds of learning from one exchange to the next; in between agents only collect, which is cheap",
    )

    @classmethod
    def names(cls) -> Iterable[str]:
        """All rules."""
        return RULES

    @classmethod
    def options_named(cls, name: str) -> dict[str, FieldInfo] | None:
        """See :func:`rule_options`."""
        return rule_options(name)

    @classmethod
    def made(cls, name: str, options: Mapping[str, Any]) -> object:
        """The rule."""
        return rule_named(name, options)


class ApartFusionSettings(ChosenSettings):
    """How models that were trained apart become one prediction; further keys are the fields of the chosen rule."""

    section: ClassVar[str] = "fusion"
    choice: ClassVar[str] = "rule"

    rule: Annotated[str, Names(lambda: tuple(APART_RULES))] = Field(
        default="ensemble", description="the rule that fuses models trained apart"
    )
    rounds_per_step: Count | Literal["converge"] = Field(
        default="converge", description="communication rounds between neighbours in each round, or until all agree"
    )

    @classmethod
    def names(cls) -> Iterable[str]:
        """All rules of this kind."""
        return APART_RULES

    @classmethod
    def options_named(cls, name: str) -> dict[str, FieldInfo] | None:
        """The fields of a rule."""
        return options_of(APART_RULES[name]) if name in APART_RULES else None

    @classmethod
    def made(cls, name: str, options: Mapping[str, Any]) -> object:
        """The rule."""
        return apart_rule_named(name, options)


class SumsSettings(Settings):
    """How sums that owners form again and again travel between them."""

    rule: Annotated[str, Names(_carriers)] = Field(
        default="tree", description="the rule that carries the owners' sums over the graph"
    )
    rounds_per_step: Count | Literal["converge"] = Field(
        default="converge", description="communication rounds for each sum, or until it is exact"
    )


def rule_options(rule: str) -> dict[str, FieldInfo] | None:
    """The options of a rule: the fields of its dataclass, but for those that it fits to the network itself.

    A field that `fit` fills in has the metadata ``{"fitted": True}``. None where the rule cannot be loaded here: a run
    is refused then, and a finished run can be read without it.

    >>> sorted(rule_options("tree"))
    ['look_every', 'most', 'tolerance']
    """
    try:
        return options_of(rule_class(rule))
    except (ValueError, NameError):
        return None
