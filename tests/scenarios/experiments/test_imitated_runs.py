"""Scenarios whose models are imitated by queries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coolgp import load_scenario, run
from coolgp.scenarios.base.errors import ConfigError, FoundByAll
from coolgp.scenarios.records.run_folder import read_metrics

from tests.run_folders import table

DIABETES: dict[str, Any] = {
    "data": {"source": "diabetes", "unlabelled_count": 80},
    "experts": {"model": "ridge", "count": 4},
    "network": {"topology": "ring"},
    "fusion": {"rule": "colbi"},
}


def ended(folder: Path, *overrides: str, figures: bool = False) -> dict[str, Any]:
    run(load_scenario(DIABETES, overrides), folder, figures=figures)
    return dict(read_metrics(folder))


def test_a_run_says_how_faithful_every_surrogate_is_and_what_it_cost(tmp_path: Path) -> None:
    metrics = ended(tmp_path / "run", figures=True)
    assert metrics["rmse_post"][-1] < metrics["rmse_pre"][-1]
    assert sum(metrics["queries"]) == 4 * 80
    agents = table(tmp_path / "run" / "agents.csv")
    for name, most in (("imitation_divergence", 0.1), ("imitation_error", 40.0)):
        each = [float(row[name]) for row in agents]
        assert metrics[name][-1] == pytest.approx(np.mean(each))
        assert 0 < max(each) < most
    assert "error of surrogates" in (tmp_path / "run" / "report.html").read_text()


def test_one_surrogate_of_all_experts_is_near_their_average(tmp_path: Path) -> None:
    one, average = (
        ended(tmp_path / rule.partition("+")[0], *f"fusion.rule={rule}".split("+"))["rmse_post"][-1]
        for rule in ("colbi-parameters", "ensemble")
    )
    assert one == pytest.approx(average, rel=0.05)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (("fusion.objective=both",), 'fusion.objective: needed "kl" | "moments" | "published"; got "both"'),
        (("fusion.rule=colbi-parameters", "fusion.family=sparse-gp"), '"colbi-parameters" needs "linear"'),
        (("fusion.family=sparse-gp", "fusion.objective=published"), '"published" is of the family "linear"'),
        (("experts.queries=100",), "experts.queries: needed at least"),
        (("network.delay=2", "fusion.rule=colbi-parameters"), "messages that are late"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_any_training(
    overrides: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    with pytest.raises((ConfigError, ValueError)) as refused:
        ended(tmp_path / "run", *overrides)
    assert words in str(refused.value)


def test_inputs_that_nobody_set_aside_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises((FoundByAll, ConfigError), match=r"data\.unlabelled_count: needed at least 5"):
        run(load_scenario(DIABETES | {"data": {"source": "diabetes"}}, ()), tmp_path / "run", figures=False)
