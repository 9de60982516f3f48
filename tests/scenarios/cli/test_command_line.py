"""What a user meets at the command line: one clear message for a mistake, exit code 2, never a traceback."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from coolgp.scenarios.cli.app import app

Program = Callable[..., subprocess.CompletedProcess[str]]

GOOD = '[data]\nsource = "points.csv"\ntarget = "y"\n[agents]\ncount = 5\ninducing = 8\n[run]\nrounds = 2\n'


@pytest.fixture
def place(tmp_path: Path) -> Path:
    rows = [f"{i % 13},{i % 7},{(i * 37) % 11}" for i in range(120)]
    (tmp_path / "points.csv").write_text("\n".join(["a,b,y", *rows]))
    (tmp_path / "study.toml").write_text(GOOD)
    return tmp_path


def coolgp(place: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coolgp.scenarios", *arguments]
    return subprocess.run(
        command, cwd=place, env=os.environ | environment, capture_output=True, text=True, timeout=120, check=False
    )


def invoked(place: Path, *arguments: str) -> Result:
    """The same command in this process, which saves its start; what is not caught raises."""
    with chdir(place):
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments, catch_exceptions=False)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("run", "airlin"), 'did you mean "airline"?'),
        (("run", "nowhere.toml"), "nowhere.toml: no such file"),
        (("run", "study.toml", "--set", "agents.inducng=3"), 'did you mean "inducing"?'),
        (("run", "study.toml", "--rounds", "0"), 'needed a whole number of at least 1, or "all"'),
        (("run", "study.toml", "--set", "data.target=z"), "z"),
        (("run", "study.toml", "--set", "fusion.rule=nowhere:Rule"), "cannot be loaded"),
        (("run", "study.toml", "--set", "network.topology=missing.csv"), "missing.csv"),
        (("run", "study.toml", "--set", "agents.inducing=5000"), "5000 inducing inputs need"),
        (("run", "study.toml", "--agents", "500"), "at least one training row"),
        (("run", "study.toml", "--ranks", "0"), "--ranks needs a whole number of at least 1"),
        (("run", "study.toml", "--out", "points.csv"), "needed a folder"),
        (("plot", "."), "is not a run folder"),
        (("plot", "nowhere"), "nowhere"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_a_mistake_is_one_message_and_exit_code_2(place: Path, arguments: tuple[str, ...], words: str) -> None:
    done = invoked(place, *arguments)
    assert done.exit_code == 2
    assert words in done.stderr


def test_a_mistake_of_a_program_that_was_started_is_one_message_too(place: Path) -> None:
    done = coolgp(place, "run", "airlin")
    assert done.returncode == 2
    assert 'did you mean "airline"?' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_folder_is_not_replaced_unless_asked(place: Path) -> None:
    for expected, more in ((0, ()), (2, ()), (0, ("--overwrite",))):
        done = invoked(place, "run", "study.toml", "--out", "here", "--no-figures", *more)
        assert done.exit_code == expected, done.stderr
    assert "model.npz" in {path.name for path in (place / "here").iterdir()}


def test_progress_is_plain_lines_where_there_is_no_terminal(place: Path) -> None:
    done = coolgp(place, "run", "study.toml", "--out", "here")
    assert "round 2/2: RMSE" in done.stderr
    assert "\x1b" not in done.stderr
    assert "RMSE after fusion" in done.stdout


@pytest.mark.slow
def test_plot_draws_the_same_figures_again(place: Path) -> None:
    invoked(place, "run", "study.toml", "--out", "here")
    (place / "here" / "convergence.png").unlink()
    done = invoked(place, "plot", "here")
    assert done.exit_code == 0, done.stderr
    assert (place / "here" / "convergence.png").is_file()


@pytest.mark.slow
def test_the_ranks_option_starts_mpiexec_itself(place: Path, on_ranks: Program) -> None:
    done = coolgp(place, "run", "study.toml", "--ranks", "2", "--out", "here", "--no-figures")
    assert done.returncode == 0, done.stderr
    assert '"ranks": 2' in (place / "here" / "env.json").read_text()


@pytest.mark.slow
def test_a_number_of_ranks_that_contradicts_the_launcher_is_refused_once(place: Path, on_ranks: Program) -> None:
    done = on_ranks(2, "coolgp.scenarios", "run", place / "study.toml", "--ranks", 3, runner=("-m",))
    assert done.returncode != 0
    assert done.stderr.count("--ranks 3 under a launcher that started 2 ranks") == 1


def test_a_mistake_under_mpiexec_is_said_once_and_before_mpi_starts(place: Path, on_ranks: Program) -> None:
    done = on_ranks(2, "coolgp.scenarios", "run", place / "study.toml", "--rounds", "none", runner=("-m",))
    assert done.returncode != 0
    assert done.stderr.count("run.rounds") == 2  # the option, and the key that it sets
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_one_rank_that_refuses_its_input_alone_ends_all_of_them(place: Path, on_ranks: Program) -> None:
    program = (
        "import os, sys\n"
        "if os.environ.get('PMI_RANK', os.environ.get('OMPI_COMM_WORLD_RANK')) == '1':\n"
        "    sys.argv[2] = 'not-here.toml'\n"
        "from coolgp.scenarios.cli.app import main\n"
        "main(sys.argv[1:])\n"
    )
    done = on_ranks(2, program, "run", place / "study.toml", "--out", place / "here", timeout=60, runner=())
    assert done.returncode != 0
    assert done.stderr.count("not-here.toml: no such file") == 1


@pytest.mark.slow
def test_a_run_folder_that_exists_is_refused_under_mpiexec_too(place: Path, on_ranks: Program) -> None:
    invoked(place, "run", "study.toml", "--out", "here", "--no-figures")
    arguments = ("run", place / "study.toml", "--out", place / "here")
    done = on_ranks(2, "coolgp.scenarios", *arguments, timeout=60, runner=("-m",))
    assert done.returncode != 0
    assert done.stderr.count("there is a run already") == 1


def test_overwriting_touches_nothing_but_the_files_of_a_run(place: Path) -> None:
    refused = invoked(place, "run", "study.toml", "--out", ".", "--overwrite")
    assert refused.exit_code == 2
    assert "holds files, but no run" in refused.stderr
    invoked(place, "run", "study.toml", "--out", "here", "--no-figures")
    (place / "here" / "notes.txt").write_text("mine")
    assert invoked(place, "run", "study.toml", "--out", "here", "--no-figures", "--overwrite").exit_code == 0
    assert (place / "here" / "notes.txt").read_text() == "mine"


def test_a_rank_that_fails_names_itself_and_its_agent_and_ends_the_job(place: Path, on_ranks: Program) -> None:
    (place / "broken.py").write_text(
        "from dataclasses import dataclass\n"
        "from coolgp.fusion.sums.tree import Tree\n"
        "from coolgp.network.mpi import world\n"
        "@dataclass(frozen=True)\n"
        "class Broken(Tree):\n"
        "    def sums(self, state):\n"
        "        return -1e6 * super().sums(state) if world().rank == 1 else super().sums(state)\n"
    )
    program = (
        f"import sys\nsys.path.append({str(place)!r})\nfrom coolgp.scenarios.cli.app import main\nmain(sys.argv[1:])\n"
    )
    arguments = ("run", place / "study.toml", "--set", "fusion.rule=broken:Broken", "--out", place / "here")
    done = on_ranks(2, program, *arguments, timeout=60, runner=())
    assert done.returncode != 0
    assert "[rank 1] " in done.stderr
    assert re.search(r"round \d+: the precision of agent \d", done.stderr)


@pytest.mark.slow
def test_without_an_mpi_library_serial_runs_work_and_ranks_say_what_to_install(place: Path) -> None:
    hidden = {"MPI4PY_MPIABI": "mpich", "MPI4PY_LIBMPI": str(place / "no-such-library.so")}
    serial = coolgp(place, "run", "study.toml", "--out", "here", "--no-figures", **hidden)
    assert serial.returncode == 0, serial.stderr
    done = coolgp(place, "run", "study.toml", "--ranks", "2", **hidden)
    assert done.returncode == 2
    assert 'pip install "coolgp[mpich]"' in done.stderr


@pytest.mark.parametrize("command", ["run", "resume", "sweep", "compare", "network", "list", "plot", "doctor"])
def test_help_shows_an_example(place: Path, command: str) -> None:
    done = invoked(place, command, "--help")
    assert done.exit_code == 0
    assert f"coolgp {command}" in done.stdout


def test_list_names_every_scenario_rule_and_graph(place: Path) -> None:
    said = invoked(place, "list").stdout
    for name in ("airline", "synthetic", "field", "tree", "consensus", "none", "central", "small-world", "transport"):
        assert f"  {name} " in said


def test_doctor_finds_the_library_and_its_launcher(place: Path, on_ranks: Program) -> None:
    done = coolgp(place, "doctor", COLUMNS="200")
    assert "two ranks" in done.stdout
    assert done.returncode == 0, done.stdout


def test_doctor_says_what_to_install_in_full(place: Path) -> None:
    hidden = {"MPI4PY_MPIABI": "mpich", "MPI4PY_LIBMPI": str(place / "no-such-library.so")}
    assert 'pip install "coolgp[mpich]"' in coolgp(place, "doctor", COLUMNS="200", **hidden).stdout
