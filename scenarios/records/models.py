"""Models of any origin, in files or in run folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Regressor
from coolgp.agents.experts.formats.files import read_model_file
from coolgp.agents.experts.formats.surrogates import holds_surrogates
from coolgp.agents.experts.network import Network
from coolgp.agents.sparse.gp import SparseGP
from coolgp.scenarios.records.model import SavedModel, load_model, stored_in_folder

__all__ = ["model_in", "with_classes"]


def model_in(path: str | Path) -> Any:
    """The model in a file or a run folder, as :func:`coolgp.agents.experts.adapters.expert_of` takes it.

    Raises ValueError with one sentence for whatever cannot be read.
    """
    if not Path(path).is_dir():
        return read_model_file(path)
    if holds_surrogates(stored_in_folder(path)):
        return read_model_file(stored_in_folder(path))
    saved = load_model(path)

    def moments(x: Array) -> tuple[Array, Array]:
        forecast = saved.predict(x)
        return forecast.mean, np.sqrt(forecast.variance)

    parameters, closed = _opened(saved)
    inputs = len(saved.features)
    return Regressor(Path(path).name, moments, inputs, parameters, closed, features=saved.features)


def _opened(saved: SavedModel) -> tuple[SparseGP | None, str]:
    """The sparse GP that a run left, or why it is none."""
    try:
        return saved.to_sparse_gp(), ""
    except ValueError as problem:
        return None, str(problem)


def with_classes(network: Network, labels: Sequence[Any]) -> Network:
    """The network with labels for its outputs. Raises ValueError unless there is one for each."""
    outputs = len(network.biases[-1])
    if outputs != len(labels):
        raise ValueError(f"has {outputs} outputs; needed one for each of {len(labels)} classes")
    return replace(network, classes=np.array(labels))
