"""All kinds of models that are trained here, by the name that a scenario gives them; a new one is a line below."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["MODEL_REFERENCES", "model_class", "name_of"]

MODEL_REFERENCES = {
    "mlp": "coolgp.agents.experts.models.networks:MLP",
    "sparse-gp": "coolgp.agents.experts.models.others:SparseGP",
    "gp": "coolgp.agents.experts.models.exact_gp:ExactGP",
    "ridge": "coolgp.agents.experts.models.others:Ridge",
    "svr": "coolgp.agents.experts.models.svr:SupportVectors",
    "nearest": "coolgp.agents.experts.models.nearest:Nearest",
    "logistic": "coolgp.agents.experts.models.others:Logistic",
    "forest": "coolgp.agents.experts.models.others:Forest",
    "mixed": "coolgp.agents.experts.models.mixed:Mixed",
}
"""Each as ``module:Class``: naming a kind needs none of them, and none of scikit-learn."""


def model_class(name: str) -> Any:
    """The record of settings of a kind, by its name."""
    module, _, record = MODEL_REFERENCES[name].partition(":")
    return getattr(import_module(module), record)


def name_of(kind: object) -> str:
    """The name of a kind by its record; that of its class where the table does not have it."""
    reference = f"{type(kind).__module__}:{type(kind).__name__}"
    return next((name for name, known in MODEL_REFERENCES.items() if known == reference), type(kind).__name__)
