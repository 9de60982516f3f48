"""`coolgp network`, and a run's network put together: what the rule guarantees, what goes wrong, in which words."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from coolgp.network.links.faults import PERFECT, Absence
from coolgp.network.partition import cut
from coolgp.scenarios import run, scenario_named
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sections.network import NetworkSettings, faults_of
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.planning.survey import fault_words, survey, table
from coolgp.scenarios.simulation.assembly import assemble
from coolgp.scenarios.simulation.network import plan

START = ("agents.lengthscale=0.5", "agents.signal_variance=1.0", "agents.noise_variance=0.01")  # saves fitting them
SMALL = ("agents.count=12", "agents.inducing=8", "agents.batch_size=3", "run.rounds=3", "run.probes=3", *START)


def field(*overrides: str) -> Scenario:
    return scenario_named("field", [*SMALL, *overrides])


def coolgp(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coolgp.scenarios", *arguments]
    return subprocess.run(
        command,
        cwd=place,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def sizes(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def test_the_command_draws_a_picture_and_tells_what_the_rule_promises(tmp_path: Path) -> None:
    done = coolgp(tmp_path, "network", "field", "--agents", "30", "--ranks", "3", "--set", "agents.inducing=10")
    assert done.returncode == 0, done.stderr
    assert min(sizes(tmp_path / "network-field.png")) > 500
    for words in ("exact: ", "on 3 ranks", "diameter", "agents: 10, 10, 10"):
        assert words in done.stdout


def test_where_there_are_too_few_agents_for_two_ranks_one_is_drawn() -> None:
    surveyed = survey(scenario_named("field", ["agents.count=1", "agents.inducing=10"]))
    assert surveyed.ranks == 1


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--out", "graph.pdf"), "needs a file that ends in .png"),
        (("--out", "nowhere/graph.png"), "there is no folder"),
        (("--agents", "5", "--ranks", "9"), "start fewer ranks"),
        (("--set", "network.churn=0.1"), "give it a number, such as 20"),
    ],
)
def test_a_mistake_is_one_clear_message(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    with chdir(tmp_path):
        done = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["network", "field", *arguments], catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rule", ["tree", "consensus"])
def test_the_table_says_the_numbers_of_the_graph_that_a_run_uses(rule: str) -> None:
    scenario = field(f"fusion.rule={rule}", "agents.hyperparameters=fixed")
    surveyed, simulation = survey(scenario, 2), assemble(scenario)
    rows = dict(table(surveyed))
    links = simulation.rule.links(simulation.topology)
    assert (rows["agents"], rows["links"]) == ("12", str(simulation.topology.edge_count))
    assert rows["links in use"] == str(links.edge_count)
    assert rows["on 2 ranks"].startswith(f"{100 * cut(links, surveyed.owner):.3g} %")
    np.testing.assert_array_equal(surveyed.plan.topology.indices, simulation.topology.indices)


@pytest.mark.parametrize("mode", ["fixed", "collective", "local"])
@pytest.mark.parametrize("form", ["diagonal", "full"])
def test_the_bytes_of_a_communication_round_are_those_that_the_meter_counts(mode: str, form: str) -> None:
    scenario = field(f"agents.hyperparameters={mode}", f"agents.projection={form}", "fusion.rule=consensus")
    scenario = scenario.model_copy(update={"fusion": scenario.fusion.model_copy(update={"rounds_per_step": 1})})
    surveyed, records = survey(scenario), run(scenario)
    assert records[-1].sent.messages == surveyed.plan.guarantee.messages
    assert records[-1].sent.bytes == surveyed.plan.guarantee.messages * surveyed.numbers * 8


def test_where_agents_are_does_not_depend_on_how_few_rows_a_survey_draws() -> None:
    positions = survey(field()).plan.topology.position
    np.testing.assert_array_equal(positions, load(field()).positions)


def test_faults_are_what_the_settings_say_with_rounds_counted_from_0() -> None:
    away = [{"agent": "b", "leave": 3, "back": 6}]
    network = NetworkSettings(loss=0.2, burst=3.0, delay=2.0, bandwidth=9, one_way=0.5, byzantine=1, away=away)
    faults = faults_of(network, ("a", "b"))
    assert faults.away == (Absence(1, 2, 5),)
    assert (faults.loss, faults.burst, faults.delay, faults.bandwidth) == (0.2, 3, 2, 9)
    assert not faults.steady
    assert faults_of(NetworkSettings(), ("a",)) == PERFECT


def test_agents_that_are_not_there_are_named_all_at_once() -> None:
    away = [{"agent": name, "leave": 1, "back": 2} for name in ("x", "a", "y")]
    with pytest.raises(ConfigError) as caught:
        faults_of(NetworkSettings(away=away, byzantine=2), ("a", "b"))
    assert [problem.split(";")[0] for problem in caught.value.problems] == [
        'network.away: there is no agent "x"',
        'network.away: there is no agent "y"',
        "network.byzantine: needed fewer than the 2 agents",
    ]


@pytest.mark.parametrize(
    "settings, words",
    [
        ({}, []),
        ({"delay": 2.0, "delays": "geometric"}, ["messages are 2 communication rounds late on average"]),
        ({"one_way": 0.5, "byzantine": 1}, ["50 % of the links outside a spanning tree", "1 agent sends garbage"]),
    ],
)
def test_every_fault_is_said(settings: dict[str, Any], words: list[str]) -> None:
    output = fault_words(faults_of(NetworkSettings(**settings), ("a", "b")))
    assert len(output) == len(words)
    assert all(part in whole for part, whole in zip(words, output, strict=True))


@pytest.mark.parametrize("fault", ["network.churn=0.1", 'network.away=[{agent="1",leave=2,back=3}]'])
def test_there_is_no_fixed_point_to_wait_for_where_agents_come_and_go(fault: str) -> None:
    with pytest.raises(ConfigError, match=r"fusion\.rounds_per_step: .* give it a number, such as 20"):
        assemble(field(fault))
    assert assemble(field(fault, "fusion.rounds_per_step=2")).transport.faultless is False


def test_a_rule_that_only_approximates_under_loss_is_not_asked_for_its_fixed_point() -> None:
    with pytest.raises(ConfigError, match="consensus need not reach its fixed point"):
        assemble(field("fusion.rule=consensus", "network.loss=0.1"))
    assert assemble(field("fusion.rule=tree", "network.loss=0.1")).guarantee.kind == "exact"


def test_without_faults_there_is_no_channel() -> None:
    assert assemble(field()).transport.faultless


@pytest.mark.parametrize(
    "fault", ["network.loss=0.3", "network.delay=1", "network.one_way=0.5", "network.bandwidth=99"]
)
def test_with_faults_messages_go_through_the_channel(fault: str) -> None:
    assert not assemble(field(fault, "fusion.rounds_per_step=2")).transport.faultless


def test_agents_that_move_meet_others_in_later_rounds() -> None:
    scenario = field("network.speed=0.2", "network.reach=0.5", "fusion.rounds_per_step=2")
    network = plan(scenario, load(scenario))
    assert network.faults.moving
    assert network.schedule is not None
    first, last = network.schedule.exists(0), network.schedule.exists(2)
    assert (first != last).any()
    assert (first | last).sum() <= len(network.topology.indices)


def test_moving_agents_that_never_meet_are_refused_with_what_to_change() -> None:
    scenario = field("network.speed=0.001", "network.reach=0.01", "fusion.rounds_per_step=2")
    with pytest.raises(ConfigError, match=r"network\.speed: .* take a larger network\.reach, or more rounds"):
        assemble(scenario)


def test_a_file_that_names_rounds_changes_the_links_when_it_says(tmp_path: Path) -> None:
    lines = [
        "round,tail,head",
        *(f"1,{i},{i + 1}" for i in range(11)),
        *(f"3,{i},{i + 1}" for i in range(10)),
        "3,0,11",
    ]
    (tmp_path / "links.csv").write_text("\n".join(lines) + "\n")
    scenario = field(f"network.topology={tmp_path / 'links.csv'}", "fusion.rounds_per_step=2")
    network = plan(scenario, load(scenario))
    assert network.schedule is not None
    pairs = set(zip(network.topology.tail.tolist(), network.topology.indices.tolist(), strict=True))
    up = [
        {pair for pair, there in zip(sorted(pairs), network.schedule.exists(turn), strict=True) if there}
        for turn in (0, 1, 2)
    ]
    assert up[0] == up[1] != up[2]
    assert up[1] - up[2] == {(10, 11), (11, 10)}
    assert up[2] - up[1] == {(0, 11), (11, 0)}


def test_a_schedule_goes_by_the_agents_names_and_not_by_their_order(tmp_path: Path) -> None:
    rows = [f"s{i % 4},{i % 7},{(i * 37) % 11}" for i in range(60)]
    (tmp_path / "points.csv").write_text("\n".join(["station,x,y", *rows]))
    (tmp_path / "links.csv").write_text("round,tail,head\n1,s3,s1\n1,s1,s0\n1,s0,s2\n2,s3,s2\n2,s2,s1\n2,s1,s0\n")
    overrides = [f"network.topology={tmp_path / 'links.csv'}", "fusion.rounds_per_step=1"]
    (tmp_path / "m.toml").write_text('[data]\nsource = "points.csv"\ntarget = "y"\nagent = "station"\n')
    scenario = scenario_named(str(tmp_path / "m.toml"), overrides)
    network = plan(scenario, load(scenario))
    assert network.schedule is not None
    assert network.topology.names == ("s0", "s1", "s2", "s3")
    ends = np.stack([network.topology.tail, network.topology.indices], axis=1)[network.schedule.exists(0)]
    assert {tuple(sorted(pair)) for pair in ends.tolist()} == {(1, 3), (0, 1), (0, 2)}


def test_a_rule_that_draws_at_random_follows_the_seed_of_the_run() -> None:
    drawing = field("fusion.rule=gossip", "run.seed=7", "fusion.rounds_per_step=1")
    assert plan(drawing, load(drawing)).rule.seed == 7  # type: ignore[attr-defined]
