"""``.skops``: fitted scikit-learn models; files that name types nobody vouches for are refused."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from coolgp.agents.experts.formats.format import Format, library

__all__ = ["SKOPS"]

TRUSTED = (
    "coolgp.agents.",
    "sklearn.gaussian_process.kernels.",
    "sklearn.neural_network._stochastic_optimizers.",  # of every perceptron that was fitted
)
"""Where types stand that are trusted beside those that skops trusts: plain records of numbers."""


def read(path: Path) -> Any:
    """The fitted model in a file of trusted types."""
    skops = library("skops.io", "skops")
    try:
        untrusted = skops.get_untrusted_types(file=path)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as problem:
        raise ValueError(f"is no readable skops file ({problem})") from problem
    foreign = [name for name in untrusted if not name.startswith(TRUSTED)]
    if foreign:
        named = ", ".join(sorted(foreign))
        raise ValueError(f"names types that skops does not trust: {named}; hand such a model over as .onnx")
    try:
        return skops.load(path, trusted=untrusted)
    except Exception as problem:  # whatever is wrong inside of a damaged file: skops promises no kind of error
        raise ValueError(f"is damaged, or of other versions ({problem})") from problem


def write(path: Path, model: Any, texts: dict[str, str]) -> None:
    """Store a fitted model."""
    if not hasattr(model, "fit"):
        raise TypeError("skops files hold scikit-learn models alone")
    library("skops.io", "skops").dump(model, path)


SKOPS = Format("a fitted scikit-learn model of trusted types", read, write)
