"""Laws of the section [fusion]: rules by their names, and options of their own."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from coolgp.fusion import registry
from coolgp.scenarios.config.loading import read_scenario, resolve
from coolgp.scenarios.config.sections import fusion as fusion_settings

from tests.scenarios.config.written import AIRLINE, only_problem, with_keys, write


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
