"""Failure drills: disks that fill, and places where nobody may write."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coolgp.scenarios import load_scenario, resume, run
from coolgp.scenarios.simulation.state import Record

from tests.scenarios.runs.failures.drills import metrics

pytestmark = pytest.mark.usefixtures("findable")

Program = Callable[..., subprocess.CompletedProcess[str]]


def test_where_there_is_no_space_for_checkpoints_the_run_goes_on_and_says_so_once(
    place: Path, finished: Path, tmp_path: Path
) -> None:
    program = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "from coolgp.scenarios.cli.app import main\n"
        "main(['run', *sys.argv[1:], '--no-figures'])\n"
    )
    command = [sys.executable, "-c", program, "study.toml", "--out", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("File too large") == 1
    assert "no checkpoint of round 1" in done.stderr
    assert metrics(tmp_path / "run") == metrics(finished)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_good_one(
    place: Path, finished: Path, tmp_path: Path
) -> None:
    """What should become the third is in the way of itself: a file, where even the superuser can make no folder."""
    out = tmp_path / "run"

    def obstruct(record: Record, row: dict[str, float]) -> None:
        if record.round == 3:
            (out / "checkpoints").rename(out / "good")
            (out / "checkpoints").write_text("")
        if record.round == 5:
            (out / "checkpoints").unlink()
            (out / "good").rename(out / "checkpoints")
            shutil.copytree(out, tmp_path / "killed")

    with pytest.warns(RuntimeWarning, match=r"no checkpoint of round 3: .*; the run goes on \(the last good one is of"):
        run(load_scenario(place / "study.toml"), out, figures=False, watch=obstruct)
    assert [record.round for record in resume(tmp_path / "killed", figures=False)] == [3, 4, 5, 6]
    assert metrics(tmp_path / "killed") == metrics(out) == metrics(finished)


def test_a_table_that_cannot_be_written_ends_the_run_and_the_last_checkpoint_stays(
    place: Path, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"

    def fill(record: Record, row: dict[str, float]) -> None:
        if record.round == 3:
            (out / "probes.csv").rename(out / "probes")
            (out / "probes.csv").symlink_to("/dev/full")

    with pytest.raises(ValueError, match=r"probes\.csv: cannot be written: No space left.*coolgp resume"):
        run(load_scenario(place / "study.toml", ["run.checkpoint_minutes=60"]), out, figures=False, watch=fill)
    (out / "probes.csv").unlink()
    (out / "probes").rename(out / "probes.csv")
    with pytest.warns(RuntimeWarning, match="starting from the beginning"):
        resume(out, figures=False)
    assert metrics(out) == metrics(finished)


def test_a_full_disk_is_one_message_and_exit_code_2_on_many_ranks_too(
    place: Path, tmp_path: Path, on_ranks: Program
) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from coolgp.scenarios.runs import recorder\n"
        "write, out = recorder.Recorder.write, Path(sys.argv[3])\n"
        "def fill(self, record):\n"
        "    if record.round == 3:\n"
        "        (out / 'metrics.csv').rename(out / 'full')\n"
        "        (out / 'metrics.csv').symlink_to('/dev/full')\n"
        "    return write(self, record)\n"
        "recorder.Recorder.write = fill\n"
        "from coolgp.scenarios.cli.app import main\n"
        "main(['run', *sys.argv[1:]])\n"
    )
    done = on_ranks(2, program, place / "study.toml", "--out", tmp_path / "run", timeout=60, runner=())
    assert done.returncode == 2
    assert done.stderr.count("metrics.csv: cannot be written: No space left on device") == 1
    assert "Traceback" not in done.stderr
    names = [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()]
    assert sorted(names) == ["round-000001", "round-000002"]


@pytest.mark.parametrize("out, words", [("/proc/nowhere/run", "/proc"), ("points.csv/run", "points.csv")])
def test_a_place_where_nobody_may_write_is_refused(place: Path, out: str, words: str) -> None:
    with pytest.raises((ValueError, OSError), match=words):
        run(load_scenario(place / "study.toml"), place / out)
