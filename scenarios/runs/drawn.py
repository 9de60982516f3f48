"""The figures and the report of a finished run, from its folder alone."""

from __future__ import annotations

from pathlib import Path

from coolgp.scenarios.records.run_folder import read_run

__all__ = ["draw_run"]


def draw_run(folder: Path) -> list[Path]:
    """Draw all figures of a finished run and write its report, from its folder alone; their paths."""
    from coolgp.scenarios.plots.run_figures import draw_all  # drawing loads only for what draws
    from coolgp.scenarios.plots.run_report import write_report

    read = read_run(folder)
    figures = draw_all(read)
    return [*figures.values(), write_report(read, figures)]
