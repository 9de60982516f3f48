"""How far a run is, in a notebook: one output that is redrawn; elsewhere nothing."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from coolgp.scenarios import run, scenario_named
from coolgp.scenarios.experiments.kind import Stage
from coolgp.scenarios.experiments.notebook import notebook_progress

TINY = ("agents.count=6", "agents.inducing=6", "run.rounds=3", "run.probes=2")
START = ("agents.lengthscale=0.5", "agents.signal_variance=1.0", "agents.noise_variance=0.01")  # saves fitting them


class Notebook:
    """What stands for IPython in a kernel. outputs: their texts, each as it is now."""

    def __init__(self) -> None:
        self.outputs: list[list[str]] = []

    def display(self, output: dict[str, str], **_: Any) -> Any:
        texts = [output["text/plain"]]
        self.outputs.append(texts)
        return SimpleNamespace(update=lambda output, **_: texts.append(output["text/html"]))


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    made = Notebook()
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=made.display))
    return made


def test_a_run_in_a_notebook_redraws_one_output_up_to_the_last_round(notebook: Notebook) -> None:
    run(scenario_named("field", [*TINY, *START]))
    assert len(notebook.outputs) == 1
    assert notebook.outputs[0][0].startswith("round 1/3: RMSE")
    assert notebook.outputs[0][-1].startswith('<progress value="3" max="3"></progress> round 3/3: RMSE')


def test_stages_that_follow_at_once_are_left_out_and_words_are_no_markup(notebook: Notebook) -> None:
    show = notebook_progress()
    for done in range(1, 5):
        show(Stage(done, 4, "<b>&"))
    assert notebook.outputs == [
        ["round 1/4: <b>&", '<progress value="4" max="4"></progress> round 4/4: &lt;b&gt;&amp;']
    ]


def test_who_watches_sees_the_rounds_alone(notebook: Notebook) -> None:
    seen: list[int] = []
    run(scenario_named("field", [*TINY, *START]), watch=lambda record, row: seen.append(record.round))
    assert (seen, notebook.outputs) == ([1, 2, 3], [])


def test_a_terminal_of_ipython_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace()))
    notebook_progress()(Stage(1, 2, "nothing is shown"))
