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
    from coolgp.scenarios.assembly import assemble
    from coolgp.scenarios.catalogue import scenario_named
    from coolgp.scenarios.config import load_scenario
    from coolgp.scenarios.model_file import load_model
    from coolgp.scenarios.resuming import resume
    from coolgp.scenarios.rounds import Record, simulate
    from coolgp.scenarios.running import run
    from coolgp.scenarios.settings import Scenario

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
    "Record": "rounds",
    "Scenario": "settings",
    "assemble": "assembly",
    "load_model": "model_file",
    "load_scenario": "config",
    "resume": "resuming",
    "run": "running",
    "scenario_named": "catalogue",
    "simulate": "rounds",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"coolgp.scenarios.{_HOMES[name]}"), name)
