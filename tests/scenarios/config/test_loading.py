"""Laws of the configuration: what loads, from where, and what survives being written."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.catalogue import catalogue
from coolgp.scenarios.config.constraints import needed
from coolgp.scenarios.config.loading import override, read_scenario, resolve
from coolgp.scenarios.config.scenario import SECTIONS, AgentsSettings, DataSettings, Scenario
from coolgp.scenarios.config.sources import SOURCES

from tests.scenarios.config.written import AIRLINE, ISSUE_TOML, only_problem, with_keys, write


def test_the_documented_file_works_as_written(tmp_path: Path) -> None:
    scenario = read_scenario(write(tmp_path, ISSUE_TOML))
    assert scenario.name == "points"
    assert scenario.data.features == ("x0", "x1")
    assert (scenario.data.agent, scenario.data.partition) == ("station", None)
    assert scenario.agents.lengthscale == (1.0, 0.5)
    assert (scenario.fusion.rounds_per_step, scenario.run.rounds) == ("converge", 30)


def test_only_the_source_and_a_files_target_are_required(tmp_path: Path) -> None:
    scenario = read_scenario(write(tmp_path, '[data]\nsource = "a.csv"\ntarget = "y"\n'))
    assert scenario.data.partition == "random"
    assert (scenario.agents.count, scenario.agents.lengthscale, scenario.run.rounds) == (100, "pilot", 30)


@pytest.mark.parametrize("source", SOURCES)
def test_the_packages_own_sources_need_no_target(source: str) -> None:
    kind = {"experts": {}} if SOURCES[source].classes else {}
    scenario = resolve({"data": {"source": source}} | kind, source)
    assert scenario.name == source
    assert scenario.data.target == SOURCES[source].target


def test_every_key_is_described_and_has_an_example_of_what_it_needs() -> None:
    for model in SECTIONS.values():
        for info in model.model_fields.values():
            assert info.description
            assert "None" not in needed(info)


def test_paths_start_from_the_files_folder(tmp_path: Path) -> None:
    text = '[data]\nsource = "sub/a.csv"\ntarget = "y"\n[network]\ntopology = "../roads.graphml"\n'
    scenario = read_scenario(write(tmp_path, text))
    assert scenario.data.source == str(tmp_path / "sub/a.csv")
    assert scenario.network.topology == str(tmp_path.parent / "roads.graphml")


def test_paths_on_the_command_line_start_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    path = write(tmp_path, ISSUE_TOML)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read_scenario(path, ["data.source=b.csv"]).data.source == str(tmp_path / "elsewhere/b.csv")


@pytest.mark.parametrize(
    "mapping",
    [
        AIRLINE,
        {"data": {"source": "synthetic", "observations": 400}, "agents": {"count": 2, "encoding": "importance"}},
        {
            "data": {"source": "a.csv", "target": "y", "agent": "b"},
            "agents": {"lengthscale": [1, 2.5], "jitter": 1e-12},
        },
        {"data": {"source": "a.csv", "target": 'qu"ote\\é'}, "run": {"rounds": "all"}},
    ],
)
def test_a_resolved_scenario_written_as_toml_loads_to_its_equal(mapping: dict[str, Any], tmp_path: Path) -> None:
    scenario = resolve(mapping, "some")
    again = read_scenario(write(tmp_path, scenario.to_toml(), "config.toml"))
    assert again == scenario
    assert again.hash8() == scenario.hash8()


@hypothesis.settings(max_examples=30, deadline=None)  # a shared machine pauses
@given(
    st.integers(1, 10**6),
    st.floats(1e-9, 1e9) | st.lists(st.floats(1e-9, 1e9), min_size=1).map(tuple) | st.just("pilot"),
    st.text(st.characters(codec="utf-8"), min_size=1),
)
def test_any_valid_values_survive_the_round_trip(count: int, lengthscale: Any, target: str) -> None:
    data = DataSettings(source="a.csv", target=target)
    scenario = Scenario(name="some", data=data, agents=AgentsSettings(count=count, lengthscale=lengthscale))
    assert Scenario(**_sections(tomllib.loads(scenario.to_toml()))) == scenario


def _sections(mapping: dict[str, Any]) -> dict[str, Any]:
    return {"name": mapping["name"], **{key: model(**mapping[key]) for key, model in SECTIONS.items()}}


def test_a_key_that_was_added_later_changes_no_hash_until_it_is_set() -> None:
    """Of the version before `agents.kernel`: a study that it began can be continued, with the start of that time."""
    settings = ["run.rounds=10", "fusion.rule=tree", "run.seed=0", "agents.inducing_choice=conditional-variance"]
    scenario = resolve(catalogue()["field"].mapping, "field", settings)
    assert scenario.hash8() == "d59858c4"
    agents = scenario.agents.model_copy(update={"kernel": "matern52"})
    assert scenario.model_copy(update={"agents": agents}).hash8() != "d59858c4"


def test_the_hash_follows_the_contents_and_not_the_name() -> None:
    assert resolve(AIRLINE, "a").hash8() == resolve(AIRLINE, "b").hash8()
    assert resolve(AIRLINE, "a").hash8() != resolve(AIRLINE, "a", ["run.seed=1"]).hash8()
    assert len(resolve(AIRLINE, "a").hash8()) == 8


@pytest.mark.parametrize(
    "item, section, key, value",
    [
        ("run.seed=7", "run", "seed", 7),
        ("data.test_fraction=0.2", "data", "test_fraction", 0.2),
        ("data.standardize=false", "data", "standardize", False),
        ("fusion.rule=none", "fusion", "rule", "none"),
        ('run.rounds="all"', "run", "rounds", "all"),
        ("agents.lengthscale=[1.0, 2.0]", "agents", "lengthscale", (1.0, 2.0)),
        ("network.topology = ring", "network", "topology", "ring"),
    ],
)
def test_an_override_is_a_toml_value_or_a_bare_text(item: str, section: str, key: str, value: Any) -> None:
    if " = " in item:
        assert "needed section.key=value" in only_problem(AIRLINE, item)
    else:
        assert getattr(getattr(resolve(AIRLINE, "m", [item]), section), key) == value


def test_overriding_leaves_the_mapping_as_it_was() -> None:
    mapping = {"run": {"seed": 1}}
    assert override(mapping, ["run.seed=2"]) == {"run": {"seed": 2}}
    assert mapping == {"run": {"seed": 1}}


def test_everything_that_can_go_wrong_on_a_network_survives_the_round_trip(tmp_path: Path) -> None:
    text = """
[data]
source = "field"
[network]
topology = "geometric"
loss = 0.2
burst = 3
delay = 1.5
delays = "geometric"
bandwidth = 1000
churn = 0.1
one_way = 0.5
byzantine = 2
speed = 0.05
reach = 0.3
[[network.away]]
agent = "3"
leave = 2
back = 5
[fusion]
rounds_per_step = 20
"""
    scenario = read_scenario(write(tmp_path, text))
    assert [(away.agent, away.leave, away.back) for away in scenario.network.away] == [("3", 2, 5)]
    again = read_scenario(write(tmp_path, scenario.to_toml(), "config.toml"))
    assert again.network == scenario.network
    assert again.hash8() == scenario.hash8()


def test_an_absence_on_the_command_line_is_a_list_of_tables() -> None:
    scenario = resolve(AIRLINE, "m", ['network.away=[{agent = "a", leave = 3, back = 6}]'])
    assert scenario.network.away[0].back == 6


def test_importance_weights_get_an_uncertain_projection() -> None:
    assert resolve(with_keys("agents", encoding="importance"), "m").agents.projection_std == 0.1
    assert resolve(with_keys("agents", encoding="importance", projection_std=0.3), "m").agents.projection_std == 0.3
    assert resolve(AIRLINE, "m").agents.projection_std == 0.0


def test_a_byte_order_mark_and_windows_line_ends_are_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "points.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ISSUE_TOML.replace("\n", "\r\n").encode())
    assert read_scenario(path).run.probes == 20


def test_the_kind_of_a_scenario_decides_which_sections_it_has(tmp_path: Path) -> None:
    text = 'kind = "side-by-side"\n[data]\nsource = "field"\n[beside]\nscenario = "rules"\n'
    (tmp_path / "two.toml").write_text(text)
    scenario = read_scenario(tmp_path / "two.toml", ['beside.set=["run.rounds=1"]'])
    (tmp_path / "again.toml").write_text(scenario.to_toml())
    assert read_scenario(tmp_path / "again.toml") == scenario
    assert scenario.kind == "side-by-side"
    assert scenario.hash8() != scenario.model_copy(update={"kind": "timing"}).hash8()
    (tmp_path / "two.toml").write_text(text.replace("side-by-side", "timing"))
    with pytest.raises(ConfigError, match=r"two\.toml:4: beside: unknown section"):
        read_scenario(tmp_path / "two.toml")
    (tmp_path / "two.toml").write_text(text.replace("side-by-side", "timeing"))
    with pytest.raises(
        ConfigError, match=r'two\.toml:1: kind: needed rounds \| .*; got "timeing"; did you mean'
    ) as error:
        read_scenario(tmp_path / "two.toml")
    assert len(error.value.problems) == 2


def test_the_loop_of_rounds_is_written_without_its_kind() -> None:
    scenario = resolve({"data": {"source": "field"}}, "plain")
    assert scenario == resolve({"kind": "rounds", "data": {"source": "field"}}, "plain")
    assert "kind" not in scenario.to_toml()
    assert "kind" not in scenario.model_dump()
