"""What the section [agents] may say with random Fourier features, ``basis = "rff"``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["fourier_conflicts"]

REFUSED = {
    "shared": ("function", "the weights of random features in the function are what agents have in common"),
    "coordinates": ("whitened", "random features are whitened as they are"),
    "encoding": ("transport", "the waves stay as they were drawn, and nothing that was encoded grows old"),
    "projection": ("diagonal", "the waves stay as they were drawn, and no projection is learned"),
    "projection_std": (0.0, "the waves stay as they were drawn, and no projection is learned"),
    "inducing_most": (None, "there are no inducing inputs"),
    "inducing_choice": ("conditional-variance", "there are no inducing inputs"),
}
"""Keys of the section [agents] that say nothing of random features, the one value that they take, and why."""


def fourier_conflicts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Keys of the section [agents] that contradict random features, and an odd number of these; with complaints."""
    found = [
        (key, f'not with basis = "rff": {why}; leave it out')
        for key, (value, why) in REFUSED.items()
        if values.get(key, value) != value
    ]
    features = values.get("inducing")
    if isinstance(features, int) and features % 2:
        why = 'with basis = "rff" there is a cosine and a sine of each wave'
        found.append(("inducing", f"needed an even number, for {why}; got {features}"))
    return found
