"""Laws of what is refused: where, all at once, and in which words."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.loading import read_scenario
from coolgp.scenarios.config.scenario import AgentsSettings, DataSettings

from tests.scenarios.config.written import AIRLINE, ISSUE_TOML, only_problem, problems, with_keys, write


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


def test_the_error_survives_pickling() -> None:
    error = ConfigError("one", "two")
    assert str(pickle.loads(pickle.dumps(error))) == "one\ntwo"
