"""Failure drills: ranks that die, disks that fill, files that rot, signals. A run always ends, and always goes on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from coolgp.scenarios import load_scenario, resume, run
from coolgp.scenarios.base.lock import held
from coolgp.scenarios.base.mpiexec import stand_ins
from coolgp.scenarios.base.signals import noted
from coolgp.scenarios.simulation.state import Record

from tests.run_folders import timeless

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

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with a rule that fails when the environment says so."""
    folder = tmp_path_factory.mktemp("drills")
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 1, (1200, 2))
    y = np.sin(6 * x[:, 0]) * np.cos(4 * x[:, 1]) + 0.1 * rng.normal(size=len(x))
    rows = [f"{a!r},{b!r},{c!r}" for (a, b), c in zip(x.tolist(), y.tolist(), strict=True)]
    (folder / "points.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    (folder / "study.toml").write_text(STUDY)
    (folder / "drill.py").write_text(DRILL)
    return folder


@pytest.fixture(autouse=True)
def findable(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setenv("PYTHONPATH", str(place), prepend=os.pathsep)


@pytest.fixture(scope="module")
def finished(place: Path) -> Path:
    """What a run leaves that nothing happened to, beside it `killed`, which was after 4 rounds."""
    sys.path.insert(0, str(place))

    def copy(record: Record, row: dict[str, float]) -> None:
        if record.round == 5:
            shutil.copytree(place / "whole", place / "killed")

    run(load_scenario(place / "study.toml"), place / "whole", figures=False, watch=copy)
    sys.path.remove(str(place))
    return place / "whole"


@pytest.fixture
def killed(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished.parent / "killed", tmp_path / "killed"))


def metrics(folder: Path) -> list[dict[str, str]]:
    return timeless(folder / "metrics.csv")


def coolgp(place: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coolgp.scenarios", *map(str, arguments)]
    return subprocess.run(
        command, cwd=place, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )


def signalled(number: int, command: list[object], out: Path) -> tuple[int, str]:
    """Start a slow run, send it a signal when it has ended two rounds; its exit code and what it said."""
    environment = os.environ | {"DRILL_SECONDS": "0.3"}
    # In a session of its own: all its processes can be reached as a terminal reaches them.
    job = subprocess.Popen(
        [*map(str, command)], env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    until = time.monotonic() + 60
    while time.monotonic() < until and (not (out / "metrics.csv").exists() or len(metrics(out)) < 2):
        time.sleep(0.05)
    os.killpg(job.pid, number)
    return job.wait(timeout=60), job.communicate()[1]


# Two at once.


def test_only_one_process_at_a_time_is_at_work_on_a_run(finished: Path, killed: Path) -> None:
    with held(killed):
        with pytest.raises(ValueError, match="another process is at work on this run"):
            resume(killed, figures=False)
        with pytest.raises(ValueError, match="another process is at work on this run"):
            run(load_scenario(killed / "config.toml"), killed, overwrite=True)
    resume(killed, figures=False)
    assert metrics(killed) == metrics(finished)


def test_a_run_is_held_while_it_goes_and_let_go_at_its_end(place: Path, tmp_path: Path) -> None:
    def look(record: Record, row: dict[str, float]) -> None:
        with pytest.raises(ValueError, match="another process"), held(tmp_path / "run"):
            pass

    run(load_scenario(place / "study.toml"), tmp_path / "run", figures=False, watch=look)
    with held(tmp_path / "run"):
        pass


# Ranks and launchers.


def test_a_rank_that_is_killed_ends_the_job_and_the_run_goes_on_elsewhere(
    place: Path, finished: Path, tmp_path: Path, on_ranks: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRILL_KILL", "1 4")
    arguments = ("run", place / "study.toml", "--out", tmp_path / "run", "--no-figures")
    done = on_ranks(2, "coolgp.scenarios", *arguments, timeout=60, runner=("-m",))
    assert done.returncode != 0
    assert len(metrics(tmp_path / "run")) == 3
    monkeypatch.delenv("DRILL_KILL")
    resume(tmp_path / "run", figures=False)
    assert metrics(tmp_path / "run") == metrics(finished)


@pytest.mark.parametrize(
    "variables",
    [
        {"PMI_RANK": "0", "PMI_SIZE": "2"},
        {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_a_launcher_of_another_make_is_found_out(
    place: Path, tmp_path: Path, variables: dict[str, str], on_ranks: Program
) -> None:
    done = coolgp(place, "run", "study.toml", "--out", tmp_path / "run", **variables)
    assert done.returncode == 2
    assert "launcher and MPI library are of different makes" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


# Signals.


@pytest.mark.parametrize(
    "number, kind", [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)], ids=lambda part: str(part)
)
def test_a_signal_ends_a_run_after_its_round_with_a_checkpoint(
    place: Path, finished: Path, tmp_path: Path, number: int, kind: type[BaseException]
) -> None:
    scenario = load_scenario(place / "study.toml", ["run.checkpoint_minutes=60"])

    def interrupt(record: Record, row: dict[str, float]) -> None:
        if record.round == 2:
            signal.raise_signal(number)

    before = signal.getsignal(number)
    with pytest.raises(kind, match="stopped after round 2 of 6; go on with: coolgp resume"):
        run(scenario, tmp_path / "run", figures=False, watch=interrupt)
    assert signal.getsignal(number) == before
    assert [record.round for record in resume(tmp_path / "run", figures=False)] == [3, 4, 5, 6]
    assert metrics(tmp_path / "run") == metrics(finished)


def test_a_signal_in_the_last_round_changes_nothing(place: Path, finished: Path, tmp_path: Path) -> None:
    def interrupt(record: Record, row: dict[str, float]) -> None:
        if record.round == ROUNDS:
            signal.raise_signal(signal.SIGINT)

    assert len(run(load_scenario(place / "study.toml"), tmp_path / "run", figures=False, watch=interrupt)) == ROUNDS
    assert metrics(tmp_path / "run") == metrics(finished)


def test_a_run_without_a_folder_is_interrupted_at_once(place: Path) -> None:
    def interrupt(record: Record, row: dict[str, float]) -> None:
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the interrupt was put off, and there is nothing to store")

    with pytest.raises(KeyboardInterrupt):
        run(load_scenario(place / "study.toml"), watch=interrupt)


def test_after_the_first_signal_the_second_is_the_systems_own() -> None:
    with noted() as noticed:
        signal.raise_signal(signal.SIGINT)
        assert noticed.signals == [signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) == signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with noted() as noticed:
            signal.raise_signal(signal.SIGTERM)
        assert noticed.signals == []
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    "number, code, way",
    [
        (signal.SIGINT, 130, "alone"),
        (signal.SIGTERM, 143, "--ranks"),
        (signal.SIGINT, 130, "mpiexec"),
        pytest.param(signal.SIGINT, 130, "--ranks", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, 143, "mpiexec", marks=pytest.mark.slow),
    ],
)
def test_the_command_line_says_how_to_go_on_and_ends_with_the_signals_exit_code(
    place: Path, finished: Path, tmp_path: Path, on_ranks: Program, number: int, code: int, way: str
) -> None:
    launcher = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or "mpiexec"
    before: list[object] = [launcher, "-n", 2] if way == "mpiexec" else []
    if way == "mpiexec":  # that of Open MPI kills its ranks at the signals themselves
        number = stand_ins(Path(launcher)).get(number, number)
    after: list[object] = ["--ranks", 2] if way == "--ranks" else []
    out = tmp_path / "run"
    arguments = ["run", place / "study.toml", "--out", out, "--no-figures"]
    noticed, output = signalled(number, [*before, sys.executable, "-m", "coolgp.scenarios", *arguments, *after], out)
    assert noticed == code, output
    assert output.count(f"go on with: coolgp resume {out}") == 1
    assert "Traceback" not in output
    assert 2 <= len(metrics(out)) < ROUNDS
    resume(out, figures=False)
    assert metrics(out) == metrics(finished)


# Disks.


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


# Checkpoints that are not what they were.


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
