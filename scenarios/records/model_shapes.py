"""What the arrays of a ``model.npz`` must be for predictions to mean something: names, kinds, shapes, finite values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coolgp.agents.parameters import Layout

__all__ = ["check_arrays"]

Arrays = Mapping[str, NDArray[Any]]
Shape = tuple[int, ...]

TEXTS = ("features", "agents", "basis")
OF_INDUCING = ("shared", "coordinates")
"""Texts that models with inducing inputs have as well."""
FLAGS = ("full", "uncertain")
POSITIVE = ("x_scale", "y_scale", "jitter")


def check_arrays(path: str | Path, arrays: Arrays) -> None:
    """Raise ValueError, in one sentence, with everything that is not as a run writes it."""
    waves = str(arrays.get("basis")) == "rff"
    texts = TEXTS if waves else (*TEXTS, *OF_INDUCING)
    missing = [name for name in (*texts, *FLAGS) if name not in arrays]
    problems = [f"it lacks {', '.join(missing)}"] if missing else []
    problems += [] if missing else [*_wrong_kinds(arrays, texts)] or [*_wrong_numbers(arrays)]
    if problems:
        raise ValueError(f"{path}: is damaged, or no model of a run: {'; '.join(problems)}")


def _wrong_kinds(arrays: Arrays, texts: tuple[str, ...]) -> list[str]:
    """Of the arrays from which the shapes of all others follow."""
    shapes = {name: (-1,) if name in ("features", "agents") else () for name in (*texts, *FLAGS)}
    problems = []
    for name, shape in shapes.items():
        kinds = "U" if name in texts else "b"
        if arrays[name].dtype.kind not in kinds or arrays[name].ndim != len(shape) or not arrays[name].size:
            what = "texts" if kinds == "U" else "true or false"
            problems.append(f"{name} needed {what}, got {arrays[name].dtype} {list(arrays[name].shape)}")
    return problems


def _wrong_numbers(arrays: Arrays) -> list[str]:
    problems = []
    for name, shape in _shapes(arrays).items():
        if name not in arrays:
            problems.append(f"it lacks {name}")
        elif arrays[name].dtype.kind not in "fiu" or arrays[name].shape != shape:
            got = f"{arrays[name].dtype} {list(arrays[name].shape)}"
            problems.append(f"{name} needed numbers {list(shape)}, got {got}")
        elif not np.isfinite(arrays[name]).all():
            problems.append(f"{name} holds values that are not finite")
        elif name in POSITIVE and not (arrays[name] > 0).all():
            problems.append(f"{name} needed positive values")
    return problems


def _shapes(arrays: Arrays) -> dict[str, Shape]:
    """The shapes ``[...]`` that follow from the names of inputs ``D`` and agents, and from the basis of ``M``."""
    inputs, probes = len(arrays["features"]), len(arrays["agents"])
    layout = Layout(inputs, bool(arrays["full"]), bool(arrays["uncertain"]))
    waves = str(arrays["basis"]) == "rff"
    points = arrays.get("waves" if waves else "inducing_points", np.empty(0))
    size = len(points) * (2 if waves else 1) if points.ndim else 0
    shapes: dict[str, Shape] = {"x_mean": (inputs,), "x_scale": (inputs,), "y_mean": (), "y_scale": ()}
    shapes |= {"theta": (probes, layout.size), "waves" if waves else "inducing_points": (len(points), inputs)}
    shapes |= {} if waves else {"jitter": (), "reference_projection": (inputs, inputs)}
    return shapes | {
        "precision": (probes, size, size),
        "shift": (probes, size),
        "square": (probes,),
        "count": (probes,),
    }
