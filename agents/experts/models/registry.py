"""All kinds of models that are trained here, by the name that a scenario gives them; a new one is a line below."""

from __future__ import annotations

from coolgp.agents.experts.models.base import TrainedModel
from coolgp.agents.experts.models.networks import MLP
from coolgp.agents.experts.models.others import Forest, Logistic, Ridge, SparseGP

__all__ = ["MODELS"]

MODELS: dict[str, type[TrainedModel]] = {
    "mlp": MLP,
    "sparse-gp": SparseGP,
    "ridge": Ridge,
    "logistic": Logistic,
    "forest": Forest,
}
