"""Scenarios: data, settings, the loop of rounds, records and figures; and how to run them from Python.

    from coolgp.scenarios import load_model, load_scenario, run
    records = run(load_scenario("study.toml"), out="runs/study")
    forecast = load_model("runs/study").predict(x)

Names are imported when they are first asked for, so that the command line starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coolgp.scenarios.config.catalogue import scenario_named
    from coolgp.scenarios.config.loading import load_scenario
    from coolgp.scenarios.config.scenario import Scenario
    from coolgp.scenarios.records.model import load_model
    from coolgp.scenarios.runs.resume import resume
    from coolgp.scenarios.runs.run import run
    from coolgp.scenarios.simulation.assembly import assemble
    from coolgp.scenarios.simulation.rounds import Record, simulate

__all__ = [
    "Record",
    "Scenario",
    "assemble",
    "load_model",
    "load_scenario",
    "resume",
    "run",
    "scenario_named",
    "simulate",
]

_HOMES = {
    "Record": "simulation.rounds",
    "Scenario": "config.scenario",
    "assemble": "simulation.assembly",
    "load_model": "records.model",
    "load_scenario": "config.loading",
    "resume": "runs.resume",
    "run": "runs.run",
    "scenario_named": "config.catalogue",
    "simulate": "simulation.rounds",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"coolgp.scenarios.{_HOMES[name]}"), name)
