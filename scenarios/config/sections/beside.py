"""The section [beside] of scenarios of the kind "side-by-side"."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from coolgp.scenarios.config.section import Settings

__all__ = ["BesideSettings"]


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
