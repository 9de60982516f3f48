"""Every key says what it means; what is exported is the scenario; where each value comes from is right."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.catalogue import catalogue, scenario_named
from coolgp.scenarios.config.explained_keys import explained_keys, origins
from coolgp.scenarios.config.loading import read_scenario
from coolgp.scenarios.config.scenario import SCENARIOS

from tests.command_line import coolgp_says


@pytest.mark.parametrize("kind", SCENARIOS)
def test_every_key_and_option_says_what_it_means(kind: str) -> None:
    silent = [key.dotted for key in explained_keys(kind=kind) if not key.meaning or not key.allowed]
    assert not silent


@pytest.mark.parametrize("name", catalogue())
def test_an_exported_scenario_is_the_scenario(name: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(CliRunner().invoke(app, ["export", name]).stdout, encoding="utf-8")
    assert read_scenario(file).hash8() == scenario_named(name).hash8()


def test_where_values_come_from_is_said(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text('[data]\nsource = "field"\n[run]\nrounds = 3\nseed = 1\n', encoding="utf-8")
    sets = ["run.seed=2"]
    found = origins(read_scenario(file, sets), str(file), sets)
    expected = {"run.rounds": f"{file}:4", "run.seed": "--set", "run.probes": "default"}
    assert {key: found[key] for key in expected} == expected
    assert found["data.target"] == "follows from other keys"
    assert "seed = 2 # --set" in coolgp_says("show", file, "--set", "run.seed=2")


def test_one_key_is_explained_with_its_default() -> None:
    said = coolgp_says("keys", "run.rounds")
    assert "rounds = 30" in said
    assert 'takes a whole number of at least 1, or "all"' in said
    assert "trim = 0 (of consensus)" in coolgp_says("keys", "fusion")


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [("agnts", "rounds", 'did you mean "agents"'), ("run.seeed", "rounds", "run.seed"), (None, "round", "rounds")],
)
def test_what_is_not_there_is_refused(asked: str | None, kind: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        explained_keys(asked, kind)
