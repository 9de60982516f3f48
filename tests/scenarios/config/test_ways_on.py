"""A message about a value or a file says how to go on, and all mistakes come at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.loading import read_scenario, resolve


@pytest.mark.parametrize(
    "item, way",
    [
        ("data.target=1987", """--set 'data.target="1987"'"""),
        ("data.agent=3e5", """--set 'data.agent="3e5"'"""),
        ("data.target=true", """--set 'data.target="true"'"""),
        ("data.features=[1, 2]", """--set 'data.features=["1", "2"]'"""),
    ],
)
def test_what_is_read_as_no_text_is_shown_in_quotes_and_these_are_taken(item: str, way: str) -> None:
    with pytest.raises(ConfigError, match="needed a") as refusal:
        resolve({}, "s", ["data.source=t.csv", "data.target=y", item])
    assert way in str(refusal.value)
    resolve({}, "s", ["data.source=t.csv", "data.target=y", way.removeprefix("--set '").removesuffix("'")])


def test_a_missing_file_is_named_with_the_other_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('[data]\nsource = "gone.csv"\ntarget = 7\n[network]\ntopology = "lost.edges"\n[run]\nrounds = 0\n')
    with pytest.raises(ConfigError) as refusal:
        read_scenario(path)
    message = str(refusal.value)
    assert f"s.toml:2: data.source: {tmp_path / 'gone.csv'}: no such file" in message
    assert f"s.toml:5: network.topology: {tmp_path / 'lost.edges'}: no such file" in message
    assert 's.toml:3: data.target: needed a text; got 7; as text: target = "7"' in message
    assert "run.rounds" in message
