"""A data source is one record and the module that it names: two of this file go through all of a run."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from typer.testing import CliRunner

from coolgp.network.base.randomness import generator
from coolgp.scenarios import load_scenario
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.cli.listing import listing
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.config.sources import SOURCES, Source
from coolgp.scenarios.data.dataset import Dataset, Numbered
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.data.fields import agent_positions, square_grid
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.data.table import Table
from coolgp.scenarios.plots.field import field_figure
from coolgp.scenarios.records.run_folder import read_run

from tests.lifecycle import live

MODULE = "coolgp.scenarios.data.of_this_test"
SMALL = ("agents.count=8", "agents.inducing=10", "agents.batch_size=5", "run.rounds=3", "run.probes=2")
START = ("agents.lengthscale=0.5", "agents.signal_variance=1.0", "agents.noise_variance=0.01")  # saves fitting them
ALWAYS = ("run.checkpoint_minutes=0", "network.topology=geometric")


def ripples(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Table:
    x = generator(run.seed, "ripples").uniform(-1, 1, (300, 2))
    return Table(x, np.sin(4 * x).sum(axis=1), ("left", "right"), "height")


def swarm(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Dataset:
    positions, rng = agent_positions("swarm", run.seed, agents.count), generator(run.seed, "swarm")
    owner = np.arange(agents.count * 20) % agents.count
    x, x_test = positions[owner] + 0.05 * rng.standard_normal((len(owner), 2)), square_grid(8)
    y, y_test = np.sin(4 * x).sum(axis=1), np.sin(4 * x_test).sum(axis=1)
    return Dataset(Dealt(x, y, owner), x_test, y_test, ("x0", "x1"), "light", Numbered(agents.count), positions, y_test)


RECORDS = {
    "ripples": Source(
        words="Ripples on a pond", loader=f"{MODULE}:ripples", target="height", target_words="height", unit="mm"
    ),
    "swarm": Source(
        words="A swarm that measures light",
        loader=f"{MODULE}:swarm",
        target="light",
        generated=True,
        placed=True,
        inputs=2,
        tests=64,
        refuses={"test_count": "which is tested on 64 rows"},
    ),
}


@pytest.fixture(params=RECORDS)
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    module = ModuleType(MODULE)
    module.__dict__.update(ripples=ripples, swarm=swarm)
    monkeypatch.setitem(sys.modules, MODULE, module)
    for name, record in RECORDS.items():
        monkeypatch.setitem(SOURCES, name, record)
    return str(request.param)


def test_a_source_of_this_file_is_listed_runs_plots_plans_and_resumes(source: str, tmp_path: Path) -> None:
    record = RECORDS[source]
    assert (source, record.words) in next(rows for title, rows in listing().items() if title.startswith("Data sources"))
    scenario = load_scenario({"name": source, "data": {"source": source}}, [*SMALL, *START, *ALWAYS])
    assert (scenario.data.target, scenario.data.partition) == (record.target, None if record.generated else "random")
    live(scenario, tmp_path)
    folder = read_run(tmp_path / "through")
    assert (folder.target, folder.unit) == (record.target_words or record.target, record.unit)
    figure = field_figure(folder)
    assert (figure is not None) == record.placed
    assert figure is None or "Star: this agent" in figure._supxlabel.get_text()  # type: ignore[attr-defined]
    assert folder.target in (tmp_path / "through" / "report.html").read_text(encoding="utf-8")


def test_a_source_of_this_file_is_planned_by_the_command(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coolgp.scenarios.planning.duration.SECONDS", 0.0)
    path = tmp_path / "study.toml"
    path.write_text(load_scenario({"data": {"source": source}}, [*SMALL, *START]).to_toml(), encoding="utf-8")
    for command in (["plan", str(path)], ["network", str(path), "--out", str(tmp_path / "network.png")]):
        outcome = CliRunner().invoke(app, command)
        assert outcome.exit_code == 0, outcome.output


def test_the_keys_that_a_source_of_this_file_has_no_use_for_are_refused(source: str) -> None:
    refused = {"ripples": {"observations": 9}, "swarm": {"test_count": 9, "partition": "random"}}[source]
    with pytest.raises(ConfigError) as caught:
        load_scenario({"data": {"source": source, **refused}})
    assert {problem.split(": ")[1] for problem in caught.value.problems} == {f"data.{key}" for key in refused}


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source.placed])
def test_agents_with_positions_are_where_planning_expects_them(name: str) -> None:
    task = {"task": "classification"} if SOURCES[name].classes else {}
    scenario = load_scenario({"data": {"source": name, **task}}, [*SMALL, "run.seed=5"])
    positions = load(scenario).positions
    assert positions is not None
    np.testing.assert_array_equal(positions, agent_positions(name, 5, 8))
