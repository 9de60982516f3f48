"""What failure drills run: a study with a rule that fails, or takes its time, when the environment says so."""

from pathlib import Path

import numpy as np

from tests.run_folders import timeless

__all__ = ["ROUNDS", "metrics", "write_drill"]

ROUNDS = 6
DRILL = """
import os, signal, time
from dataclasses import dataclass
from coolgp.fusion.sums.tree import Tree
from coolgp.network.launcher import launched_rank

@dataclass(frozen=True)
class Drill(Tree):
    def converge(self, state, population, transport):
        turn = int(population.statistics.count.max()) // 4
        if os.environ.get("DRILL_KILL") == f"{launched_rank()} {turn}":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(float(os.environ.get("DRILL_SECONDS", "0")))
        return super().converge(state, population, transport)
"""
STUDY = (
    '[data]\nsource = "points.csv"\ntarget = "y"\n'
    "[agents]\ncount = 40\ninducing = 20\nbatch_size = 4\n"
    "lengthscale = 0.8\nsignal_variance = 1.0\nnoise_variance = 0.1\n"
    '[network]\ntopology = "ring"\n[fusion]\nrule = "drill:Drill"\n'
    f"[run]\nrounds = {ROUNDS}\nprobes = 2\ncheckpoint_minutes = 0\n"
)


def write_drill(folder: Path) -> None:
    """Write the study, its points, and its rule."""
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 1, (1200, 2))
    y = np.sin(6 * x[:, 0]) * np.cos(4 * x[:, 1]) + 0.1 * rng.normal(size=len(x))
    rows = [f"{a!r},{b!r},{c!r}" for (a, b), c in zip(x.tolist(), y.tolist(), strict=True)]
    (folder / "points.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    (folder / "study.toml").write_text(STUDY)
    (folder / "drill.py").write_text(DRILL)


def metrics(folder: Path) -> list[dict[str, str]]:
    """The rows that do not depend on time."""
    return timeless(folder / "metrics.csv")
