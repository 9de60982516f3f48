"""``.npz``: the weights of a network, as tensors ``N.weight``, ``N.bias`` or as a plain list ``W0, b0, W1, b1, …``.

Or surrogates of experts, fused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from coolgp.agents.base.archives import arrays_in
from coolgp.agents.experts.formats.format import Format
from coolgp.agents.experts.formats.surrogates import KIND, FusedSurrogate, arrays_of_surrogate, surrogate_of_arrays
from coolgp.agents.experts.formats.tensors import named_tensors, network_of_tensors, texts_of
from coolgp.agents.experts.network import Network

__all__ = ["NPZ"]

TEXTS = ("activation", "classes")


def read(path: Path) -> Network | FusedSurrogate:
    """The model in a file: of a network, named tensors or ``numpy.savez(path, *arrays)`` with weights ``[in, out]``."""
    arrays = arrays_in(path)
    if KIND in arrays:
        return surrogate_of_arrays(arrays)
    texts = {name: str(arrays.pop(name)) for name in TEXTS if name in arrays}
    if arrays and all(name.startswith("arr_") for name in arrays):
        arrays = _named([arrays[f"arr_{i}"] for i in range(len(arrays))])
    return network_of_tensors(arrays, texts)


def write(path: Path, model: Any, texts: dict[str, str]) -> None:
    """Store a network, or fused surrogates."""
    if isinstance(model, FusedSurrogate):
        arrays = arrays_of_surrogate(model)
    elif isinstance(model, Network):
        arrays = {**named_tensors(model), **texts_of(model)}
    else:
        raise TypeError(".npz files hold networks and fused surrogates alone")
    with path.open("wb") as file:
        np.savez(file, **arrays)


def _named(arrays: list[Any]) -> dict[str, Any]:
    if len(arrays) % 2:
        raise ValueError(f"needs a list of weights and biases in turn; got {len(arrays)} arrays")
    layers = zip(arrays[::2], arrays[1::2], strict=True)
    pairs = [{f"{i}.weight": weight.T, f"{i}.bias": bias} for i, (weight, bias) in enumerate(layers)]
    return {name: array for pair in pairs for name, array in pair.items()}


NPZ = Format("weights of a network or of fused surrogates, by NumPy", read, write)
