"""What the section [agents] may say of inducing inputs that join in a run, ``inducing_most``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["extension_problem"]


def extension_problem(values: Mapping[str, Any]) -> str:
    """Why inducing inputs cannot be added during a run, empty where they can or need not."""
    most, first = values.get("inducing_most"), values.get("inducing", 0)
    if most is None:
        return ""
    if most < first:
        return f"needed at least agents.inducing, {first}, of which there can be more; got {most}"
    needed = {"shared": "function", "encoding": "transport", "coordinates": "whitened"}
    missing = [f'{key} = "{value}"' for key, value in needed.items() if values.get(key, value) != value]
    why = "only then is evidence about fewer inducing inputs evidence about more"
    return f"above agents.inducing it needs {' and '.join(missing)}: {why}; leave it out" if missing else ""
