"""``.safetensors``: the weights of a network, as PyTorch names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coolgp.agents.experts.formats.format import Format, library
from coolgp.agents.experts.formats.tensors import named_tensors, network_of_tensors, texts_of
from coolgp.agents.experts.network import Network

__all__ = ["SAFETENSORS"]


def read(path: Path) -> Network:
    """The network in a file; tensors in half precision are read, in bfloat16 refused."""
    safetensors = library("safetensors", "safetensors")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            texts = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no mapping: it has keys alone
    except TypeError as problem:
        raise ValueError("holds tensors of a type that NumPy has not (bfloat16): save them as float32") from problem
    except safetensors.SafetensorError as problem:
        raise ValueError(f"is no readable safetensors file ({problem})") from problem
    return network_of_tensors(tensors, texts)


def write(path: Path, model: Any, texts: dict[str, str]) -> None:
    """Store a network."""
    if not isinstance(model, Network):
        raise TypeError("safetensors files hold networks alone")
    library("safetensors.numpy", "safetensors").save_file(named_tensors(model), path, texts_of(model) | texts)


SAFETENSORS = Format("weights of a network, as a PyTorch state_dict names them", read, write)
