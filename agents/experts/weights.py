"""The network behind any model that has weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.formats.files import read_model_file
from coolgp.agents.experts.network import Network

__all__ = ["network_in"]


def network_in(model: Any) -> Network:
    """The network of a model whose weights can be fused.

    model: a network, anything that :func:`coolgp.agents.experts.adapters.expert_of` takes, or the path of a model
    file. Raises ValueError for a model without weights, and sklearn's NotFittedError before `fit`.
    """
    if isinstance(model, Network):
        return model
    expert = expert_of(read_model_file(model) if isinstance(model, str | Path) else model)
    if not isinstance(expert.parameters, Network):
        raise ValueError(f"needed a neural network, whose weights are fused; {expert.name} has no weights to fuse")
    return expert.parameters
