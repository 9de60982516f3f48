"""What a run of very many agents leaves: folders that do not grow with them, figures of a part, and going on."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from coolgp.network.graphs.connectivity import components, spanning_tree
from coolgp.network.graphs.generate import generate
from coolgp.scenarios import resume, run, scenario_named
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.data.sensors import sensors
from coolgp.scenarios.plots.field import field_figure
from coolgp.scenarios.plots.network import layout, network_figure
from coolgp.scenarios.plots.run_report import headline
from coolgp.scenarios.records.network import RECORDED_AGENTS, SAMPLED_AGENTS, Network, NetworkSize, sample
from coolgp.scenarios.records.run_folder import RunFolder, read_run

from tests.run_folders import contents

MANY = RECORDED_AGENTS + 10_000
SMALL = ["agents.count=40", "agents.inducing=12", "run.rounds=4", "run.probes=5"]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("large") / "run"
    settings = [f"agents.count={MANY}", "agents.inducing=5", "agents.batch_size=2", "run.rounds=1", "run.probes=4"]
    run(scenario_named("sensors", settings), folder, figures=False)
    return read_run(folder)


def test_the_folder_of_very_many_agents_is_small(large: RunFolder) -> None:
    size = {path.name: path.stat().st_size for path in large.path.iterdir()}
    assert size["network.npz"] < 1e6  # the graph alone has 4 MB
    assert sum(size.values()) < 2e6


def test_a_part_of_the_network_is_kept_and_the_size_of_all(large: RunFolder) -> None:
    sampled = large.network
    assert sampled.graph.size < RECORDED_AGENTS / 2
    assert (sampled.agents, sampled.spoken_count) == (MANY, MANY - 1)
    assert sampled.link_count == large.guarantee.links
    assert tuple(sampled.graph.names[i] for i in sampled.probes) == large.predictions.agents
    where = sensors(0, MANY).positions
    assert where is not None
    np.testing.assert_array_equal(sampled.graph.position, where[[int(name) for name in sampled.graph.names]])


def test_figures_and_report_speak_of_all_agents_and_say_what_is_drawn(large: RunFolder) -> None:
    caption = network_figure(large)._supxlabel.get_text()  # type: ignore[attr-defined]
    assert caption.startswith(f"{MANY:,} agents, {large.guarantee.links:,} links, of which {MANY - 1:,} carried")
    assert f"Drawn: {large.network.graph.size:,} agents" in caption
    assert headline(large).startswith(f"{MANY:,} agents made {2 * MANY:,} observations")
    field = field_figure(large)
    assert field is not None
    assert field._supxlabel.get_text() == "Star: this agent."  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["small-world", "geometric"])
def test_a_part_holds_the_middle_of_the_tree_and_the_paths_to_the_probes(kind: str) -> None:
    graph = generate(kind, 4000, 0)
    probes = np.array([3, 999, 3999])
    sampled, agents = sample(Network(graph, spanning_tree(graph), probes), 3000)
    assert SAMPLED_AGENTS <= len(agents) == sampled.graph.size < 3000
    assert sampled.total == NetworkSize(4000, graph.edge_count, 3999)
    np.testing.assert_array_equal(agents[sampled.probes], probes)
    assert sampled.links.edge_count == sampled.links.size - 1
    assert components(sampled.links) == 1


@pytest.mark.parametrize("kind, is_map", [("geometric", True), ("small-world", False)])
def test_agents_are_drawn_on_a_map_where_links_join_those_that_are_near(kind: str, is_map: bool) -> None:
    where = np.random.default_rng(0).uniform(size=(1000, 2))
    graph = generate(kind, 1000, 0, where)
    place = layout(Network(graph, spanning_tree(graph), np.array([0])))
    assert np.array_equal(place, where) == is_map


def test_a_network_that_is_small_enough_is_kept_whole() -> None:
    ring = generate("ring", 50, 0)
    network = Network(ring, spanning_tree(ring), np.array([7]))
    sampled, agents = sample(network, 50)
    assert sampled is network
    assert agents.tolist() == list(range(50))
    assert (network.agents, network.link_count, network.spoken_count) == (50, 50, 49)


# Going on with what is drawn as it is read ----------------------------------------------------------------------------


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A run of sensors as a kill after two rounds leaves it, beside the one that went on to its end, `whole`."""

    def copy(record: object, row: dict[str, float]) -> None:
        if row["round"] == 3:
            shutil.copytree(tmp_path / "whole", tmp_path / "stopped")

    scenario = scenario_named("sensors", [*SMALL, "run.checkpoint_minutes=0"])
    run(scenario, tmp_path / "whole", figures=False, watch=copy)
    return tmp_path / "stopped"


def test_sensors_go_on_where_they_were_stopped(stopped: Path) -> None:
    result = CliRunner().invoke(app, ["resume", str(stopped), "--no-figures"])
    assert result.exit_code == 0, result.output
    assert contents(stopped) == contents(stopped.parent / "whole")


def test_sensors_do_not_go_on_with_another_field(stopped: Path) -> None:
    others = sensors(0, 40, spread=0.2)
    with pytest.raises(ValueError, match="data are not what this run was started with"):
        resume(stopped, figures=False, dataset=others)
    assert [record.round for record in resume(stopped, figures=False, dataset=sensors(0, 40))] == [3, 4]
