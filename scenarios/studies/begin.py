"""Making a folder that of a study, and removing what another study left there."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from coolgp.scenarios.base.files import write_whole
from coolgp.scenarios.runs.removal import remove_run
from coolgp.scenarios.studies.folder import FAILED, STORED, read_stored
from coolgp.scenarios.studies.study import Study

__all__ = ["begin"]


def begin(study: Study, folder: Path) -> None:
    """Make the folder that of this study. On the root."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = folder / STORED
    if stored.is_file() and stored.read_text(encoding="utf-8") == study.text:
        return
    if stored.is_file():
        _remove_others(study, folder)
    write_whole(stored, study.text.encode())


def _remove_others(study: Study, folder: Path) -> None:
    """Remove what a study that is replaced left and this one does not write anew: figures, report, other cells."""
    for name in ("study.png", "reliability.png", "report.html"):
        (folder / name).unlink(missing_ok=True)
    for name in set(read_stored(folder)["cells"]) - {cell.folder for cell in study.cells}:
        place = folder / "cells" / name
        remove_run(place)
        (place / FAILED).unlink(missing_ok=True)
        (folder / "scenarios" / f"{name}.toml").unlink(missing_ok=True)
        with suppress(OSError):  # never begun, or it holds files of the user's
            place.rmdir()
