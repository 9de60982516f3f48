"""Faults that the suite must notice: ``python -m tests.mutants`` seeds them one by one in a copy, and runs the tests.

A mutant is a line of the code with a fault in it; it is killed when one of its tests fails. The exit code is 1 where
one survives, or where the code has moved and its line is no longer there. Arguments are names of mutants to run
alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.paths import ROOT


@dataclass(frozen=True)
class Mutant:
    """A fault. file, old: the only place where it stands; new: what takes its place; tests: that must notice."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


AGENTS, SUMS, LINKS = "tests/agents/", "tests/fusion/sums/", "tests/network/"
BLACKBOX = "tests/fusion/blackbox/"
MUTANTS = (
    Mutant(
        "experts draw directions of their own where they should share them",
        "fusion/blackbox/cigar.py",
        'z = shared if self.directions == "shared" else self._drawn(climb, owner)',
        "z = self._drawn(climb, owner)",
        (BLACKBOX + "test_cigar.py", BLACKBOX + "test_plain_blackbox.py"),
    ),
    Mutant(
        "experts that agree are surer than one of them",
        "fusion/blackbox/uncertainty.py",
        "pooled.count[:, None] / pooled.precision",
        "1.0 / pooled.precision",
        (BLACKBOX + "test_cigar.py",),
    ),
    Mutant(
        "a step is not bounded where the product of experts is not concave",
        "fusion/blackbox/steps.py",
        "return np.clip(np.where(concave, to_mode, uphill), -group.reach, group.reach)",
        "return np.where(concave, to_mode, group.gradient)",
        (BLACKBOX + "test_cigar.py",),
    ),
    Mutant(
        "the gradient of the projection has the wrong sign",
        "agents/learning.py",
        "gradient: Array = -projection @ spread",
        "gradient: Array = projection @ spread",
        (AGENTS + "test_gradients.py", AGENTS + "test_every_kernel.py"),
    ),
    Mutant(
        "the gradient of the noise forgets how many rows there are",
        "agents/learning.py",
        "- belief.size + evidence.square - n + residual)",
        "- belief.size + evidence.square + residual)",
        (AGENTS + "test_gradients.py",),
    ),
    Mutant(
        "moments of gradients are not corrected for their start at zero",
        "agents/learning.py",
        "corrected = first / (1 - adam.decay**steps)",
        "corrected = first",
        (AGENTS + "test_gradients.py", AGENTS + "fast_paths/test_coordinates.py"),
    ),
    Mutant(
        "the prior is counted twice",
        "agents/prediction.py",
        "factor = _factor(evidence.precision + prior)",
        "factor = _factor(evidence.precision + 2.0 * prior)",
        (AGENTS + "test_prediction.py",),
    ),
    Mutant(
        "the noise variance is not added to the prediction",
        "agents/prediction.py",
        "np.broadcast_to(noise, agents))",
        "np.broadcast_to(0.0 * noise, agents))",
        (AGENTS + "test_prediction.py", "tests/scenarios/runs/test_runs.py"),
    ),
    Mutant(
        "the jitter is dropped",
        "agents/features/basis.py",
        "np.linalg.cholesky(kernel + jitter * np.eye(kernel.shape[-1]))",
        "np.linalg.cholesky(kernel + 1e-12 * np.eye(kernel.shape[-1]))",
        (AGENTS + "test_prediction.py",),
    ),
    Mutant(
        "old statistics stay in old coordinates",
        "agents/encoding.py",
        "far = np.flatnonzero(turned > ANCHOR_TOLERANCE)",
        "far = np.arange(0)",
        (AGENTS + "test_encoding.py",),
    ),
    Mutant(
        "importance weights forget the prior that projections were drawn from",
        "agents/encoding.py",
        "+ 0.5 * np.square(self.draws)).sum(-1)",
        ").sum(-1)",
        (AGENTS + "test_encoding.py",),
    ),
    Mutant(
        "an expectation of the kernel takes half of the spread",
        "agents/kernels/se.py",
        "0.5 * np.log1p(2.0 * t)).sum(-1)",
        "0.5 * np.log1p(t)).sum(-1)",
        (AGENTS + "test_kernels.py",),
    ),
    Mutant(
        "an edge of the tree echoes",
        "fusion/sums/tree.py",
        "            outbox -= state.inbox",
        "            outbox -= 0.0 * state.inbox",
        (SUMS + "test_tree.py",),
    ),
    Mutant(
        "push-sum forgets what it had pushed before",
        "fusion/sums/push_sum.py",
        "    after += pushed\n",
        "",
        (SUMS + "test_push_sum.py",),
    ),
    Mutant(
        "consensus takes new contributions in twice",
        "fusion/sums/consensus.py",
        "fresh = state.estimate + (values - state.values)",
        "fresh = state.estimate + 2.0 * (values - state.values)",
        (SUMS + "test_consensus.py",),
    ),
    Mutant(
        "flooding does not notice that a contribution has changed",
        "fusion/sums/flood.py",
        "new = (state.version[agents, own] == 0) | (state.values[agents, own] != values).any(axis=1)",
        "new = state.version[agents, own] == 0",
        (SUMS + "test_flood.py",),
    ),
    Mutant(
        "an old tree wins over a new one",
        "fusion/sums/growing_tree.py",
        "(key[:, 0] > than[:, 0]) |",
        "(key[:, 0] < than[:, 0]) |",
        (SUMS + "test_growing_tree.py",),
    ),
    Mutant(
        "a server mistakes what it missed for what it has",
        "fusion/sums/server.py",
        "if self.repeat else state.reported - state.heard",
        "if self.repeat else state.heard - state.reported",
        (SUMS + "test_server.py",),
    ),
    Mutant(
        "a committee counts the prior once for each expert",
        "fusion/committees/bcm.py",
        "experts.precision - 1.0 / experts.prior,",
        "experts.precision,",
        ("tests/fusion/committees/test_committees.py",),
    ),
    Mutant(
        "weights of averaging count one neighbour too many",
        "network/mixing.py",
        "1.0 / (1.0 + np.maximum(degree[tail], degree[head]))",
        "1.0 / (2.0 + np.maximum(degree[tail], degree[head]))",
        (LINKS + "test_topology.py", LINKS + "test_mixing.py"),
    ),
    Mutant(
        "blocks are added in the order of the ranks",
        "network/mpi.py",
        "partial[self._block_order] = gathered",
        "partial[:] = gathered",
        (LINKS + "test_transport.py",),
    ),
    Mutant(
        "a message that was lost is counted as delivered",
        "network/links/channel.py",
        "self.meter.lost += len(np.unique(edges[~delivered]))",
        "self.meter.lost += 0 * len(np.unique(edges[~delivered]))",
        (LINKS + "test_losses.py", LINKS + "test_channel.py"),
    ),
    Mutant(
        "a late message overtakes one that was sent before it",
        "network/links/in_flight.py",
        "due = np.maximum(due, self.last)[edges]",
        "due = due[edges]",
        (LINKS + "test_delays.py",),
    ),
    Mutant(
        "agents on other ranks stand in the order of their numbers",
        "network/sharding.py",
        'halo = outside[np.argsort(owner[outside], kind="stable")]',
        "halo = outside",
        (LINKS + "test_transport.py",),
    ),
)


def main(names: Sequence[str]) -> int:
    """Seed the faults, or those of these names, and say which were noticed; 1 where one was not."""
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    lost = [f"{mutant.file}: {mutant.old!r}" for mutant in chosen if _count(mutant, ROOT) != 1]
    if lost or not chosen:
        print("\n".join(["needed exactly once, and is not: mend the list of mutants", *lost]), file=sys.stderr)
        return 1
    with TemporaryDirectory(prefix="coolgp-mutants-") as folder:
        copy = _copied(Path(folder))
        if not _passes(copy, sorted({test for mutant in chosen for test in mutant.tests})):
            print("the tests fail without any fault", file=sys.stderr)
            return 1
        survivors = [mutant.name for mutant in chosen if not _killed(mutant, copy)]
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants killed")
    return 1 if survivors else 0


def _killed(mutant: Mutant, copy: Path) -> bool:
    start = monotonic()
    with _seeded(mutant, copy):
        killed = not _passes(copy, mutant.tests)
    print(f"{'killed' if killed else 'SURVIVED'}: {mutant.name} ({monotonic() - start:.0f} s)", flush=True)
    return killed


def _passes(copy: Path, tests: Sequence[str]) -> bool:
    """Whether tests pass in a copy; raises RuntimeError where they cannot even be collected."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    plain = ["--override-ini", "addopts=--import-mode=importlib -m 'not slow'"]
    path = os.pathsep.join([str(copy / ".links"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([*command, *plain], cwd=copy, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or "ERROR collecting" in done.stdout:
        raise RuntimeError(f"{' '.join(tests)} cannot be run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 0


@contextmanager
def _seeded(mutant: Mutant, copy: Path) -> Iterator[None]:
    path = copy / mutant.file
    sound = path.read_text(encoding="utf-8")
    path.write_text(sound.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(sound, encoding="utf-8")


def _count(mutant: Mutant, root: Path) -> int:
    path = root / mutant.file
    return path.read_text(encoding="utf-8").count(mutant.old) if path.exists() else 0


def _copied(folder: Path) -> Path:
    """The files that git knows, as they are now, symlinks as such."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listing.split("\0")):
        if (ROOT / name).is_symlink() or (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
