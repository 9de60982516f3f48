"""One whole run, as a rank of mpiexec or alone: each rank leaves a JSON file of seconds, bytes and peak memory."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.threads import pin_blas

pin_blas()

from coolgp.scenarios.config.catalogue import scenario_named  # noqa: E402
from coolgp.scenarios.config.loading import resolve  # noqa: E402
from coolgp.scenarios.data.loading import load  # noqa: E402
from coolgp.scenarios.runs.run import run  # noqa: E402  BLAS reads the number of its threads when it is loaded

__all__ = ["main", "peak_bytes"]


def main(task: dict[str, Any]) -> None:
    """Load the data of a scenario, run it, and leave ``<pid>.json`` in the folder of answers."""
    name, given, overrides = task["name"], task["settings"], task["overrides"]
    scenario = resolve(given, name, overrides) if given else scenario_named(name, overrides)
    started = perf_counter()
    dataset = load(scenario)
    loaded = perf_counter()
    sent: list[int] = []
    records = run(
        scenario,
        task["out"],
        figures=task["figures"],
        dataset=dataset,
        watch=lambda record, row: sent.append(record.sent.bytes),
    )
    answer = {
        "load": loaded - started,
        "total": perf_counter() - loaded,
        "rounds": [record.seconds for record in records],
        "bytes": sent,
        "peak": peak_bytes(),
    }
    Path(task["answers"], f"{os.getpid()}.json").write_text(json.dumps(answer), encoding="utf-8")


def peak_bytes() -> int:
    """The most memory that this process held at once; unlike rusage's it leaves out what the parent had."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
