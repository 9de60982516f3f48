"""Two classes: agents that fuse sums, one model of all rows, and scikit-learn.

``python -m benchmarks.accuracy.classes [SEEDS]`` prints the table of docs/classification.md: means and standard
deviations over seeds, after all rows.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from sklearn.linear_model import LogisticRegression

import coolgp
from coolgp.agents.base.arrays import Array
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.likelihoods.bernoulli import expected_logistic
from coolgp.agents.sparse.collapsed import posterior_of_rows
from coolgp.agents.sparse.parameters import Parameters
from coolgp.agents.sparse.two_classes import Labelled
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.data.scaler import Scaler
from coolgp.scenarios.metrics.class_scores import accuracy, brier, calibration_error, log_loss
from coolgp.scenarios.simulation.initialisation import SharedStart
from coolgp.scenarios.simulation.labelled_start import start_from_labels

SCORES = {"accuracy": accuracy, "log_loss": log_loss, "calibration_error": calibration_error, "brier": brier}
AGENTS = {"count": 10, "inducing": 60, "batch_size": 20, "pilot": 1000}
MORE = 20
"""Rounds after the last row."""
SETTLED, KERNEL = 300, KERNELS["se"]
ROWS = 600
"""That an exact classifier of scikit-learn gets at most: it takes their cube, many times."""


def sets(folder: Path) -> dict[str, dict[str, Any]]:
    """The section [data] of each set."""
    x, digit = load_digits(return_X_y=True)
    path = folder / "digits.csv"
    lines = [",".join([*(f"pixel{place}" for place in range(x.shape[1])), "kind"])]
    lines += [",".join([*map(str, row), "odd" if odd else "even"]) for row, odd in zip(x, digit % 2, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {
        "class-field": {"source": "class-field", "observations": 2400},
        "breast-cancer": {"source": "breast-cancer", "test_fraction": 0.25},
        "digits, odd or even": {"source": str(path), "target": "kind", "test_fraction": 0.25},
    }


def methods(data: Mapping[str, Any], seed: int) -> Iterator[tuple[str, list[float]]]:
    """The scores of each method on one draw."""
    scenario = scenario_of(data, seed)
    dataset = load(scenario)
    rounds = scenario.run.learning_rounds(dataset.training.most, scenario.agents.batch_size)
    for words, rows in (("weighed once", 0), ("newest 20 rows kept", 20), ("all rows kept", "all")):
        before, after = fused(scenario_of(data, seed, kept_rows=rows))
        if rows == 0:
            yield "agents alone", before
        yield f"fused, {words}", after
    yield f"fused, all rows kept, {MORE} rounds more", fused(scenario_of(data, seed, rounds + MORE))[1]
    start = start_from_labels(scenario.agents, dataset, seed, standardize=True)
    yield "all rows in one place, settled", in_one_place(start, scenario.agents.jitter, dataset)
    yield from others(start.scaler, dataset, seed)


def scenario_of(data: Mapping[str, Any], seed: int, rounds: int | str = "all", **agents: object) -> Any:
    """Ten agents on a small world; the exact sum."""
    return coolgp.load_scenario(
        {
            "data": {**data, "task": "classification"},
            "agents": {**AGENTS, **agents},
            "run": {"seed": seed, "rounds": rounds, "probes": 1},
        }
    )


def fused(scenario: Any) -> tuple[list[float], list[float]]:
    """Scores of the last round, before and after fusion."""
    with tempfile.TemporaryDirectory() as folder:
        coolgp.run(scenario, out=Path(folder) / "run", figures=False)
        with (Path(folder) / "run" / "metrics.csv").open(encoding="utf-8") as file:
            last = list(csv.DictReader(file))[-1]
    before, after = ([float(last[f"{name}_{when}"]) for name in SCORES] for when in ("pre", "post"))
    return before, after


def in_one_place(start: SharedStart, jitter: float, dataset: Dataset) -> list[float]:
    """Batch variational inference on all rows, with the agents' start."""
    return settled(parameters_of(start), start.scaler, jitter, dataset)


def parameters_of(start: SharedStart) -> Parameters:
    """The agents' start, as search takes it."""
    layout, theta = start.model.layout, start.start
    signal = float(layout.signal_variance(theta))
    return Parameters(start.inducing_inputs, layout.lengthscale(theta), signal, 1.0)


def settled(at: Parameters, scaler: Scaler, jitter: float, dataset: Dataset) -> list[float]:
    """Scores of batch variational inference on all rows under these parameters."""
    x, y = rows_of(scaler, dataset)
    labelled = Labelled(x, y, np.full(len(y), at.signal_variance))
    for _ in range(SETTLED):
        labelled = labelled.looked_at(at, KERNEL, jitter)
    found = posterior_of_rows(labelled.rows, at, KERNEL, jitter)
    return scored(dataset, expected_logistic(*found.predict(scaler.inputs(dataset.x_test), KERNEL)))


def rows_of(scaler: Scaler, dataset: Dataset) -> tuple[Array, Array]:
    """All training rows, scaled as those of agents."""
    return scaler.inputs(dataset.training.x), dataset.training.y  # type: ignore[attr-defined]  # dealt


def others(scaler: Scaler, dataset: Dataset, seed: int) -> Iterator[tuple[str, list[float]]]:
    """What scikit-learn does with rows in one place, scaled as those of agents."""
    x, y = rows_of(scaler, dataset)
    x_test = scaler.inputs(dataset.x_test)
    linear = LogisticRegression(max_iter=3000).fit(x, y)
    yield "LogisticRegression", scored(dataset, linear.predict_proba(x_test)[:, 1])
    some = np.random.default_rng(seed).permutation(len(x))[:ROWS]
    kernel = ConstantKernel(4.0) * RBF(np.sqrt(x.shape[1]))
    exact = GaussianProcessClassifier(kernel, random_state=0).fit(x[some], y[some])
    yield f"GaussianProcessClassifier, {ROWS:,} rows at most", scored(dataset, exact.predict_proba(x_test)[:, 1])


def scored(dataset: Dataset, probability: Array) -> list[float]:
    """Scores of the probability of the second class ``[Q]``."""
    answers, y = np.stack([1.0 - probability, probability], axis=-1)[None], dataset.y_test.astype(np.intp)
    return [float(score(answers, y)[0]) for score in SCORES.values()]


def main(seeds: int) -> None:
    """Print the table."""
    warnings.simplefilter("ignore")  # of scikit-learn's search at its limits
    print("| data | method | accuracy | log loss | calibration error | Brier |\n| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name, data in sets(Path(folder)).items():
            found: dict[str, list[list[float]]] = {}
            for seed in range(seeds):
                for method, scores in methods(data, seed):
                    found.setdefault(method, []).append(scores)
            for method, drawn in found.items():
                cells = (
                    f"{mean:.3f} ± {std:.3f}" for mean, std in zip(np.mean(drawn, 0), np.std(drawn, 0), strict=True)
                )
                print(f"| {name} | {method} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
