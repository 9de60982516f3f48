"""What learning hyper-parameters in a run of two classes could gain at most: by a search on all rows in one place.

``python -m benchmarks.accuracy.class_learning [SEEDS]`` prints the table of docs/classification.md: the log loss of
one settled model of all rows under the agents' start, and paired differences from it where the search goes on.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.agents.sparse.two_classes import fit_labels
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.simulation.labelled_start import start_from_labels

from benchmarks.accuracy.classes import KERNEL, parameters_of, rows_of, scenario_of, sets, settled

PILOTS = (1000, 100)
SOUGHT = {"signal variance": (False, True), "length-scales and signal variance": (True, True)}
ITERATIONS = 50
LOG_LOSS = 1
"""Its place among the scores."""


def losses(data: Mapping[str, Any], pilot: int, seed: int) -> Iterator[float]:
    """Log loss under the start, and after each search from there."""
    scenario = scenario_of(data, seed, pilot=pilot)
    dataset, jitter = load(scenario), scenario.agents.jitter
    start = start_from_labels(scenario.agents, dataset, seed, standardize=True)
    x, y = rows_of(start.scaler, dataset)
    begun = parameters_of(start)
    yield settled(begun, start.scaler, jitter, dataset)[LOG_LOSS]
    for free in SOUGHT.values():
        found = fit_labels(x, y, begun, KERNEL, jitter, ITERATIONS, moves=False, free=free)
        yield settled(found.parameters, start.scaler, jitter, dataset)[LOG_LOSS]


def main(seeds: int) -> None:
    """Print the table."""
    print(f"| data | pilot rows | as started | {' | '.join(SOUGHT)} |\n|{(3 + len(SOUGHT)) * ' --- |'}")
    with tempfile.TemporaryDirectory() as folder:
        for name, data in sets(Path(folder)).items():
            for pilot in PILOTS:
                found = np.array([list(losses(data, pilot, seed)) for seed in range(seeds)])
                cells = [f"{found[:, 0].mean():.3f} ± {found[:, 0].std():.3f}"]
                gaps = found[:, 1:] - found[:, :1]
                cells += [f"{mean:+.3f} ± {std:.3f}" for mean, std in zip(gaps.mean(0), gaps.std(0), strict=True)]
                print(f"| {name} | {pilot:,} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
