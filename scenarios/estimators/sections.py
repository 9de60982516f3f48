"""Parameters of an estimator as sections of a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["with_settings"]


def with_settings(
    sections: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any] | None
) -> dict[str, dict[str, Any]]:
    """Sections with further keys, ``{"network.loss": 0.1}``. Raises ValueError for keys of no section.

    >>> with_settings({"fusion": {"rule": "pfnm"}}, {"fusion.sweeps": 2})
    {'fusion': {'rule': 'pfnm', 'sweeps': 2}}
    """
    result = {section: dict(keys) for section, keys in sections.items()}
    for dotted, value in (settings or {}).items():
        section, mark, key = str(dotted).partition(".")
        if not mark:
            raise ValueError(f'settings needs keys such as "network.loss"; got {dotted!r}')
        result.setdefault(section, {})[key] = value
    return result
