"""`coolgp plan` for a cluster: how many nodes, what crosses between them, and a batch script that runs and goes on."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coolgp.network.graphs.generate import generate
from coolgp.network.partition import partition
from coolgp.network.sharding import build_shard
from coolgp.scenarios import scenario_named
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.planning.cluster import Cluster, bytes_of, on_nodes, turns_of
from coolgp.scenarios.planning.crossing import Links, crossing, links_of
from coolgp.scenarios.planning.duration import Duration
from coolgp.scenarios.planning.memory import estimate, estimate_of
from coolgp.scenarios.planning.nodes import fewest_nodes
from coolgp.scenarios.planning.shape import shape_of
from coolgp.scenarios.planning.slurm import slurm_script

START = ("agents.lengthscale=0.5", "agents.signal_variance=1.0", "agents.noise_variance=0.01")  # saves fitting them
TINY = ("agents.count=24", "agents.inducing=8", "agents.batch_size=3", "run.rounds=2", "run.probes=3", *START)
NODES = ("--ranks-per-node", "2")


def field(*overrides: str) -> Scenario:
    return scenario_named("field", [*TINY, "agents.hyperparameters=fixed", *overrides])


def planned(*arguments: str) -> str:
    sets = [part for key in TINY for part in ("--set", key)]
    ran = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["plan", "field", *sets, *arguments], catch_exceptions=False)
    return ran.stdout if ran.exit_code == 0 else ran.stderr


@pytest.fixture
def _measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the sample that is measured: its seconds are another test's."""
    monkeypatch.setattr("coolgp.scenarios.planning.nodes.measure", lambda *_: Duration({"learning and fusion": 4.0}))


@pytest.mark.parametrize("kind", ["ring", "small-world", "geometric", "star"])
def test_what_crosses_is_what_the_shards_of_the_ranks_say(kind: str) -> None:
    links, ranks = generate(kind, 40, seed=3), 5
    owner = partition(links, ranks)
    shards = [build_shard(links, owner, rank) for rank in range(ranks)]
    crosses, every = crossing(links, ranks, ranks_per_node=2), len(links.indices)
    assert crosses.ranks * every == sum((shard.reverse < 0).sum() for shard in shards)
    assert crosses.once_ranks * every == sum(len(shard.halo) for shard in shards)
    assert crosses.partners == max(len(shard.neighbours) for shard in shards)
    away = [int((shard.owner // 2 != rank // 2).sum()) for rank, shard in enumerate(shards)]
    assert crosses.nodes * every == sum(away)
    assert crosses.busiest * every == max(sum(away[:2]), sum(away[2:4]), away[4])


@pytest.mark.slow
def test_the_bytes_between_ranks_are_those_that_a_run_counts(
    tmp_path: Path, on_ranks: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    scenarios = {rule: field(f"fusion.rule={rule}", "fusion.rounds_per_step=3") for rule in ("tree", "consensus")}
    program = ["from coolgp.scenarios import load_scenario, run\n"]
    for rule, scenario in scenarios.items():
        (tmp_path / f"{rule}.toml").write_text(scenario.to_toml())
        program.append(f"run(load_scenario({str(tmp_path / rule)!r} + '.toml'), {str(tmp_path / rule)!r})")
    assert on_ranks(2, "\n".join(program)).returncode == 0
    for rule, scenario in scenarios.items():
        rows = list(csv.DictReader((tmp_path / rule / "traffic.csv").read_text().splitlines()))
        needs = estimate(scenario, 2)
        crosses = links_of(scenario, needs.shape).crossing(2, 1)
        share = crosses.once_ranks if rule == "consensus" else crosses.ranks
        sent = share * needs.shape.used * needs.row * needs.itemsize
        assert int(rows[-1]["bytes_between_ranks"]) == pytest.approx(3 * sent)
        assert crosses.nodes == crosses.ranks


def test_a_large_graph_crosses_as_two_smaller_ones_of_its_kind_say() -> None:
    for kind in ("ring", "geometric", "random-regular"):
        large, middle, small = (generate(kind, size, seed=1) for size in (8000, 2000, 500))
        said, true = Links(8000, (middle, small), "contiguous").crossing(8, 2), crossing(large, 8, 2)
        assert said.ranks == pytest.approx(true.ranks, rel=0.35), kind
        assert said.nodes == pytest.approx(true.nodes, rel=0.35), kind


def test_the_fewest_nodes_are_enough_and_one_less_is_not() -> None:
    scenario = scenario_named("sensors", ["agents.count=200000", "agents.inducing=100"])
    shape = shape_of(scenario)
    cluster = Cluster(ranks=0, ranks_per_node=4, node_bytes=bytes_of("4G", ""))
    nodes = fewest_nodes(scenario, shape, cluster)
    assert nodes is not None
    assert nodes > 1

    def needed(count: int) -> float:
        return 4 * estimate_of(scenario, shape, replace(cluster, ranks=4 * count).place).peak.bytes

    assert needed(nodes) <= 4 * 2**30 < needed(nodes - 1)
    assert fewest_nodes(scenario, shape, replace(cluster, node_bytes=1e8)) is None


def test_sending_takes_longer_on_a_slower_network_and_longer_the_more_rounds_there_are() -> None:
    scenario = field("fusion.rule=consensus", "fusion.rounds_per_step=10")
    needs = estimate_of(scenario, shape_of(scenario), Cluster(ranks=4, ranks_per_node=2).place)
    links, duration = links_of(scenario, needs.shape), Duration({"learning and fusion": 4.0})

    def on(gbits: float, ranks: int = 4, chosen: Scenario = scenario) -> float:
        cluster = Cluster(ranks=ranks, ranks_per_node=2, gbits=gbits)
        return on_nodes(chosen, cluster, needs, duration, links).sending or 0.0

    assert on(0.001) == pytest.approx(10 * on(0.01), rel=0.1)
    assert on(1e9, chosen=field("fusion.rule=consensus", "fusion.rounds_per_step=5")) == pytest.approx(on(1e9) / 2)
    assert on(0.001, ranks=2) < 0.01 * on(0.001)  # one node: nothing crosses
    work = on_nodes(scenario, Cluster(ranks=8, ranks_per_node=2), needs, duration, links).working
    assert work == pytest.approx(4.0 / 2 / 2)
    assert turns_of(field("fusion.rule=tree").fusion, duration) == 1


@pytest.mark.usefixtures("_measured")
def test_the_command_says_nodes_messages_and_shares_as_words_and_json() -> None:
    words = planned("--ranks", "4", *NODES, "--memory-per-node", "64G")
    for said in ("2, with up to 2 ranks each", "68.7 GB: fits", "and between nodes", "a round of learning"):
        assert said in words
    told = json.loads(planned("--ranks", "4", *NODES, "--memory-per-node", "1M", "--json"))
    assert (told["nodes"], told["fits"]) == (2, False)
    assert 0 < told["bytes_between_nodes"] < told["bytes_between_ranks"] < told["communication_round_bytes"]
    assert [one["nodes"] for one in told["by_nodes"]] == [1, 2, 4, 8]


@pytest.mark.usefixtures("_measured")
@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--memory-per-node", "64G"), "say --ranks-per-node too"),
        (NODES, "needs --ranks, or --memory-per-node"),
        ((*NODES, "--memory-per-node", "64"), "a unit, such as 64G"),
        ((*NODES, "--memory-per-node", "10M"), "fits on no number of nodes of 10.5 MB"),
        ((*NODES, "--ranks", "30"), "take at most 24 ranks"),
        (("--ranks", "30"), "take at most 24 ranks"),
        ((*NODES, "--ranks", "2", "--gbits", "nan"), "a number above 0"),
        ((*NODES, "--ranks", "4", "--memory-per-node", "10M", "--slurm", "-"), "no script is written: field would not"),
        ((*NODES, "--ranks", "4", "--slurm", "there.sh"), "there is such a file already"),
    ],
)
def test_a_mistake_is_one_clear_message(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.sh").touch()
    assert words in planned(*arguments)


STAND_IN = """#!/bin/bash
echo "$@" >> said
mkdir -p "${@: -1}"
trap 'echo stopped >> said; exit 143' TERM
echo started
while true; do sleep 0.02; done
"""


def test_a_script_runs_then_goes_on_hands_the_signal_on_and_ends_as_the_run_does(tmp_path: Path) -> None:
    for name, code in (("srun", '#!/bin/bash\nexec "$@"\n'), ("coolgp", STAND_IN)):
        (tmp_path / name).write_text(code)
        (tmp_path / name).chmod(0o755)
    script = slurm_script(
        Cluster(ranks=4, ranks_per_node=2),
        name="mine",
        arguments=["a study.toml", "--set", "run.rounds=3"],
        program=str(tmp_path / "coolgp"),
        memory="1G",
        time="00:15:00",
    )
    (tmp_path / "job.sh").write_text(script)
    known = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_NAME": "mine", "SLURM_CPUS_PER_TASK": "1"}
    for _ in range(2):
        job = subprocess.Popen(
            ["bash", "job.sh"], cwd=tmp_path, env=os.environ | known, stdout=subprocess.PIPE, text=True
        )
        assert job.stdout is not None
        assert job.stdout.readline() == "started\n"
        job.terminate()
        job.stdout.close()
        assert job.wait(timeout=60) == 143
    folder = tmp_path / "runs" / "mine"
    assert (tmp_path / "said").read_text().splitlines() == [
        f"run a study.toml --set run.rounds=3 --out {folder}",
        "stopped",
        f"resume {folder}",
        "stopped",
    ]
