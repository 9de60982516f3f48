"""The sections of scenarios of tasks that nobody has seen: [few_shot], and [run] as it is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from coolgp.scenarios.config.constraints import Names
from coolgp.scenarios.config.section import Count, Settings
from coolgp.scenarios.config.sources import image_sources

__all__ = ["FewShotRunSettings", "FewShotSettings"]

Situation = Literal["unseen", "seen", "poor pool"]


def _methods() -> tuple[str, ...]:
    from coolgp.fusion.prototypes.studies.methods import FEW_SHOT_METHODS  # for scenarios of this kind alone

    return tuple(FEW_SHOT_METHODS)


class FewShotSettings(Settings):
    """Tasks of a few classes, each with a few examples, beside experts for other classes."""

    source: Annotated[str, Names(image_sources)] = Field(
        default="digits", description="labelled images that tasks are drawn from"
    )
    situations: Annotated[tuple[Situation, ...], Strict(False), Field(min_length=1)] = Field(
        default=("unseen", "seen", "poor pool"),
        description="whether experts know the classes of a task, and whether the pool has rows of them",
    )
    shots: Annotated[tuple[Count, ...], Strict(False), Field(min_length=1)] = Field(
        default=(1, 5), description="examples of each class; a row of metrics.csv for each, in each situation"
    )
    methods: Annotated[tuple[Annotated[str, Names(_methods)], ...], Strict(False), Field(min_length=1)] = Field(
        default=("background", "embedding", "few_shot", "spreading", "experts_sum", "experts_max", "maml"),
        description="what is compared; the first is compared with each of the others",
    )
    experts: Count = Field(default=2, description="networks that share the classes beside the task's")
    ways: int = Field(default=2, ge=2, description="classes of a task")
    pool: Count = Field(default=500, description="rows without labels")
    private: Count = Field(default=700, description="rows of the experts together")

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse what is given twice."""
        lists = {key: values.get(key, ()) for key in ("situations", "shots", "methods")}
        return [
            (key, f"needed each value once; got {value!r} twice")
            for key, given in lists.items()
            for place, value in enumerate(given)
            if value in given[:place]
        ]


class FewShotRunSettings(Settings):
    """How many draws, and the seed."""

    repeats: Count = Field(default=10, description="draws of a task in each situation; metrics.csv has means over them")
    seed: int = Field(default=0, ge=0, description="everything random follows from it")
