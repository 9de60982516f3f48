"""``coolgp personalise``: a newcomer's model from models in files and a table of few rows, with a card beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from coolgp.agents.experts.expert import Expert
from coolgp.agents.experts.formats.files import sha256, write_model_file
from coolgp.agents.experts.formats.format import library
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.queries.black_box import QUERIES
from coolgp.fusion.personalise.choice import model_for
from coolgp.fusion.personalise.outcome import PersonalClassifier, PersonalRegressor, Request
from coolgp.fusion.personalise.owners import without_owners
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.base.files import write_table, write_whole
from coolgp.scenarios.base.lock import claimed
from coolgp.scenarios.config.loading import resolve_sections
from coolgp.scenarios.config.sections.experts import AskingSettings
from coolgp.scenarios.data.tables import read_inputs
from coolgp.scenarios.experiments.handed.classes import as_the_models_say
from coolgp.scenarios.experiments.handed.fuse import model_entry, versions
from coolgp.scenarios.experiments.handed.models import are_classifiers, check_tasks, read_models
from coolgp.scenarios.experiments.handed.owners import graph_of_models
from coolgp.scenarios.experiments.handed.rows import read_examples, read_queries
from coolgp.scenarios.records.asked import shown_path

__all__ = ["PersonalFiles", "PersonalRequest", "personalise_files"]

LEAVES = ("model.npz", "model.skops", "predictions.csv", "report.txt", "card.json")
"""What the folder of a newcomer's model may hold."""


@dataclass(frozen=True, kw_only=True)
class PersonalRequest:
    """Models by path, the newcomer's rows and their target, rows without targets, and the folder to write.

    graph: of the owners, by name or file. queries, time_limit: of a model that is only asked, as under [experts].
    """

    models: Sequence[str]
    examples: Path
    target: str
    unlabelled: Path | None = None
    graph: str | None = None
    queries: int | None = None
    time_limit: float | None = None
    out: Path = Path("mine")
    overwrite: bool = False


@dataclass(frozen=True)
class PersonalFiles:
    """What was made, and the files that were written."""

    mine: PersonalClassifier | PersonalRegressor
    written: tuple[Path, ...]


def personalise_files(request: PersonalRequest) -> PersonalFiles:
    """Make a newcomer's model of files. Raises ValueError for what does not fit, before any file is written."""
    _check_out(request)
    with claimed(request.out, "model"):
        return _personalised(request)


def _personalised(request: PersonalRequest) -> PersonalFiles:
    """Make the model, and write it to a folder that is claimed."""
    _check_out(request)
    asking = _asking(request)
    experts, broken = read_models(request.models, asking)
    check_tasks(experts)
    graph = None if request.graph is None else graph_of_models(request.graph, request.models)
    experts, out = _fitting(request, experts, broken)
    if not (are_classifiers(experts) or all(isinstance(expert.parameters, Network) for expert in experts)):
        library("skops", "skops")
    rows = read_examples(request.examples, request.target, experts)
    pool = read_queries(request.unlabelled, request.target, experts)
    y = as_the_models_say(rows.y, experts)
    names = [expert.name for expert in experts]
    if graph is not None:
        graph = without_owners(graph, [p for p, path in enumerate(request.models) if shown_path(path) in out])
    models = [expert if expert.parameters is None else expert.parameters for expert in experts]
    asked = Request(models, rows.x, y, pool, graph, names, asking.queries or QUERIES, asking.time_limit)
    mine = model_for(asked)
    mine = replace(mine, report=replace(mine.report, models_left_out=out | dict(mine.report.models_left_out)))
    for name in LEAVES:  # of an earlier model
        (request.out / name).unlink(missing_ok=True)
    written = [_write(request.out, mine, pool, "model.npz" if isinstance(mine.stored, Network) else "model.skops")]
    write_whole(request.out / "report.txt", f"{mine.report}\n".encode())
    card = json.dumps(_card(request, mine, written[0]), indent=2, ensure_ascii=False)
    write_whole(request.out / "card.json", f"{card}\n".encode())
    return PersonalFiles(mine, (*written, request.out / "report.txt", request.out / "card.json"))


def _asking(request: PersonalRequest) -> AskingSettings:
    """How models are asked. Raises ConfigError for numbers that are none of a cap or a limit."""
    given = {"queries": request.queries, "time_limit": request.time_limit}
    items = [f"experts.{key}={value}" for key, value in given.items() if value is not None]
    settings = resolve_sections({"experts": AskingSettings}, items, "coolgp personalise")["experts"]
    assert isinstance(settings, AskingSettings)
    return settings


def _fitting(
    request: PersonalRequest, experts: Sequence[Expert], broken: Mapping[str, str]
) -> tuple[list[Expert], dict[str, str]]:
    """Models that take as many inputs as the examples have, and who is left out, by name and with the reason.

    All stay where none fits: reading the rows says so.
    """
    x, _ = read_inputs(request.examples, (request.target,))
    fits = [expert for expert in experts if expert.inputs in (None, x.shape[1])]
    out = {shown_path(path): reason for path, reason in broken.items()}
    if not experts:
        raise ConfigError("no model is left", *(f"{name}: {reason}" for name, reason in out.items()))
    if not fits:
        return list(experts), out
    reason = f"the newcomer's rows have {x.shape[1]}"
    out |= {each.name: f"takes {each.inputs} inputs; {reason}" for each in experts if each not in fits}
    return fits, out


def _check_out(request: PersonalRequest) -> None:
    if request.out.exists() and not request.out.is_dir():
        raise ConfigError(f"{request.out}: is a file; --out needs a folder")
    there = [name for name in LEAVES if (request.out / name).exists()]
    if there and not request.overwrite:
        raise ConfigError(f"{request.out / there[0]}: is there already; give --overwrite, or another --out")


def _write(out: Path, mine: PersonalClassifier | PersonalRegressor, pool: Any, name: str) -> Path:
    """The model, or, where there is no form of file for it, its predictions for the rows without targets."""
    if mine.stored is not None:
        write_model_file(out / name, mine.stored)
        return out / name
    assert isinstance(mine, PersonalClassifier)  # alone has models without a form of file
    shares, labels = mine.predict_proba(pool), mine.predict(pool).tolist()
    columns = [f"probability_{label}" for label in mine.classes_.tolist()]
    rows = [
        {"class": label} | dict(zip(columns, own, strict=True))
        for label, own in zip(labels, shares.tolist(), strict=True)
    ]
    write_table(out / "predictions.csv", rows)
    return out / "predictions.csv"


def _card(request: PersonalRequest, mine: PersonalClassifier | PersonalRegressor, written: Path) -> dict[str, Any]:
    """From which files the model is, what was chosen and why, with which versions."""
    pool = request.unlabelled
    return {
        "personal": {"file": written.name, "sha256": sha256(written)},
        "models": [model_entry(path) for path in request.models],
        "examples": {"file": str(request.examples), "sha256": sha256(request.examples), "target": request.target},
        "graph": request.graph,
        "unlabelled": None if pool is None else {"file": str(pool), "sha256": sha256(pool)},
        "report": asdict(mine.report),
        "versions": versions(),
        "made": datetime.now().astimezone().isoformat(timespec="seconds"),
    }
