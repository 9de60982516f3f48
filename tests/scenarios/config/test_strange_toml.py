"""TOML that nobody writes by hand: one sentence for each, never a traceback."""

from __future__ import annotations

import numpy as np
import pytest

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.loading import read_scenario, resolve

SEED = """# a scenario
name = "one"
[data]
source = "field"
[agents]
count = 4
lengthscale = [0.5, 0.25]
[network]
topology = "ring"
away = [{agent = "1", leave = 2, back = 3}]
[run]
rounds = 2
"""
PIECES = (
    "[[",
    "]",
    "{",
    "}",
    "=",
    "[data]",
    "\n",
    '"',
    "'",
    "\\",
    "nan",
    "inf",
    "-1",
    "1e999",
    "1979-05-27",
    "0x" + "f" * 40,
)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[data]\nsource = " + "[" * 1500 + "]" * 1500, "nested"),
        ("[data]\nsource = " + "[" * 60 + "]" * 60, "nested"),
        ("[run]\nseed = " + "9" * 5000, "whole number"),
        ("[run]\nseed = 0x" + "f" * 5000, "whole number"),
        ("a" + ".a" * 3000 + " = 1", "nested"),
    ],
)
def test_deep_nesting_and_long_numbers_are_refused(tmp_path, text, word):
    path = tmp_path / "odd.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=word) as caught:
        read_scenario(path)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("rule", ["..:x", ".:x", "a..b:x", ":x", "os.:path"])
def test_a_rule_that_is_no_name_is_refused(rule):
    with pytest.raises(ConfigError, match=r"fusion\.rule: needed"):
        resolve({"data": {"source": "field"}}, "odd", [f'fusion.rule="{rule}"'])


@pytest.mark.parametrize("key", ["data.source", "network.topology"])
def test_a_path_with_a_null_character_is_named(key):
    with pytest.raises(ConfigError, match=key):
        resolve({}, "odd", [f'{key}="a\\u0000.csv"'])


def test_deep_values_of_overrides_are_refused():
    with pytest.raises(ConfigError, match="--set run"):
        resolve({"data": {"source": "field"}}, "odd", ["run.seed=" + "[" * 3000 + "]" * 3000])


@pytest.mark.parametrize("tries", [200, pytest.param(6_000, marks=pytest.mark.slow)])
def test_no_damaged_scenario_gives_a_traceback(tmp_path, tries):
    rng, path = np.random.default_rng(tries), tmp_path / "odd.toml"
    for _ in range(tries):
        text = SEED
        for at in rng.integers(len(SEED), size=rng.integers(1, 5)).tolist():
            text = text[:at] + PIECES[rng.integers(len(PIECES))] + text[at + int(rng.integers(6)) :]
        path.write_text(text)
        try:
            read_scenario(path)
        except ConfigError as problem:
            assert all(len(line) < 1000 for line in problem.problems)  # noqa: PT017
