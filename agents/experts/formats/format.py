"""What a format of model files is, and the errors that all of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["Format", "library"]


@dataclass(frozen=True)
class Format:
    """A format of model files.

    words: what is in such a file. read: from a path to a model that :func:`coolgp.agents.experts.adapters.expert_of`
    takes; raises ValueError with one sentence that leaves the path out. write: a model into a path, with a few short
    texts by name beside it; raises TypeError where the format has no place for such a model; None where nothing is
    written in it.
    """

    words: str
    read: Callable[[Path], Any]
    write: Callable[[Path, Any, dict[str, str]], None] | None = None


def library(module: str, extra: str) -> ModuleType:
    """A library that an extra of this package brings. Raises ValueError with the line that installs it."""
    try:
        return import_module(module)
    except ImportError as problem:
        needed = module.partition(".")[0]
        raise ValueError(f'needs {needed}, which is not installed: pip install "coolgp[{extra}]"') from problem
