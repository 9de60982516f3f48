"""Ctrl-C and SIGTERM in runs of models trained apart: on one rank at once, on several together, and they go on."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from coolgp.scenarios.base.signals import Terminated, obeyed
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.experiments.apart import training
from coolgp.scenarios.experiments.run import resume, run
from coolgp.scenarios.records.run_folder import is_finished

from tests.run_folders import timeless

DIGITS: dict[str, Any] = {
    "kind": "experts",
    "data": {"source": "digits", "partition": "dirichlet-classes", "test_count": 300},
    "experts": {"model": "mlp", "count": 4, "hidden": [10], "epochs": 3},
    "fusion": {"rule": "pfnm", "local_epochs": 1},
    "network": {"topology": "ring"},
    "run": {"rounds": 3},
}
PROGRAM = """
import signal
import sys
from coolgp.network.mpi import world
from coolgp.scenarios.cli.app import main
from coolgp.scenarios.experiments.apart import training

real = training._model

def once(*arguments):
    training._model = real
    signal.raise_signal(signal.SIGTERM)
    return real(*arguments)

if world().rank == 1:  # the other rank hears of it from this one
    training._model = once
main(sys.argv[1:])
"""


def test_sigterm_ends_training_at_once_says_how_to_start_again_and_what_is_trained_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "run"
    run(load_scenario(DIGITS), whole, figures=False)
    before = signal.getsignal(signal.SIGTERM)
    real, signals = training._model, iter([signal.SIGTERM])  # a second one, after the run, would end the tests

    def stopped(*given: Any) -> Any:
        model = real(*given)
        for number in signals:
            signal.raise_signal(number)
        return model

    with monkeypatch.context() as patched:
        patched.setattr(training, "_model", stopped)
        with pytest.raises(Terminated, match=f"stopped; start again with: coolgp resume {out}") as stop:
            run(load_scenario(DIGITS), out, figures=False)
    assert stop.value.code == 143
    assert signal.getsignal(signal.SIGTERM) == before
    assert list((out / "experts").iterdir())
    resume(out, figures=False)
    assert timeless(out / "metrics.csv") == timeless(whole / "metrics.csv")


def test_a_handler_of_somebody_else_stays() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with obeyed():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


def test_a_signal_to_one_rank_ends_all_of_them_and_the_run_goes_on(
    tmp_path: Path, on_ranks: Callable[..., CompletedProcess[str]]
) -> None:
    out = tmp_path / "run"
    (tmp_path / "study.toml").write_text(load_scenario(DIGITS).to_toml())
    done = on_ranks(2, PROGRAM, "run", tmp_path / "study.toml", "--out", out, "--no-figures")
    assert done.returncode == 143, done.stderr
    assert done.stderr.count(f"coolgp: stopped; start again with: coolgp resume {out}") == 1
    assert "Traceback" not in done.stderr
    assert not is_finished(out)
    run(load_scenario(DIGITS), tmp_path / "whole", figures=False)
    resume(out, figures=False)
    assert timeless(out / "metrics.csv") == timeless(tmp_path / "whole" / "metrics.csv")
