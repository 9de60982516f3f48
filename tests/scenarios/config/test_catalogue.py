"""Laws of the scenarios that come with the package, and of loading one by name, path or mapping."""

import ast
from pathlib import Path
from typing import Any

import pytest

from coolgp.scenarios import load_scenario
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config import catalogue as module
from coolgp.scenarios.config.catalogue import catalogue, is_study

DESCRIBED = '"""One line.\n\nA second paragraph."""\n\n'


def test_every_scenario_can_be_loaded_by_its_name_and_its_file_runs_by_itself() -> None:
    assert len(catalogue()) > 10
    for name, packaged in catalogue().items():
        assert load_scenario(name).name == name
        assert packaged.headline
        (text,) = (path.read_text("utf-8") for path in module.scenario_files() if path.stem == name.replace("-", "_"))
        assert f'run_script("{name}")' in text


def test_files_of_scenarios_import_nothing_but_the_command_line_that_runs_them() -> None:
    for path in module.scenario_files():
        top = ast.parse(path.read_text(encoding="utf-8")).body
        assert not [node for node in top if isinstance(node, (ast.Import, ast.ImportFrom))], path.name
        *_, last = top
        assert ast.unparse(last).startswith(
            "if __name__ == '__main__':\n    from coolgp.scenarios.cli.app import run_script"
        )


def test_a_scenario_is_a_file_beside_the_rooms_or_in_a_room_of_scenarios_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = 'SETTINGS = {"data": {"source": "field"}, "agents": {"count": 7}}\n'
    (tmp_path / "my_own.py").write_text(f'{DESCRIBED}{settings}GRID = {{"run.seed": (0, 1)}}\n')
    (tmp_path / "__init__.py").write_text("")
    for room in ("room", *module.ROOMS):
        (tmp_path / room).mkdir()
        (tmp_path / room / f"in_{room}.py").write_text(f"{DESCRIBED}{settings}")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    catalogue.cache_clear()
    try:
        assert list(catalogue()) == ["in-apart", "in-paper", "my-own"]
        assert is_study("my-own")
        assert load_scenario("my-own").agents.count == 7
        assert module.about("my-own", "field") == ["One line.", "A second paragraph."]
    finally:
        catalogue.cache_clear()


def test_a_name_a_path_and_a_mapping_load_alike(tmp_path: Path) -> None:
    named = load_scenario("field", ["run.seed=3"])
    path = tmp_path / "study.toml"
    path.write_text(named.to_toml(), encoding="utf-8")
    for given in (path, str(path), catalogue()["field"].mapping):
        assert load_scenario(given, ["run.seed=3"]) == named


def test_a_mapping_is_checked_like_a_file() -> None:
    with pytest.raises(ConfigError, match=r'^scenario: agents\.cuont: unknown key; did you mean "count"\?$'):
        load_scenario({"data": {"source": "field"}, "agents": {"cuont": 3}})


@pytest.mark.parametrize("given", [3, None, ["field"]])
def test_anything_else_is_refused_in_words(given: Any) -> None:
    with pytest.raises(
        ConfigError, match=f"the path of a TOML file, or a mapping of sections; got {type(given).__name__}"
    ):
        load_scenario(given)
