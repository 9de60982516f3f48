"""What the sections of a scenario have in common: frozen records that refuse unknown keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator
from pydantic.fields import FieldInfo

__all__ = ["AddedLater", "Columns", "Count", "Natural", "Positive", "Positives", "Settings", "Share", "added_later"]

Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Columns = Annotated[tuple[str, ...], Strict(False), Field(min_length=1)]  # TOML has lists, no tuples
Positives = Annotated[tuple[Positive, ...], Strict(False), Field(min_length=1)]


@dataclass(frozen=True)
class AddedLater:
    """Marks a key or section that other versions lack: with its default it is not part of a hash, so hashes stay.

    before: what versions without the key did, where that is not what the default says: run folders of theirs go on so.
    """

    before: Any = None


def added_later(info: FieldInfo, value: Any) -> bool:
    """Whether a key or section is marked so and has its default."""
    return any(isinstance(mark, AddedLater) for mark in info.metadata) and bool(value == info.default)


class Settings(BaseModel):
    """One section of a scenario."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def keys(cls, values: Mapping[str, Any]) -> dict[str, FieldInfo]:
        """The keys that this section takes, where some come with the values of others."""
        return dict(cls.model_fields)

    def unhashed(self) -> set[str]:
        """The keys that are not part of a scenario's hash."""
        return {key for key, info in type(self).model_fields.items() if added_later(info, getattr(self, key))}

    def hashed_as(self) -> dict[str, Any]:
        """What stands in a scenario's hash in place of values that say the same in other words."""
        return {}

    @classmethod
    def before(cls) -> dict[str, Any]:
        """What versions without some keys did in place of these, where that is not what their defaults say."""
        marks = ((key, mark) for key, info in cls.model_fields.items() for mark in info.metadata)
        return {key: mark.before for key, mark in marks if isinstance(mark, AddedLater) and mark.before is not None}

    @classmethod
    def refused(cls, values: Mapping[str, Any]) -> dict[str, str]:
        """Return {key: kind of mistake} for the keys that depend on the values of others."""
        return {}

    @classmethod
    def hint(cls, key: str, values: Mapping[str, Any]) -> str:
        """A hint about an unknown key that other values would allow; empty where there are none."""
        return ""

    @classmethod
    def completed(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Fill in defaults that follow from other keys."""
        return values

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return (key, complaint) for keys that do not go together; `values` leaves out keys that are wrong anyway."""
        return []

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        return cls.completed(dict(values)) if isinstance(values, Mapping) else values

    @model_validator(mode="after")
    def _agree(self) -> Settings:
        conflicts = self.conflicts(self.__dict__ | (self.__pydantic_extra__ or {}))
        if conflicts:
            raise ValueError("; ".join(f"{key}: {complaint}" for key, complaint in conflicts))
        return self
