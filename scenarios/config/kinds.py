"""How each kind of scenario is written: the record of its sections, by the name of the kind.

What a kind does with them stands in `coolgp.scenarios.experiments`. A kind that is written in the sections of the loop
of rounds takes `Scenario` as it is.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from coolgp.scenarios.config.scenario import DEFAULT_KIND, Scenario
from coolgp.scenarios.config.section import Settings

__all__ = ["SCENARIOS", "BesideSettings", "SideBySideScenario"]


class BesideSettings(Settings):
    """The study whose figure stands beside that of this scenario's own run."""

    scenario: str = Field(default="lossy", description="a study that comes with the package")
    set: Annotated[tuple[str, ...], Strict(False)] = Field(
        default=(), description="its keys, as after --set: section.key=value"
    )
    run: str = Field(
        default="disparity",
        pattern=r"^[\w.-]+$",
        description="what this scenario's own run is called, and so the folder it is kept in",
    )


class SideBySideScenario(Scenario):
    """A run, and a study beside it."""

    beside: BesideSettings = BesideSettings()


SCENARIOS: dict[str, type[Scenario]] = {
    DEFAULT_KIND: Scenario,
    "timing": Scenario,
    "side-by-side": SideBySideScenario,
}
