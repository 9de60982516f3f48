"""Where a run is written: what its folder is called, and which are refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import chain, count
from pathlib import Path

from coolgp.network.launcher import launched_rank
from coolgp.scenarios.base.lock import check_place, claimed, contents
from coolgp.scenarios.base.mpiexec import agreed
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.records.guarantee import GUARANTEE, GUARANTEE_BEFORE

__all__ = ["check_folder", "claimed_folder", "default_folder"]


@contextmanager
def default_folder(scenario: Scenario) -> Iterator[Path]:
    """``runs/<time>-<name>-<hash>`` below the working folder, made by this process alone; removed if it stays empty.

    Collective: all ranks have the root's.
    """
    place = Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S}-{scenario.name}-{scenario.hash8()}"
    if launched_rank() == 0:
        places = chain([place], (place.with_name(f"{place.name}-{number}") for number in count(2)))
        place = next(other for other in places if _makes(other))
    place = Path(agreed(str(place)))
    try:
        yield place
    finally:
        with suppress(OSError):  # it holds a run, or another rank has removed it
            place.rmdir()
            place.parent.rmdir()


def _makes(place: Path) -> bool:
    """Make a folder; whether there was none."""
    check_place(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.mkdir()
    except FileExistsError:
        return False
    return True


@contextmanager
def claimed_folder(folder: Path, *, overwrite: bool) -> Iterator[None]:
    """Claim a folder for a run before anything is written there. Errors as `claimed` and `check_folder`."""
    with claimed(folder):
        check_folder(folder, overwrite=overwrite)
        yield


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a place where a run cannot be written. Raises ValueError saying why and what to do."""
    check_place(folder)
    names = contents(folder)
    is_run = "metrics.csv" in names or ("config.toml" in names and names & {GUARANTEE, GUARANTEE_BEFORE})
    if names and not is_run:
        raise ValueError(f"{folder}: holds files, but no run: take another --out")
    if names and not overwrite:
        raise ValueError(f"{folder}: there is a run already: take another --out, or --overwrite to replace it")
