"""Laws of the configuration: what loads, what is refused, and in which words."""

from __future__ import annotations

import dataclasses
import pickle
import tomllib
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coolgp.fusion import registry
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.catalogue import catalogue
from coolgp.scenarios.config.constraints import needed
from coolgp.scenarios.config.loading import override, read_scenario, resolve
from coolgp.scenarios.config.scenario import SECTIONS, AgentsSettings, DataSettings, Scenario
from coolgp.scenarios.config.sections import fusion as fusion_settings
from coolgp.scenarios.config.sources import SOURCES

ISSUE_TOML = """\
[data]
source = "points.csv"          # CSV, Parquet, or "airline" | "synthetic" | "field"
target = "y"
features = ["x0", "x1"]        # default: every other numeric column
agent = "station"              # a column; or partition = "random" | "kmeans" | "dirichlet"
test_fraction = 0.1
standardize = true
[agents]
count = 100                    # ignored where data.agent names a column
inducing = 100
batch_size = 20
hyperparameters = "collective" # "fixed" | "local"
lengthscale = [1.0, 0.5]       # a number or one per feature; the starting point where learned
signal_variance = 1.0
noise_variance = 0.1
encoding = "transport"         # "importance" | "stale"
shared = "function"            # "latent"
[network]
topology = "small-world"       # or a file: "roads.graphml", "edges.csv"
[fusion]
rule = "tree"                  # "consensus" | "none" | "central"
rounds_per_step = "converge"   # communication rounds after each round of learning: a number, or until the fixed point
[run]
rounds = 30                    # "all" uses every training observation exactly once
seed = 0
probes = 20                    # agents whose predictions are evaluated and stored
"""
AIRLINE: dict[str, Any] = {"data": {"source": "airline"}}


def write(folder: Path, text: str, name: str = "points.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(mapping: dict[str, Any], *overrides: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        resolve(mapping, "m.toml", overrides)
    return caught.value.problems


def only_problem(mapping: dict[str, Any], *overrides: str) -> str:
    (problem,) = problems(mapping, *overrides)
    return problem


def with_keys(section: str, **keys: Any) -> dict[str, Any]:
    return {**AIRLINE, section: {**AIRLINE.get(section, {}), **keys}}


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


def test_a_problem_points_at_the_line_of_its_key(tmp_path: Path) -> None:
    (tmp_path / "points.csv").touch()
    path = write(tmp_path, ISSUE_TOML.replace("inducing = 100", "inducing = 0"))
    with pytest.raises(ConfigError) as caught:
        read_scenario(path)
    assert str(caught.value) == f"{path}:10: agents.inducing: needed a whole number of at least 1; got 0"


def test_a_problem_of_an_override_points_at_the_override(tmp_path: Path) -> None:
    (tmp_path / "points.csv").touch()
    with pytest.raises(
        ConfigError, match=r"^--set run\.seed=-1: run\.seed: needed a whole number of at least 0; got -1$"
    ):
        read_scenario(write(tmp_path, ISSUE_TOML), ["run.seed=-1"])


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    text = """\
[data]
source = "a.csv"
partition = "kmean"
agent = "b"
[agents]
count = "many"
inducng = 3
encoding = "transprt"
projection_std = 0.2
[netwrk]
[fusion]
rule = "tre"
"""
    with pytest.raises(ConfigError) as caught:
        read_scenario(write(tmp_path, text), ["run.seed=x", "nonsense"])
    keys = {problem.split(": ")[1] for problem in caught.value.problems}
    assert keys == {
        "data.target",
        "data.partition",
        "agents.count",
        "agents.inducng",
        "agents.encoding",
        "netwrk",
        "fusion.rule",
        "run.seed",
        "needed section.key=value, for example run.seed=1",
    }
    assert all("\n" not in problem for problem in caught.value.problems)


def test_contradictions_are_told_together_with_wrong_values() -> None:
    told = problems(
        {"data": {"source": "a.csv", "target": "y", "test_fraction": 2, "agent": "b", "partition": "random"}}
    )
    assert [problem.split(": ")[1] for problem in told] == ["data.test_fraction", "data.partition"]


@pytest.mark.parametrize(
    "mapping, text",
    [
        ({}, "data.source: missing; needed"),
        ({"data": {"target": "y"}}, "data.source: missing; needed"),
        ({"data": {"source": "a.csv"}}, "data.target: missing; needed the name of the column"),
        ({"data": 3}, "data: needed a section [data] of keys (source, target,"),
        ({"data": {"source": "airlin"}}, 'got "airlin"; did you mean "airline"?'),
        (with_keys("data", target="delay"), 'data.target: needed "arr_delay", which is what "airline" predicts'),
        (with_keys("data", features=[]), "data.features: needed a list of texts; got []"),
        (with_keys("data", features=["day", "day"]), "data.features: named more than once: day"),
        (with_keys("data", features=["arr_delay"]), 'the target "arr_delay" cannot be a feature'),
        (with_keys("data", agent="dest", partition="random"), "data.partition: not together with data.agent"),
        (with_keys("data", agent="arr_delay"), "data.agent: the target"),
        (with_keys("data", observations=9), "data.observations: only for"),
        (with_keys("data", test_fraction=1.0), "data.test_fraction: needed a number above 0 and below 1; got 1.0"),
        (with_keys("data", standardize=1), "data.standardize: needed true | false; got 1"),
        ({"data": {"source": "field", "partition": "kmeans"}}, "data.partition: not for"),
        ({"data": {"source": "field", "test_count": 5}}, "data.test_count: not for"),
        (with_keys("agents", count=True), "agents.count: needed a whole number of at least 1; got true"),
        (with_keys("agents", batch_size="20"), 'agents.batch_size: needed a whole number of at least 1; got "20"'),
        (
            with_keys("agents", lengthscale=[1.0, -1.0]),
            'agents.lengthscale: needed a number above 0, or a list of numbers above 0, or "pilot" | "own"; got',
        ),
        (with_keys("agents", noise_variance=float("nan")), "agents.noise_variance: needed a number above 0"),
        (with_keys("agents", projection_std=0.1), 'agents.projection_std: above 0 it needs shared = "latent"'),
        (with_keys("agents", encoding="importence"), 'got "importence"; did you mean "importance"?'),
        (with_keys("agents", lenghtscale=1.0), 'agents.lenghtscale: unknown key; did you mean "lengthscale"?'),
        (with_keys("agents", topology="ring"), "agents.topology: unknown key; did you mean network.topology?"),
        (with_keys("run", zzz=1), "run.zzz: unknown key; known keys: rounds, seed, precision, probes"),
        (with_keys("network", topology="smal-world"), 'got "smal-world"; did you mean "small-world"?'),
        (
            with_keys("network", rewiring=1.5),
            "network.rewiring: needed a number of at least 0 and of at most 1; got 1.5",
        ),
        (
            with_keys("fusion", rule="trees"),
            'fusion.rule: needed "tree" | ',
        ),
        (with_keys("run", rounds="al"), 'run.rounds: needed a whole number of at least 1, or "all"; got "al"; did you'),
        ({**AIRLINE, "netwrk": {}}, 'netwrk: unknown section; did you mean "network"?'),
        ({**AIRLINE, "seed": 1}, "seed: unknown key; did you mean run.seed?"),
        ({**AIRLINE, "name": 3}, "name: needed a text, got 3"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(mapping: dict[str, Any], text: str) -> None:
    problem = only_problem(mapping)
    assert problem.startswith("m.toml: ")
    assert text in problem
    assert not any(jargon in problem for jargon in ("pydantic", "http", "type=", "Literal", "validation"))


@pytest.mark.parametrize(
    "network, text",
    [
        ({"loss": 1.0}, "network.loss: needed a number of at least 0 and below 1; got 1.0"),
        ({"los": 0.1}, 'network.los: unknown key; did you mean "loss"?'),
        ({"burst": 3.0}, "network.burst: says how losses come together: it needs network.loss above 0"),
        ({"loss": 0.8, "burst": 2.0}, "network.burst: with a loss of 0.8 needed at least 4"),
        ({"delay": 0.5}, 'network.delay: a fixed delay needs whole rounds, or delays = "geometric"; got 0.5'),
        ({"delays": "geometric"}, "network.delays: says how delays vary: it needs network.delay above 0"),
        ({"delay": 1, "delays": "geometrc"}, 'got "geometrc"; did you mean "geometric"?'),
        ({"bandwidth": 0}, "network.bandwidth: needed a whole number of at least 1; got 0"),
        ({"churn": 1.5}, "network.churn: needed a number of at least 0 and of at most 1; got 1.5"),
        ({"absence": 0}, "network.absence: needed a number of at least 1; got 0"),
        ({"byzantine": -1}, "network.byzantine: needed a whole number of at least 0; got -1"),
        ({"speed": 0.1}, 'network.speed: agents that move are linked where they are close: it needs topology = "geom'),
        ({"reach": 0.1}, "network.reach: says which moving agents are linked: it needs network.speed above 0"),
        ({"away": [{"agent": "a", "leave": 3, "back": 3}]}, "network.away: needed a round to come back in after"),
        ({"away": [{"agent": "a", "leave": 0, "back": 3}]}, "network.away: needed a list of tables with agent (a text"),
        ({"away": [{"agent": "a", "leave": 2, "bck": 3}]}, "network.away: needed a list of tables with agent (a text"),
        ({"away": "a"}, "network.away: needed a list of tables with agent (a text), leave (a whole number"),
    ],
)
def test_what_is_wrong_with_a_network_that_fails_is_said_in_plain_words(network: dict[str, Any], text: str) -> None:
    assert text in only_problem(with_keys("network", **network))


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


def test_a_rule_takes_its_own_options_and_they_are_kept_and_count_in_the_hash(tmp_path: Path) -> None:
    scenario = resolve(AIRLINE, "m", ["fusion.rule=consensus", "fusion.tolerance=1e-9", "fusion.weights=max-degree"])
    assert scenario.fusion.options == {"tolerance": 1e-9, "weights": "max-degree"}
    again = read_scenario(write(tmp_path, scenario.to_toml(), "config.toml"))
    assert again.fusion == scenario.fusion
    assert scenario.hash8() != resolve(AIRLINE, "m", ["fusion.rule=consensus"]).hash8()


@pytest.mark.parametrize(
    "fusion, text",
    [
        ({"rule": "tree", "tolerence": 1e-9}, 'fusion.tolerence: unknown key; did you mean "tolerance"?'),
        (
            {"rule": "tree", "zzz": 1},
            "fusion.zzz: unknown key; known keys: rule, rounds_per_step, every, tolerance, most",
        ),
        ({"rule": "tree", "topology": "ring"}, "fusion.topology: unknown key; did you mean network.topology?"),
        ({"rule": "tree", "most": 1.5}, "fusion.most: needed a whole number; got 1.5"),
        ({"rule": "tree", "most": True}, "fusion.most: needed a whole number; got true"),
        ({"rule": "server", "repeat": 1}, "fusion.repeat: needed true | false; got 1"),
        ({"rule": "consensus", "weights": "metropols"}, 'got "metropols"; did you mean "metropolis"?'),
        ({"rule": "tree", "weights": "metropolis"}, 'fusion.weights: the rule "tree" does not take it'),
        ({"rule": "consensus", "trim": -1}, "fusion.trim: "),
    ],
)
def test_options_that_a_rule_does_not_take_are_refused(fusion: dict[str, Any], text: str) -> None:
    assert text in only_problem(with_keys("fusion", **fusion))
    with pytest.raises(ValueError, match=r"unknown key|needed|does not take it|trim must"):
        fusion_settings.FusionSettings(**fusion)


@pytest.mark.parametrize("rule", registry.RULES)
def test_what_a_rule_finds_out_about_the_network_cannot_be_set(rule: str) -> None:
    kind = registry.rule_class(rule)
    fitted = {part.name for part in dataclasses.fields(kind) if part.metadata.get("fitted")}  # type: ignore[arg-type]
    assert not fitted & set(fusion_settings.rule_options(rule) or {})


@pytest.mark.parametrize("rule", registry.RULES)
def test_a_rule_takes_its_own_defaults_as_options(rule: str) -> None:
    made = registry.rule_named(rule)
    options = {name: getattr(made, name) for name in fusion_settings.rule_options(rule) or {}}
    assert fusion_settings.FusionSettings(rule=rule, **options).options == options


def test_a_rule_that_cannot_be_loaded_here_leaves_its_options_alone() -> None:
    scenario = resolve(with_keys("fusion", rule="nowhere:Rule", strength=3), "m")
    assert scenario.fusion.options == {"strength": 3}


def test_a_new_fusion_rule_is_allowed_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.RULES, "committee", registry.RULES["tree"])
    assert resolve(with_keys("fusion", rule="committee"), "m").fusion.rule == "committee"
    assert '| "committee"' in only_problem(with_keys("fusion", rule="committees"))


def test_a_rule_is_read_by_its_former_name() -> None:
    for former, present in registry.FORMER_NAMES.items():
        assert resolve(with_keys("fusion", rule=former), "m").fusion.rule == present
        assert registry.rule_class(former) is registry.RULES[present]


def test_importance_weights_get_an_uncertain_projection() -> None:
    assert resolve(with_keys("agents", encoding="importance"), "m").agents.projection_std == 0.1
    assert resolve(with_keys("agents", encoding="importance", projection_std=0.3), "m").agents.projection_std == 0.3
    assert resolve(AIRLINE, "m").agents.projection_std == 0.0


def test_settings_made_in_python_obey_the_same_laws() -> None:
    with pytest.raises(ValueError, match="not together with"):
        DataSettings(source="a.csv", target="y", agent="b", partition="random")
    with pytest.raises(ValueError, match="shared"):
        AgentsSettings(projection_std=0.1)


@pytest.mark.parametrize(
    "content, text",
    [
        (b"[data]\nsource = \n", ":2: not valid TOML"),
        (b"[data]\nseed = 1\nseed = 2\n", ":3: not valid TOML"),
        (b'[data]\nsource = "a', ":2: not valid TOML"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "is not a TOML file: it is not UTF-8 text"),
        (b"PK\x03\x04\x00\x00", "is not a TOML file: it holds binary data"),
        (b"", "data.source: missing"),
    ],
)
def test_a_file_that_is_not_toml_is_refused(content: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "points.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_scenario(path)
    assert str(caught.value).startswith(str(path))
    assert text in str(caught.value)


def test_a_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    write(tmp_path, ISSUE_TOML)
    with pytest.raises(ConfigError, match=r'pionts\.toml: no such file; did you mean "points\.toml"\?'):
        read_scenario(tmp_path / "pionts.toml")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder; needed a TOML file"):
        read_scenario(tmp_path)


def test_a_byte_order_mark_and_windows_line_ends_are_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "points.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ISSUE_TOML.replace("\n", "\r\n").encode())
    assert read_scenario(path).run.probes == 20


def test_the_error_survives_pickling() -> None:
    error = ConfigError("one", "two")
    assert str(pickle.loads(pickle.dumps(error))) == "one\ntwo"


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
