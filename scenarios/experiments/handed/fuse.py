"""Fusing models in files: read, check, fuse, write the model with a card beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from coolgp.agents.experts.formats.files import sha256, write_model_file
from coolgp.agents.experts.formats.format import library
from coolgp.agents.experts.network import Network, mlp_of
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.queries.server import is_address
from coolgp.scenarios.base.environment import installed
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.base.files import write_table, write_whole
from coolgp.scenarios.base.lock import claimed_file
from coolgp.scenarios.experiments.handed.models import read_experts
from coolgp.scenarios.experiments.handed.registry import HANDED_RULES
from coolgp.scenarios.experiments.handed.rows import read_queries, read_shards
from coolgp.scenarios.experiments.handed.rule import PREDICTIONS, Handed, HandedRule, InFolder, Outcome, TakesInputs
from coolgp.scenarios.experiments.handed.settings import settings_from
from coolgp.scenarios.records.asked import shown_path
from coolgp.scenarios.records.model import stored_in, stored_in_folder

__all__ = ["FuseRequest", "FusedFiles", "card_of", "fuse_files", "model_entry", "versions"]

LIBRARIES = {".safetensors": ("safetensors", "safetensors"), ".skops": ("skops", "skops")}
"""What writes files of an ending, and the extra that brings it."""


@dataclass(frozen=True, kw_only=True)
class FuseRequest:
    """What is asked for: models by path, rule and graph by name, settings ``section.key=value``, and the files."""

    models: Sequence[str]
    rule: str = "pfnm"
    graph: str | None = None
    items: Sequence[str] = ()
    shards: Sequence[Path] = ()
    inputs: Path | None = None
    target: str | None = None
    seed: int = 0
    out: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class FusedFiles:
    """What was made: the model or table, its card, and what the rule says of them."""

    out: Path
    card: Path
    outcome: Outcome


def fuse_files(request: FuseRequest) -> FusedFiles:
    """Fuse models in files. Raises ValueError with one sentence for each thing that is wrong, before any is written."""
    settings = settings_from(request.rule, request.graph, request.items)
    out = _checked_out(request, settings.name, settings.rule)
    boxes = settings.boxes(read_experts(request.models, settings.asking))
    experts = [box.expert for box in boxes]
    graph = settings.graph(len(experts), request.seed)
    shards = read_shards(request.shards, request.target, experts)
    queries = read_queries(request.inputs, request.target, experts)
    if queries is not None and not isinstance(settings.rule, TakesInputs):
        takers = [name for name, kind in HANDED_RULES.items() if isinstance(kind, TakesInputs)]
        raise ConfigError(f"--inputs: {settings.name} asks nothing at inputs; they are for {' and '.join(takers)}")
    at_least = settings.asking.at_least
    handed = Handed(request.models, experts, shards, queries, graph, request.seed, boxes, at_least)
    outcome = settings.rule.fuse(handed)
    card = card_of(out)
    with claimed_file(out):  # model and card are of one command, whoever else writes here
        _check_unwritten(request, out)
        _write(out, outcome.model)
        contents = json.dumps(_card(request, settings.name, outcome, out, boxes), indent=2, ensure_ascii=False)
        write_whole(card, f"{contents}\n".encode())
    return FusedFiles(out, card, outcome)


def card_of(out: Path) -> Path:
    """Where the card of a fused model is.

    >>> card_of(Path("fused.npz")).name
    'fused.npz.json'
    """
    return out.with_name(f"{out.name}.json")


def _checked_out(request: FuseRequest, name: str, rule: HandedRule) -> Path:
    """The file to write. Raises ConfigError where the rule leaves no such file, or one is there."""
    out = request.out or Path(f"fused{rule.leaves[0]}")
    if not out.suffix and isinstance(rule, InFolder):
        out = stored_in_folder(out)
    if out.suffix.lower() not in rule.leaves:
        takers = [other for other, kind in HANDED_RULES.items() if out.suffix.lower() in kind.leaves]
        other = f"; such a file is left by {' and '.join(takers)}" if takers else ""
        raise ConfigError(f"{out}: {name} leaves a file that ends in {' or '.join(rule.leaves)}{other}")
    if out.suffix.lower() in LIBRARIES:
        try:
            library(*LIBRARIES[out.suffix.lower()])
        except ValueError as problem:
            raise ConfigError(f"{out}: {problem}") from problem
    inputs = [] if request.inputs is None else [request.inputs]
    read = [*(Path(path) for path in request.models if not is_address(path)), *request.shards, *inputs]
    if any(out.resolve() == path.resolve() for path in read):
        raise ConfigError(f"{out}: is one of the files that are read; name another --out")
    _check_unwritten(request, out)
    return out


def _check_unwritten(request: FuseRequest, out: Path) -> None:
    """Raise ConfigError where one of the files to write is there, and may not be written over."""
    for path in (out, card_of(out)):
        if path.is_dir() or (path.exists() and not request.overwrite):
            raise ConfigError(f"{path}: is there already; give --overwrite, or another --out")


def _write(out: Path, model: Any) -> None:
    if out.suffix.lower() == PREDICTIONS:
        write_table(out, model)
        return
    write_model_file(out, mlp_of(model) if isinstance(model, Network) and out.suffix.lower() == ".skops" else model)


def _card(request: FuseRequest, name: str, outcome: Outcome, out: Path, boxes: Sequence[BlackBox]) -> dict[str, Any]:
    """What was fused, from which files, by which rule and settings, with which versions."""
    return {
        "fused": {"file": out.name, "sha256": sha256(out), "size": outcome.fused_size},
        "models": [
            model_entry(path) | {"size": size, "asked": box.used, "density_queries": box.density_queries}
            for path, size, box in zip(request.models, outcome.sizes, boxes, strict=True)
        ],
        "shards": [{"file": str(path), "sha256": sha256(path)} for path in request.shards],
        "inputs": None if request.inputs is None else {"file": str(request.inputs), "sha256": sha256(request.inputs)},
        "rule": name,
        "settings": dict(outcome.settings),
        "graph": request.graph,
        "set": list(request.items),
        "order": outcome.order,
        "seed": request.seed,
        "remarks": list(outcome.remarks),
        "versions": versions(),
        "made": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def model_entry(path: str) -> dict[str, Any]:
    """The file of a model with its checksum, for a card."""
    return {"file": shown_path(path), "sha256": None if is_address(path) else sha256(stored_in(path))}


def versions() -> dict[str, str | None]:
    """Of what a model was made with, for a card."""
    return {package: installed(package) for package in ("coolgp", "numpy", "scipy", "scikit-learn")}
