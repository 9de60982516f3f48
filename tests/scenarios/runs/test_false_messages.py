"""What a run says of agents that lie: garbage that a rule takes in is seen by the number of agents in the sums."""

import numpy as np
import pytest

from coolgp.fusion.registry import RULES
from coolgp.scenarios import load_scenario, run
from coolgp.scenarios.base.formatting import forged_words
from coolgp.scenarios.plots.run_report import _warnings
from coolgp.scenarios.records.run_folder import read_run

from tests.run_folders import table

FIXED = {"count": 9, "inducing": 8, "batch_size": 5, "hyperparameters": "fixed"}
FAULTS = {
    "lossy, late and busy": {"loss": 0.3, "delay": 1.0},
    "come and go": {"churn": 0.2, "loss": 0.1, "away": [{"agent": "1", "leave": 1, "back": 3}]},
}
TAKES_IN = ("consensus", "push-sum", "gossip", "chebyshev", "weighted", "poe", "gpoe", "bcm", "rbcm")


def shares(tmp_path, rule: str, network: dict, **run_settings) -> list[float]:
    """The share of probes with false sums, by round."""
    fusion = {"rule": rule, "rounds_per_step": 4}
    if rule in ("poe", "gpoe", "bcm", "rbcm", "weighted"):
        fusion |= {"via": "consensus"} | ({"query_rounds": 4} if rule != "weighted" else {})
    scenario = {"data": {"source": "field", "observations": 300}, "agents": FIXED, "fusion": fusion}
    scenario |= {"network": {"topology": "small-world"} | network, "run": {"rounds": 3} | run_settings}
    run(load_scenario(scenario), tmp_path / "run", figures=False)
    return [float(row["forged"] or "nan") for row in table(tmp_path / "run" / "hyperparameters.csv")]


@pytest.mark.parametrize("rule", TAKES_IN)
def test_garbage_that_a_rule_takes_in_is_seen(tmp_path, rule):
    assert max(shares(tmp_path, rule, {"byzantine": 1})) > 0.0


@pytest.mark.parametrize(("rule", "options"), [("selective", {}), ("none", {}), ("server", {})])
def test_rules_that_leave_garbage_out_see_none(tmp_path, rule, options):
    assert max(shares(tmp_path, rule, {"byzantine": 1})) == 0.0


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("rule", ["consensus", "push-sum", "gossip", "flood", "tree", "server", "chebyshev"])
def test_honest_agents_are_never_suspected(tmp_path, rule, fault):
    assert max(shares(tmp_path, rule, FAULTS[fault], precision="float32")) == 0.0


def test_it_is_said_at_the_end_and_in_the_report(tmp_path):
    seen = shares(tmp_path, "consensus", {"byzantine": 1})
    assert "false messages were taken in" in forged_words(seen)
    assert any(
        "of the probes had sums that no honest agents make" in line for line in _warnings(read_run(tmp_path / "run"))
    )
    assert forged_words([0.0, np.nan]) == ""


def test_every_rule_is_known_here():
    assert set(TAKES_IN) <= set(RULES)
