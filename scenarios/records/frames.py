"""What a few probes predicted round by round, where a run was asked to keep it: a file for each round."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.records.tables import arrays_of

__all__ = ["FRAMES", "Frames", "frame_path", "frame_paths", "read_frames"]

FRAMES = "frames"
"""The folder of the files, in that of the run."""


@dataclass(frozen=True)
class Frames:
    """Predictions of some probes at inputs that show the domain, original units; a variance is latent plus noise."""

    rounds: Ints
    """`[R]`"""
    agents: tuple[str, ...]
    """`[kept]`"""
    x: Floats
    """`[V,D]`"""
    mean_pre: Floats
    """`[R,kept,V]`, from the agent's own observations alone."""
    variance_pre: Floats
    """`[R,kept,V]`"""
    mean_post: Floats
    """`[R,kept,V]`, after the exchange."""
    variance_post: Floats
    """`[R,kept,V]`"""


def frame_path(folder: Path, number: int) -> Path:
    """The file of a round, from 1, in the folder of frames."""
    return folder / f"round-{number:06d}.npz"


def frame_paths(folder: Path) -> dict[int, Path]:
    """The files that are there, by their rounds, in order."""
    named = ((re.fullmatch(r"round-(\d{6,})\.npz", path.name), path) for path in folder.glob("round-*.npz"))
    return dict(sorted((int(match[1]), path) for match, path in named if match))


def read_frames(run: Path) -> Frames | None:
    """What a run kept of its rounds; None where it kept nothing. Raises ValueError where files do not fit together."""
    paths = frame_paths(run / FRAMES)
    if not paths:
        return None
    names = [field.name for field in fields(Frames) if field.name != "rounds"]
    rounds = [arrays_of(path, names) for path in paths.values()]
    agents = [tuple(map(str, arrays["agents"])) for arrays in rounds]
    apart = [
        path
        for path, arrays, labels in zip(paths.values(), rounds, agents, strict=True)
        if labels != agents[0] or not np.array_equal(arrays["x"], rounds[0]["x"])
    ]
    if apart:
        raise ValueError(f"{apart[0]} is not of the same run as {next(iter(paths.values()))}: agents or inputs differ")
    stacked = {name: np.stack([arrays[name] for arrays in rounds]).astype(np.float64) for name in names[2:]}
    return Frames(rounds=np.array(list(paths)), agents=agents[0], x=rounds[0]["x"], **stacked)
