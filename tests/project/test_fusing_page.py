"""The page on fusing models tells the truth: its Python and its command lines run as they stand."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coolgp.scenarios.cli.app import app
from coolgp.scenarios.experiments.handed.registry import HANDED_RULES
from coolgp.scenarios.experiments.handed.settings import RuleSettings

from tests.paths import ROOT

PAGE = (ROOT / "docs" / "fusing-models.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_python_and_then_the_commands_run_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec("\n".join(blocks("python")), {})
    said = re.search(r"(0\.\d+) of local models, (0\.\d+) fused", capsys.readouterr().out)
    assert said is not None
    assert float(said[2]) > float(said[1])
    for line in blocks("bash")[0].splitlines():
        done = CliRunner().invoke(app, shlex.split(line)[1:], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        out = line.split("--out ")[1].split()[0]
        assert {out, f"{out}.json"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("rule", HANDED_RULES)
def test_every_rule_and_its_settings_are_in_the_table(rule: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{rule}` |"))
    assert set(RuleSettings.options_named(rule) or ()) <= set(re.findall(r"`(\w+)`", row))
    assert set(HANDED_RULES[rule].leaves) <= set(re.findall(r"`(\.\w+)`", row))
