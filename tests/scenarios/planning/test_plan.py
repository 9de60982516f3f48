"""What is said of a run before it: as much memory as its arrays take, and a refusal of what would not fit."""

from __future__ import annotations

import json
import subprocess
import tracemalloc
from collections import deque
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from coolgp.fusion.registry import RULES
from coolgp.network.graphs.generate import GENERATORS
from coolgp.network.graphs.plain_graphs import ring
from coolgp.network.graphs.topology import Topology
from coolgp.network.serial import SerialTransport
from coolgp.scenarios import run, scenario_named
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.planning.duration import Duration, measure
from coolgp.scenarios.planning.limits import NoRoom, admit
from coolgp.scenarios.planning.memory import estimate
from coolgp.scenarios.planning.shape import shape_of
from coolgp.scenarios.planning.tables import tables
from coolgp.scenarios.simulation.assembly import assemble, one_thread
from coolgp.scenarios.simulation.network import plan
from coolgp.scenarios.simulation.rounds import simulate

START = ("agents.lengthscale=0.5", "agents.signal_variance=1.0", "agents.noise_variance=0.01")  # saves fitting them
TINY = ("agents.count=12", "agents.inducing=8", "agents.batch_size=3", "run.rounds=2", "run.probes=3", *START)
WAYS = {name: (f"fusion.rule={name}", "fusion.rounds_per_step=3") for name in RULES if name not in ("flood", "npae")}
WAYS["sweep"] = ("fusion.rule=tree", "fusion.rounds_per_step=converge")
WAYS["settling"] = (
    "fusion.rule=consensus",
    "fusion.rounds_per_step=converge",
    "fusion.tolerance=0.01",
    "network.topology=random-regular",
)
WAYS["lossy"] = ("fusion.rule=push-sum", "fusion.rounds_per_step=3", "network.loss=0.1")
WAYS["late"] = ("fusion.rule=consensus", "fusion.rounds_per_step=3", "network.delay=2")
WAYS["going"] = ("fusion.rule=tree", "fusion.rounds_per_step=3", "network.churn=0.1")
WAYS["single"] = ("fusion.rule=chebyshev", "fusion.rounds_per_step=3", "run.precision=float32")
WAYS["samples"] = ("agents.count=400", "fusion.rule=none", "agents.encoding=importance", "agents.importance_samples=10")
NEAR = "network.topology=geometric"
MOVING = (NEAR, "network.speed=0.1", "network.reach=0.9", "fusion.rounds_per_step=3")
PARTS = ("statistics", "rows of the rule", "batches", "hyper-parameters", "probes and test rows")


def sensors(*overrides: str) -> Scenario:
    return scenario_named("sensors", [*TINY, *overrides])


def traced(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_rows_of_a_round_take_as_much_memory_as_was_said(way: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOLGP_THREADS", "1")
    scenario = sensors("agents.count=200", "agents.inducing=48", "run.probes=1", "run.rounds=2", *way)
    simulation = assemble(scenario)
    with one_thread():
        seen = traced(lambda: deque(simulate(simulation), maxlen=1))
    parts = estimate(scenario).phases[-1].parts
    estimated = sum(parts[name] for name in PARTS)
    assert estimated < 1.25 * seen
    assert estimated + parts["blocks at work"] > 0.75 * seen


def test_flooding_takes_as_much_memory_as_was_said() -> None:
    scenario = sensors("agents.count=100", "fusion.rule=flood", "network.topology=small-world", "agents.inducing=20")
    simulation = assemble(scenario)
    seen = traced(lambda: deque(simulate(simulation), maxlen=1))
    estimated = estimate(scenario).phases[-1].parts["rows of the rule"]
    assert 0.7 < estimated / seen < 1.4


@pytest.mark.parametrize("kind", [kind for kind in GENERATORS if kind != "complete"])
def test_building_a_network_takes_no_more_memory_than_was_said_and_half_as_much(kind: str) -> None:
    scenario = sensors("agents.count=4000", f"network.topology={kind}", "fusion.rule=server")
    dataset = load(scenario)
    seen = traced(lambda: SerialTransport(plan(scenario, dataset).links))
    estimated = estimate(scenario).phases[1].parts["graph and what builds it"]
    assert 0.5 < seen / estimated < 1.1


@pytest.mark.parametrize("name", ["synthetic", "field", "sensors"])
def test_the_size_of_generated_data_is_known_without_them(name: str) -> None:
    scenario = scenario_named(name, [*TINY])
    before, after = shape_of(scenario), shape_of(scenario, load(scenario))
    names = ("agents", "features", "rows", "tests", "rounds")
    assert [getattr(before, key) for key in names] == [getattr(after, key) for key in names]


def test_a_large_network_is_said_to_have_the_links_of_its_kind() -> None:
    for kind in ("ring", "small-world", "complete"):
        scenario = sensors("agents.count=1200", f"network.topology={kind}", "fusion.rule=server")
        shape, links = shape_of(scenario), len(plan(scenario, load(scenario)).topology.indices)
        assert not shape.exact
        assert shape.edges == pytest.approx(links, rel=0.03)


def test_ranks_share_what_is_of_agents_and_single_precision_halves_rows() -> None:
    one, two = (estimate(sensors("agents.count=100000"), ranks).peak.parts for ranks in (1, 2))
    half = estimate(sensors("agents.count=100000", "run.precision=float32")).peak.parts
    assert two["statistics"] == one["statistics"] / 2 == half["statistics"]
    assert two["data"] == one["data"]


def test_a_million_agents_are_planned_without_making_anything_of_that_size() -> None:
    assert traced(lambda: estimate(sensors("agents.count=1000000"), 8)) < 20e6


def test_a_run_that_would_not_fit_is_refused_with_the_table_unless_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coolgp.scenarios.planning.limits.available_bytes", lambda: 0)
    with pytest.raises(NoRoom, match=r"statistics.*\n(.*\n)*.*run.precision = \"float32\", or more machines; --anyway"):
        run(sensors(), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert len(run(sensors(), anyway=True)) == 2


def test_a_table_is_read_and_refused_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coolgp.scenarios.planning.limits.available_bytes", lambda: 0)
    (tmp_path / "points.csv").write_text("\n".join(["a,y", *(f"{i % 13},{i % 7}" for i in range(60))]))
    rows = [f"data.source={tmp_path / 'points.csv'}", "data.target=y", *TINY]
    with pytest.raises(NoRoom):
        run(scenario_named("airline", [*rows, "data.test_count=5"]))


def test_the_command_refuses_with_exit_code_2_on_every_rank(
    tmp_path: Path, on_ranks: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    place = tmp_path / "run"
    command = ["run", "sensors", "--agents", str(10**9), "--out", str(place)]
    done = on_ranks(2, f"from coolgp.scenarios.cli.app import main\n\nmain({command})")
    assert done.returncode == 2
    assert done.stderr.count("would not fit: each of 2 ranks needs") == 1
    assert "rows of the rule" in done.stderr
    assert "Traceback" not in done.stderr
    assert not place.exists()


@pytest.mark.parametrize("way", [(), (NEAR,), MOVING], ids=["small-world", "near", "moving"])
@pytest.mark.parametrize("name", ["synthetic", "field", "sensors"])
def test_the_network_that_is_planned_to_see_whether_a_run_fits_is_that_of_the_run(
    name: str, way: tuple[str, ...]
) -> None:
    scenario = scenario_named(name, [*TINY, *way])
    before, now = admit(scenario, 1, None, None, anyway=False).network, plan(scenario, load(scenario))
    assert before is not None
    for field in fields(Topology):
        ahead, later = getattr(before.topology, field.name), getattr(now.topology, field.name)
        np.testing.assert_array_equal(ahead, later, err_msg=field.name)
    assert (before.guarantee, before.faults) == (now.guarantee, now.faults)
    assert (before.schedule is None) == (now.schedule is None)


def test_a_run_plans_its_network_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    monkeypatch.setitem(GENERATORS, "ring", lambda size, seed: drawn.append(size) or ring(size, seed))
    run(sensors("network.topology=ring"))
    assert drawn == [12]


@pytest.mark.parametrize("way", ["fusion.rule=tree", "fusion.rule=consensus", "fusion.rule=flood", "network.degree=30"])
def test_time_is_said_for_every_part_of_a_run(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coolgp.scenarios.planning.duration.SECONDS", 0.0)
    scenario = sensors("agents.count=40", way)
    duration = measure(scenario, estimate(scenario))
    assert duration.known
    assert min(duration.parts.values()) >= 0
    assert (duration.each is not None) == (way == "fusion.rule=consensus")


def test_a_number_of_communication_rounds_that_nobody_knows_is_not_guessed() -> None:
    answer = tables(estimate(sensors()), Duration({"data": 1.0}, each=0.5))["Time, on this machine as it is now"]
    assert answer[-2:] == [
        ("without fusion, in all", "about 1.0 s"),
        ("and each communication round", "0.5 s; the number until the fixed point on this graph is not known"),
    ]


def test_the_command_prints_tables_json_help_and_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coolgp.scenarios.planning.duration.SECONDS", 0.0)
    sets = [part for key in TINY for part in ("--set", key)]
    terminal = CliRunner(env={"COLUMNS": "200"})
    estimated = terminal.invoke(app, ["plan", "sensors", *sets, "--agents", "20", "--ranks", "2"])
    assert estimated.exit_code == 0
    for words in ("each rank, at the peak", "2 ranks on this machine", "a communication round", "in all"):
        assert words in estimated.output
    answer = json.loads(terminal.invoke(app, ["plan", "sensors", *sets, "--json"]).output)
    assert answer["agents"] == 12
    assert answer["rank_bytes"] == pytest.approx(
        max(sum(parts.values()) for parts in answer["phases"].values()), abs=10
    )
    assert "coolgp plan airline" in terminal.invoke(app, ["plan", "--help"]).output
    assert terminal.invoke(app, ["plan", "nowhere"]).exit_code == 2
