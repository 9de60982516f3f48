"""Where a run is written: what its folder is called, and which are refused."""

from __future__ import annotations

import os
from datetime import datetime
from itertools import count
from pathlib import Path

from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.records.guarantee import GUARANTEE, GUARANTEE_BEFORE

__all__ = ["check_folder", "default_folder"]


def default_folder(scenario: Scenario) -> Path:
    """``runs/<time>-<name>-<hash>`` below the working folder."""
    place = Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S}-{scenario.name}-{scenario.hash8()}"
    others = (place.with_name(f"{place.name}-{number}") for number in count(2))
    return place if not place.exists() else next(other for other in others if not other.exists())


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a place where a run cannot be written. Raises ValueError saying why and what to do."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    is_run = "metrics.csv" in names or ("config.toml" in names and names & {GUARANTEE, GUARANTEE_BEFORE})
    if names and not is_run:
        raise ValueError(f"{folder}: holds files, but no run: take another --out")
    if names and not overwrite:
        raise ValueError(f"{folder}: there is a run already: take another --out, or --overwrite to replace it")
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder}: needed a folder to write to; this is a file: take another --out")
    parent = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not parent.is_dir():
        raise ValueError(f"{folder}: {parent} is a file: take another --out")
    if not os.access(parent, os.W_OK):
        raise ValueError(f"{folder}: no permission to write in {parent}: take another --out")
