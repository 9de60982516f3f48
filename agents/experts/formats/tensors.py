"""A network as named tensors, in the naming of a PyTorch ``state_dict`` of linear layers.

``N.weight [out, in]`` and ``N.bias [out]``, where ``N`` is any prefix: numbers in it order the layers. Texts beside the
tensors may say ``activation`` and, as JSON, ``classes``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network

__all__ = ["named_tensors", "network_of_tensors", "texts_of"]


def network_of_tensors(tensors: Mapping[str, Any], texts: Mapping[str, str]) -> Network:
    """The network of these tensors; a layer without bias has one of zeros.

    Raises ValueError for tensors that are not of linear layers, or that do not fit one another.
    """
    strange = [name for name in tensors if not re.fullmatch(r".+\.(weight|bias)", name)]
    layers = sorted({name.rpartition(".")[0] for name in tensors if name.endswith(".weight")}, key=_natural)
    alone = [name for name in tensors if name.endswith(".bias") and name.rpartition(".")[0] not in layers]
    if strange or alone or not layers:
        offered = ", ".join(strange or alone or tensors) or "none"
        raise ValueError(f"needs tensors N.weight [out, in] and N.bias [out] of linear layers; got {offered}")
    for name in tensors:
        axes = 2 if name.endswith(".weight") else 1
        if np.ndim(tensors[name]) != axes:
            raise ValueError(f"can be read where all layers are linear; {name} has {np.ndim(tensors[name])} axes")
    weights = [np.asarray(tensors[f"{layer}.weight"], dtype=float).T for layer in layers]
    biases = [
        np.asarray(tensors.get(f"{layer}.bias", np.zeros(weight.shape[1])), dtype=float)
        for layer, weight in zip(layers, weights, strict=True)
    ]
    classes = _classes(texts)
    return Network(tuple(weights), tuple(biases), texts.get("activation", "relu"), classes)


def named_tensors(network: Network) -> dict[str, Array]:
    """Tensors of a network, as ``network_of_tensors`` reads them.

    Each lies in one piece in memory: safetensors would write others as they lie, and so wrongly.
    """
    layers = enumerate(zip(network.weights, network.biases, strict=True))
    named = [
        (f"{i}.{name}", array) for i, (weight, bias) in layers for name, array in (("weight", weight.T), ("bias", bias))
    ]
    return {name: np.ascontiguousarray(array) for name, array in named}


def texts_of(network: Network) -> dict[str, str]:
    """What stands beside the tensors."""
    classes = {} if network.classes is None else {"classes": json.dumps(np.asarray(network.classes).tolist())}
    return {"activation": network.activation} | classes


def _classes(texts: Mapping[str, str]) -> Array | None:
    if "classes" not in texts:
        return None
    try:
        labels = json.loads(texts["classes"])
    except ValueError:
        labels = None
    if not isinstance(labels, list) or not labels:
        raise ValueError(f"needs classes as a list in JSON; got {texts['classes']!r}")
    return np.array(labels)


def _natural(name: str) -> list[tuple[int, str]]:
    """An order in which ``fc10`` comes after ``fc9``."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", name)]
