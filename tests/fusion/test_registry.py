"""A rule is one file and one line of the registry; a kind of fault is one entry of the table of faults.

A rule and a fault that exist in this file only go through all that a run does.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from coolgp.agents.base.arrays import Array
from coolgp.fusion.guarantee import FaultTolerance, Guarantee, Rows
from coolgp.fusion.registry import RULES, rule_named
from coolgp.fusion.sums.base import SumRule
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import FAULT_KINDS, FaultKind, Faults, faults_present
from coolgp.network.row_axes import PerAgent
from coolgp.network.transport import Transport
from coolgp.scenarios import scenario_named
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.planning.survey import survey, table
from coolgp.scenarios.records.run_folder import read_run

from tests.lifecycle import live

SMALL = ["agents.count=8", "agents.inducing=10", "run.rounds=3", "run.probes=2", "data.observations=500"]
RING = generate("ring", 6, seed=0)


@dataclass(frozen=True)
class Pool:
    """sums ``[A, P]``: of the part of all contributions that agents have pooled."""

    sums: PerAgent


@dataclass(frozen=True)
class Pooling(SumRule):
    """Pooling by an oracle: a share of what others contribute reaches an agent.

    share: of the sum over the others.
    """

    share: float = 0.5

    def stands(self) -> FaultTolerance:
        return FaultTolerance("exact", "an oracle pools all contributions", stands={"loss": ""})

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        return Guarantee(*self.stands().under(faults), rounds=1, exchanging=Rows(2.0), settling=Rows(2.0))

    def begin(self, values: Array, transport: Transport) -> Pool:
        return Pool(values.copy())

    def round(self, state: Pool, values: Array, transport: Transport) -> Pool:
        return Pool(values + self.share * (transport.allsum(values) - values))

    def settle(self, state: Pool, values: Array, transport: Transport) -> Pool:
        transport.meter.rounds += 1
        return self.round(state, values, transport)

    def sums(self, state: Pool) -> Array:
        return np.asarray(state.sums)


def test_a_rule_of_this_file_runs_plots_plans_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "pooling", Pooling)
    scenario = scenario_named("field", [*SMALL, "fusion.rule=pooling", "fusion.share=0.25", "run.checkpoint_minutes=0"])
    live(scenario, tmp_path)
    assert read_run(tmp_path / "through").config.fusion.options == {"share": 0.25}
    assert "pooling" in (tmp_path / "through" / "report.html").read_text()
    assert "pooling" in dict(table(survey(scenario)))["rule"]
    with pytest.raises(ValueError, match=r"fusion\.share"):
        scenario_named("field", [*SMALL, "fusion.share=0.25"])


@pytest.fixture
def static(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that the network has where losses come in bursts of 7."""
    kind = FaultKind(("burst",), lambda faults: faults.burst == 7, lambda faults: "messages come with static")
    monkeypatch.setitem(FAULT_KINDS, "static", kind)


@pytest.mark.usefixtures("static")
@pytest.mark.parametrize("name", RULES)
def test_no_rule_promises_anything_under_a_fault_that_it_does_not_know(name: str) -> None:
    faults = Faults(loss=0.1, burst=7)
    options = {"query_rounds": 5} if hasattr(RULES[name], "query_rounds") else {}
    guarantee = rule_named(name, options).fit(RING, faults).guarantee(RING, faults)
    assert guarantee.kind == "approximate"


@pytest.mark.usefixtures("static")
@pytest.mark.parametrize("name", ["tree", "push-sum", "flood", "central"])
def test_a_rule_that_stands_all_other_faults_names_the_one_that_it_does_not_know(name: str) -> None:
    faults = Faults(loss=0.1, burst=7)
    why = rule_named(name).fit(RING, faults).guarantee(RING, faults).why
    assert "nothing is guaranteed under static: messages come with static" in why


@pytest.mark.usefixtures("static")
def test_a_fault_of_this_file_runs_plots_plans_and_resumes(tmp_path: Path) -> None:
    keys = ["network.loss=0.1", "network.burst=7", "fusion.rounds_per_step=5", "run.checkpoint_minutes=0"]
    scenario = scenario_named("field", [*SMALL, *keys])
    live(scenario, tmp_path)
    stated = json.loads((tmp_path / "through" / "guarantee.json").read_text())
    assert "messages come with static" in stated["faults"]
    assert stated["kind"] == "approximate"
    assert "messages come with static" in (tmp_path / "through" / "report.html").read_text()
    assert "messages come with static" in dict(table(survey(scenario)))["what goes wrong"]


def test_every_kind_of_fault_is_brought_by_keys_of_the_network() -> None:
    keys = set(Scenario.model_fields["network"].annotation.model_fields)  # type: ignore[union-attr]
    for name, kind in FAULT_KINDS.items():
        assert kind.keys, name
        assert set(kind.keys) <= keys, name
    assert not faults_present(Faults())
