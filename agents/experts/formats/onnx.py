"""``.onnx``: a model of any origin, run by onnxruntime: a black box that answers queries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Classifier, Expert, Regressor
from coolgp.agents.experts.formats.format import Format, library

__all__ = ["ONNX"]

TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64}


def read(path: Path) -> Expert:
    """A regressor, or a classifier with probabilities: one input ``[Q, D]`` of floating-point numbers."""
    runtime = library("onnxruntime", "onnx")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    try:
        session = runtime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as problem:  # onnxruntime has a class of its own for each thing that can be wrong
        raise ValueError(f"is no model that onnxruntime can load ({_first_line(problem)})") from problem
    return _expert_of_session(session, path.name)


def _expert_of_session(session: Any, name: str) -> Expert:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 2 or inputs[0].type not in TYPES:
        described = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
        raise ValueError(f"needs one input of numbers [rows, features]; got {described}")
    width = inputs[0].shape[1]
    features = width if isinstance(width, int) else None

    def run(x: Array) -> list[Any]:
        answers: list[Any] = session.run(None, {inputs[0].name: x.astype(TYPES[inputs[0].type])})
        return answers

    if len(outputs) == 1:
        return Regressor(name, lambda x: _mean_alone(run(x)[0]), features)
    return _classifier(name, run, features, outputs)


def _classifier(name: str, run: Callable[[Array], list[Any]], features: int | None, outputs: Any) -> Expert:
    """A classifier of two outputs, labels and probabilities, as scikit-learn's converters write them."""
    if len(outputs) != 2 or features is None:
        raise ValueError(f"needs one output, or labels and probabilities; got {', '.join(one.name for one in outputs)}")
    shares = run(np.zeros((1, features)))[1]
    mapped = isinstance(shares, list)  # a dictionary of probabilities by class for each row
    classes = np.array(list(shares[0]) if mapped else range(np.shape(shares)[-1]))

    def probability(x: Array) -> Array:
        answer = run(x)[1]
        rows = [[row[label] for label in classes.tolist()] for row in answer] if mapped else answer
        values: Array = np.asarray(rows, dtype=float).reshape(len(x), len(classes))
        return values

    return Classifier(name, probability, classes, features)


def _mean_alone(answer: Any) -> tuple[Array, Array]:
    mean = np.asarray(answer, dtype=float).reshape(len(answer), -1)
    if mean.shape[1] != 1:
        raise ValueError(f"needs one number a row; got {mean.shape[1]}")
    return mean[:, 0], np.full(len(mean), np.nan)


def _first_line(problem: Exception) -> str:
    return str(problem).strip().splitlines()[0][:200] if str(problem).strip() else type(problem).__name__


ONNX = Format("a black box that onnxruntime runs: a regressor, or a classifier with probabilities", read)
