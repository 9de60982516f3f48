"""Reading and writing model files by their ending, and models at addresses; what is refused, and how to convert it.

A new format is a module here and an entry of `FORMATS`.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from coolgp.agents.experts.formats.description import DESCRIPTION
from coolgp.agents.experts.formats.format import Format
from coolgp.agents.experts.formats.npz import NPZ
from coolgp.agents.experts.formats.onnx import ONNX
from coolgp.agents.experts.formats.safetensors import SAFETENSORS
from coolgp.agents.experts.formats.skops import SKOPS
from coolgp.agents.experts.queries.server import is_address, server_at

__all__ = ["FORMATS", "read_model_file", "sha256", "write_model_file"]

FORMATS: dict[str, Format] = {
    ".safetensors": SAFETENSORS,
    ".npz": NPZ,
    ".skops": SKOPS,
    ".onnx": ONNX,
    ".toml": DESCRIPTION,
}
"""By the ending of a file's name."""

_PICKLES = "loading a pickle runs whatever code it holds"
_SKOPS = f'{_PICKLES}; where you trust it, convert it: skops.io.dump(model, "model.skops")'
_TORCH = f'{_PICKLES}; convert it: safetensors.torch.save_file(model.state_dict(), "model.safetensors")'
REFUSED = {".pkl": _SKOPS, ".pickle": _SKOPS, ".joblib": _SKOPS, ".pt": _TORCH, ".pth": _TORCH, ".bin": _TORCH}
"""Endings of files that are never loaded, and what to do instead."""


def read_model_file(path: str | Path) -> Any:
    """The model in a file or at an address, as :func:`coolgp.agents.experts.adapters.expert_of` takes it.

    Raises ValueError with one sentence, path first, for a file that is missing, damaged, of another kind, or refused.
    """
    if is_address(path):
        return server_at(str(path))
    path = Path(path)
    if path.suffix.lower() in REFUSED:
        raise ValueError(f"{path}: is refused: {REFUSED[path.suffix.lower()]}")
    if not path.is_file():
        raise ValueError(
            f"{path}: {'is a folder, needed a model file (of a run: load_model)' if path.is_dir() else 'no such file'}"
        )
    form = _format(path)
    try:
        return form.read(path)
    except ValueError as problem:
        raise ValueError(f"{path}: {problem}") from problem
    except OSError as problem:
        raise ValueError(f"{path}: cannot be read: {problem.strerror or problem}") from problem


def write_model_file(path: str | Path, model: Any, texts: dict[str, str] | None = None) -> None:
    """Write a model, whole or not at all. texts: a few words beside it, where the format has a place for them.

    Raises ValueError where the ending is of no format that is written, or the model is not one that it holds.
    """
    path = Path(path)
    write = _format(path).write
    if write is None:
        raise ValueError(f"{path}: models are not written as {path.suffix}: take {_written()}")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(beside, model, texts or {})
        beside.replace(path)
    except TypeError as problem:
        raise ValueError(f"{path}: {problem}; got {type(model).__name__}") from problem
    finally:
        beside.unlink(missing_ok=True)


def sha256(path: str | Path) -> str:
    """The checksum of a file, by which a card names the models that were fused."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _format(path: Path) -> Format:
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{path}: needed a model file that ends in {', '.join(FORMATS)}; got {path.suffix or 'none'}")
    return FORMATS[path.suffix.lower()]


def _written() -> str:
    return ", ".join(ending for ending, form in FORMATS.items() if form.write)
