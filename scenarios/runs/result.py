"""What a run returns in Python: its records, tables, model, figures and report."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cached_property
from html import escape
from io import BytesIO
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any
from weakref import finalize

import numpy as np

from coolgp.scenarios.base.environment import current_environment
from coolgp.scenarios.base.formatting import counted
from coolgp.scenarios.metrics.column import METRICS, PROBES
from coolgp.scenarios.records.model import SavedModel, load_model, model_of
from coolgp.scenarios.records.run_folder import is_finished, read_run
from coolgp.scenarios.records.tables import texts
from coolgp.scenarios.runs.model_arrays import model_arrays
from coolgp.scenarios.runs.recorder import Recorder
from coolgp.scenarios.runs.tabled import Tabled, TableRows
from coolgp.scenarios.simulation.state import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["RunResult"]

SHOWN = ("round", "rmse_pre", "rmse_post", "nlpd_post", "coverage95_post", "bytes")
"""Columns of the table that a notebook shows."""


class RunResult(list[Record]):
    """The records of a run's rounds, as a list; and what they say as tables, a model, figures and a report.

    folder: the run folder, None of a run that wrote nothing (``save`` writes it). Under MPI the result of the root has
    all of it, and those of other ranks nothing.
    """

    def __init__(self, folder: Path | None, tabled: Tabled | None = None) -> None:
        super().__init__()
        self.folder, self._tabled = folder, tabled
        self._rows: TableRows = {}
        self._temporary: Path | None = None

    def add(self, record: Record, rows: TableRows) -> None:
        """Take in a round; rows: of its tables."""
        self.append(record)
        for name, of_round in rows.items():
            self._rows.setdefault(name, []).extend(of_round)

    @cached_property
    def metrics(self) -> Any:
        """``metrics.csv``, a row a round: a data frame where pandas is installed, else arrays ``[R]`` by column."""
        return self._table(METRICS)

    @cached_property
    def probes(self) -> Any:
        """``probes.csv``, a row for each round and evaluated agent; as `metrics`."""
        return self._table(PROBES)

    @cached_property
    def model(self) -> SavedModel:
        """What the evaluated agents ended with. Raises ValueError for a rule that leaves them no evidence."""
        if self.folder is not None:
            return load_model(self.folder)
        tabled, probed = self._tabled, self[-1].probed if self else None
        if tabled is None or probed is None:
            raise ValueError("this result has no rounds: under MPI that of the root has them")
        return model_of(model_arrays(tabled.simulation, probed, tabled.labels), "this run")

    def predict(self, x: Any, return_std: bool = False, agent: str | None = None) -> Any:
        """Mean ``[Q]`` of observations at x ``[Q, D]``, with return_std also their standard deviation ``[Q]``.

        x, agent and errors: as of :meth:`coolgp.scenarios.records.model.SavedModel.predict`.
        """
        forecast = self.model.predict(x, agent)
        return (forecast.mean, np.sqrt(forecast.variance)) if return_std else forecast.mean

    def save(self, folder: str | Path) -> Path:
        """Write the run folder of a run that wrote none, as ``run(..., out=folder)`` would have.

        Raises ValueError where the folder holds something already, or this result has no rounds.
        """
        path, tabled = Path(folder), self._tabled
        if tabled is None or not self or self[-1].probed is None:
            raise ValueError("save needs the result of a run with rounds")
        if path.exists() and any(path.iterdir()):
            raise ValueError(f"{path} is not empty: save needs a new folder")
        recorder = Recorder(path, tabled, current_environment(tabled.simulation.transport.ranks))
        recorder.add(self._rows)
        recorder.finish(self[-1], {})
        recorder.settle()
        return path

    def plot(self, figure: str = "convergence") -> Figure | None:
        """A figure of the run by its name, as a matplotlib figure; None where it would say nothing of this run.

        Raises ValueError for a name that there is none of.
        """
        from coolgp.scenarios.plots.run_figures import FIGURES  # drawing loads only for what draws
        from coolgp.scenarios.plots.style import house_style

        if figure not in FIGURES:
            raise ValueError(f"plot needs one of {', '.join(FIGURES)}; got {figure!r}")
        with house_style():
            return FIGURES[figure].draw(read_run(self._written()))

    def report(self) -> Path:
        """The path of the report, which is drawn where the run folder has none."""
        from coolgp.scenarios.runs.drawn import draw_run

        path = self._written() / "report.html"
        if not path.is_file():
            draw_run(path.parent)
        return path

    def __repr__(self) -> str:
        where = "" if self.folder is None else f", in {self.folder}"
        return f"RunResult({counted(len(self), 'round')}{where})"

    def _repr_html_(self) -> str:
        """The last rows of the metrics and the first figure, for a notebook."""
        if not (self or self.folder):
            return escape(repr(self))
        picture = "".join(f'<img src="data:image/png;base64,{code}">' for code in self._pictures())
        return f"<p>{escape(repr(self))}</p>{_html_table(self._columns(METRICS))}{picture}"

    def _pictures(self) -> list[str]:
        """The first figure, in base64: that of the folder, or one that is drawn; none where there is none."""
        if self.folder is not None:
            contents = [path.read_bytes() for path in sorted(self.folder.glob("*.png"))]
        else:
            figure = self.plot()
            contents = [] if figure is None else [_png(figure)]
        return [base64.b64encode(content).decode() for content in contents[:1]]

    def _table(self, name: str) -> Any:
        columns = self._columns(name)
        try:
            import pandas
        except ImportError:
            return {column: np.asarray(cells) for column, cells in columns.items()}
        return pandas.DataFrame(columns)

    def _columns(self, name: str) -> Mapping[str, list[Any]]:
        if self.folder is not None:
            return {column: list(map(_cell, cells)) for column, cells in texts(self.folder / name, ()).items()}
        rows = self._rows.get(name, [])
        return {column: [row[column] for row in rows] for column in (rows[0] if rows else {})}

    def _written(self) -> Path:
        """A folder with this run: its own, or one that lasts as long as this result."""
        if self.folder is not None and is_finished(self.folder):
            return self.folder
        if self._temporary is None:
            place = mkdtemp(prefix="coolgp-")
            finalize(self, rmtree, place, ignore_errors=True)
            self._temporary = self.save(Path(place) / "run")
        return self._temporary


def _cell(text: str) -> Any:
    """A number where it is one; NaN of an empty cell."""
    try:
        return float(text) if text.strip() else np.nan
    except ValueError:
        return text


def _html_table(columns: Mapping[str, list[Any]]) -> str:
    shown = [name for name in SHOWN if name in columns] or list(columns)[: len(SHOWN)]
    rows = list(zip(*(columns[name] for name in shown), strict=True))[-5:]
    head = "".join(f"<th>{escape(name)}</th>" for name in shown)
    body = "".join("<tr>" + "".join(f"<td>{_shown(value)}</td>" for value in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else escape(str(value))


def _png(figure: Figure) -> bytes:
    content = BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()
