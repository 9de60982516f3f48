"""Failure drills: checkpoints that are not what they were. A run goes back to the last one that is whole."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from coolgp.scenarios import resume

from tests.scenarios.runs.failures.drills import ROUNDS, metrics

pytestmark = pytest.mark.usefixtures("findable")

Program = Callable[..., subprocess.CompletedProcess[str]]


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
@pytest.mark.parametrize("name", ["rows.bin", "index.json"])
def test_from_a_damaged_checkpoint_the_run_goes_back_to_the_one_before(
    finished: Path, killed: Path, damage: Callable[[Path], None], name: str
) -> None:
    damage(killed / "checkpoints" / "round-000004" / name)
    with pytest.warns(RuntimeWarning, match="the checkpoint of round 4 cannot be used") as output:
        assert [record.round for record in resume(killed, figures=False)] == [4, 5, 6]
    assert len(output) == 1
    assert metrics(killed) == metrics(finished)


def test_without_a_checkpoint_that_is_whole_the_run_starts_over(finished: Path, killed: Path) -> None:
    cut(killed / "checkpoints" / "round-000004" / "rows.bin")
    flip(killed / "checkpoints" / "round-000003" / "rows.bin")
    with pytest.warns(RuntimeWarning) as output:
        assert len(resume(killed, figures=False)) == ROUNDS
    assert "no checkpoint can be read: starting from the beginning" in str(output[-1].message)
    assert len(output) == 3
    assert metrics(killed) == metrics(finished)


def test_a_checkpoint_that_speaks_of_rows_a_table_lost_is_not_used(finished: Path, killed: Path) -> None:
    lines = (killed / "probes.csv").read_text().splitlines(keepends=True)
    (killed / "probes.csv").write_text("".join(lines[: 1 + 2 * 3]))  # the header, and 2 probes in 3 rounds
    with pytest.warns(RuntimeWarning, match=r"probes\.csv has \d+ bytes, and had \d+ then"):
        assert [record.round for record in resume(killed, figures=False)] == [4, 5, 6]
    assert metrics(killed) == metrics(finished)


def test_all_ranks_go_back_where_only_one_of_them_finds_damage(finished: Path, killed: Path, on_ranks: Program) -> None:
    path = killed / "checkpoints" / "round-000004" / "rows.bin"
    content = bytearray(path.read_bytes())
    content[3] ^= 1  # of the first agent's sums
    path.write_bytes(content)
    done = on_ranks(2, "coolgp.scenarios", "resume", killed, "--no-figures", timeout=60, runner=("-m",))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("the checkpoint of round 4 cannot be used") == 1
    assert metrics(killed) == metrics(finished)
