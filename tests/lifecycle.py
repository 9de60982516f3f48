"""All that is done with a scenario: it is planned, run, stopped, gone on with, drawn and reported."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from coolgp.scenarios import resume, run
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.planning.limits import loaded
from coolgp.scenarios.planning.memory import estimate
from coolgp.scenarios.plots.run_figures import draw_all
from coolgp.scenarios.plots.run_report import write_report
from coolgp.scenarios.records.run_folder import read_metrics, read_run
from coolgp.scenarios.simulation.state import Record


def stop_after(rounds: int) -> Callable[[Record, object], None]:
    """Interrupt a run after so many rounds."""

    def stop(record: Record, row: object) -> None:
        if record.round == rounds:
            raise KeyboardInterrupt

    return stop


def live(scenario: Scenario, folder: Path) -> None:
    """Plan, run, stop, resume, plot and report a scenario; what was stopped ends where a run without a stop does."""
    assert estimate(scenario, dataset=loaded(scenario)).peak.bytes > 0
    run(scenario, folder / "through", figures=False)
    with pytest.raises(KeyboardInterrupt):
        run(scenario, folder / "stopped", figures=False, watch=stop_after(2))
    resume(folder / "stopped", figures=False)
    through, stopped = read_metrics(folder / "through"), read_metrics(folder / "stopped")
    for name in set(through) - {"seconds", "seconds_predicting"}:
        np.testing.assert_array_equal(through[name], stopped[name], err_msg=name)
    figures = draw_all(read_run(folder / "through"))
    assert {"convergence", "network"} <= figures.keys()
    assert write_report(read_run(folder / "through"), figures).stat().st_size > 1000
