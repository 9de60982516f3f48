"""The rule "spahm": sparse GPs that were fitted apart, fused over a graph through matched inducing inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from coolgp.agents.experts.formats.files import read_model_file
from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.experiments.run import run
from coolgp.scenarios.records.run_folder import read_metrics

AGENTS = 5
SETTINGS: dict[str, Any] = {
    "data": {"source": "field", "observations": 500},
    "experts": {"model": "sparse-gp", "count": AGENTS, "inducing": 12, "iterations": 10},
    "network": {"topology": "ring"},
    "fusion": {"rule": "spahm"},
}
TIMES = ("seconds", "seconds_training")


def metrics(folder: Path, *overrides: str) -> dict[str, float]:
    run(load_scenario(SETTINGS, overrides), folder, figures=False)
    return {name: column[-1] for name, column in read_metrics(folder).items() if name not in TIMES}


@pytest.fixture(scope="module")
def on_a_tree(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    folder = tmp_path_factory.mktemp("spahm") / "run"
    return folder, metrics(folder)


@pytest.mark.parametrize("via", ["consensus", "central"])
def test_every_rule_of_sums_carries_the_same_evidence(
    via: str, on_a_tree: tuple[Path, dict[str, float]], tmp_path: Path
) -> None:
    other = metrics(tmp_path / "run", f"fusion.via={via}")
    for name in ("rmse_post", "rmse_worst_post", "nlpd_post", "crps_post"):
        assert other[name] == pytest.approx(on_a_tree[1][name], rel=1e-9)


def test_all_agents_predict_as_the_fusion_of_their_models_in_one_place(
    on_a_tree: tuple[Path, dict[str, float]],
) -> None:
    folder, scores = on_a_tree
    models = [read_model_file(folder / "experts" / f"agent-{agent}.skops") for agent in range(AGENTS)]
    fused = SPAHM().fuse(models)
    assert scores["rmse_post"] == pytest.approx(scores["rmse_worst_post"], rel=1e-12)  # a mean of equal numbers
    assert scores["rmse_post"] < 0.8 * scores["rmse_pre"]
    assert scores["parameters"] == fused.model.size
    assert scores["error_post"] < scores["error_pre"]


@pytest.mark.parametrize("override", ["fusion.form=published", "fusion.leftover=true"])
def test_other_forms_of_fusion_are_better_than_local_models(override: str, tmp_path: Path) -> None:
    scores = metrics(tmp_path / "run", override)
    assert scores["rmse_worst_post"] < scores["rmse_pre"]


def test_before_all_evidence_has_arrived_agents_predict_from_what_they_have(
    on_a_tree: tuple[Path, dict[str, float]], tmp_path: Path
) -> None:
    early = metrics(tmp_path / "early", "fusion.rounds_per_step=1")
    late = metrics(tmp_path / "late", "fusion.rounds_per_step=1", "run.rounds=4")
    assert on_a_tree[1]["rmse_post"] < early["rmse_post"] < early["rmse_pre"]
    assert late["rmse_post"] == pytest.approx(on_a_tree[1]["rmse_post"], rel=1e-9)


@pytest.mark.parametrize("matching", ["token", pytest.param("everyone", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_ranks_give_the_same_numbers(matching: str, on_ranks: Callable[..., Any], tmp_path: Path) -> None:
    fusion = SETTINGS["fusion"] | {"matching": matching}
    (tmp_path / "study.toml").write_text(tomli_w.dumps(SETTINGS | {"fusion": fusion}))
    arguments = ("run", tmp_path / "study.toml", "--out", tmp_path / "run", "--no-figures")
    done = on_ranks(2, "coolgp.scenarios", *arguments, runner=("-m",))
    assert done.returncode == 0, done.stderr
    ranked = {name: column[-1] for name, column in read_metrics(tmp_path / "run").items() if name not in TIMES}
    np.testing.assert_equal(ranked, metrics(tmp_path / "serial", f"fusion.matching={matching}"))  # NaN too


@pytest.mark.parametrize(
    ("section", "settings", "message"),
    [
        ("experts", {"model": "ridge"}, "the model of agent 0 is none"),
        ("network", {"topology": "ring", "loss": 0.1}, "needs a network where nothing fails"),
        ("data", {"source": "digits"}, "the data have classes"),
    ],
)
def test_what_cannot_be_matched_is_refused(
    section: str, settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    changed = {**SETTINGS, section: settings}
    if section == "data":
        changed["experts"] = {"model": "mlp"}
    with pytest.raises(ValueError, match=message):
        run(load_scenario(changed), tmp_path / "run", figures=False)


def test_local_models_are_those_of_the_run_alone(on_a_tree: tuple[Path, dict[str, float]], tmp_path: Path) -> None:
    alone = metrics(tmp_path / "run", "fusion.rule=alone")
    assert np.isclose(alone["rmse_post"], on_a_tree[1]["rmse_pre"])
