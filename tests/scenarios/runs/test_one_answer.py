"""One answer: what a run leaves is the same to the bit on any number of ranks, resumed or not, whatever goes wrong.

What is run is a seeded design (`cases`). This file is also the program that the ranks run; all cases in one, for
starting is what costs.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import pytest

from coolgp.fusion.sums.consensus import Consensus
from coolgp.network.graphs.generate import GENERATORS
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.faults import Faults
from coolgp.network.partition import METHODS, block_size, partition
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport
from coolgp.scenarios import load_scenario
from coolgp.scenarios.runs.go import go
from coolgp.scenarios.runs.prepare import Prepared, prepare, prepare_resume
from coolgp.scenarios.simulation.state import Simulation

from tests.run_folders import contents, timeless
from tests.scenarios.runs.cases import CASES, MOVES, RANKS, TROUBLES, VARIANTS, Case, cases_on, moved, write_study

Program = Callable[..., subprocess.CompletedProcess[str]]


@dataclass
class Counted:
    """A neighbourhood communicator that counts the bytes handed to it by messages, not by the planning of routes."""

    inner: object
    size: int = 0
    open: bool = False
    before: list[int] = field(default_factory=list)

    def opened(self, verb: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **named: object) -> object:
            self.open = True
            try:
                return verb(*args, **named)
            finally:
                self.open = False

        return call

    def noting(self, advance: Callable[[int], None]) -> Callable[[int], None]:
        def call(turn: int) -> None:
            self.before.append(self.size)
            advance(turn)

        return call

    def Ineighbor_alltoallv(self, send, receive):
        self.size += int(np.sum(send[1][0])) * send[2].Get_size() if self.open else 0
        return self.inner.Ineighbor_alltoallv(send, receive)


def counted(transport: Transport) -> Counted:
    inner = transport.inner if isinstance(transport, FaultyTransport) else transport
    inner._neighbours = counter = Counted(inner._neighbours)
    for verb in ("swap", "halo", "forward"):
        setattr(inner, verb, counter.opened(getattr(inner, verb)))
    transport.advance = counter.noting(transport.advance)
    return counter


def over_mpi(simulation: Simulation) -> Simulation:
    """The same over MPI's twin on one rank too, where a run takes the serial one."""
    from coolgp.network.mpi import MPITransport

    old = simulation.transport
    if not isinstance(old.inner if isinstance(old, FaultyTransport) else old, SerialTransport):
        return simulation
    links = simulation.rule.links(simulation.topology)
    new = MPITransport(links, partition(links, 1))
    faulty = isinstance(old, FaultyTransport)
    return replace(simulation, transport=FaultyTransport(new, old.dynamics, old.faults, old.seed) if faulty else new)


def run_case(case: Case, folder: Path, place: Path, ranks: int) -> None:
    """Run to the end; a copy stays behind as a kill would leave it, tables one round ahead of the checkpoint."""

    def copy(record: object, row: dict[str, float]) -> None:
        if case.stop and row["round"] == case.stop + 1:
            shutil.copytree(place / "whole", place / "killed")

    scenario = load_scenario(folder / "study.toml", case.settings(folder))
    prepared: Prepared = prepare(scenario, place / "whole", figures=False)
    if not ranks:
        go(prepared, copy)
        return
    prepared = replace(prepared, simulation=over_mpi(prepared.simulation))
    transport = prepared.simulation.transport
    counter = counted(transport)
    go(prepared, copy)
    handed = transport.total(np.diff([*counter.before, counter.size]))
    if transport.root:
        np.save(place / "handed.npy", handed)


def main(folder: Path, ranks: int) -> None:
    for case in cases_on(ranks):
        run_case(case, folder, folder / str(ranks) / case.name, ranks)
    for place in sorted((folder / str(ranks)).glob("*/resumed")):
        go(prepare_resume(place, figures=False))


@dataclass
class Work:
    """Where everything is run, once for each number of ranks; said: by their number, what went wrong there."""

    folder: Path
    on_ranks: Program | None = None
    said: dict[int, str] = field(default_factory=dict)
    taken: set[tuple[int, int]] = field(default_factory=set)

    def ran(self, ranks: int) -> Path:
        """The folder of the runs on so many ranks, that of the ranks they take over from done before."""
        if ranks not in self.said:
            self.said[ranks] = f"what ran before on {ranks} ranks failed"
            for source, target in MOVES:
                if ranks == target and ranks:  # without MPI they are resumed at the end, after the last move
                    self._take_over(source, target)
            if ranks:
                done = self.on_ranks(ranks, Path(__file__), self.folder, ranks)
                self.said[ranks] = done.stderr if done.returncode else ""
            else:
                main(self.folder, 0)
                self.said[0] = ""
        assert not self.said[ranks]
        return self.folder / str(ranks)

    def resumed(self, source: int, target: int) -> Path:
        """The folder of the runs on so many ranks, with those in it that were resumed there."""
        place = self.ran(target)
        if not target and self._take_over(source, target):
            for case in moved(source, target):
                go(prepare_resume(place / case.name / "resumed", figures=False))
        return place

    def _take_over(self, source: int, target: int) -> bool:
        """Put copies of killed runs where they will be resumed; False where that was done."""
        if (source, target) in self.taken:
            return False
        for case in moved(source, target):
            killed = self.ran(source) / case.name / "killed"
            shutil.copytree(killed, self.folder / str(target) / case.name / "resumed")
        self.taken.add((source, target))
        return True


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Work:
    pytest.importorskip("pymetis", reason='METIS needs pip install "coolgp[partition]"')
    work = Work(tmp_path_factory.mktemp("work"))
    write_study(work.folder)
    return work


@pytest.fixture
def work(made: Work, on_ranks: Program) -> Work:
    made.on_ranks = on_ranks
    return made


def column(path: Path, name: str) -> list[int]:
    return [int(row[name]) for row in timeless(path)]


def different(one: Path, other: Path) -> list[str]:
    """What in two run folders differs."""
    first, second = contents(one), contents(other)
    return [name for name in first.keys() | second.keys() if first.get(name) != second.get(name)]


def described(wrong: dict[str, object]) -> str:
    """Cases with their settings, and what is wrong with each."""
    return "\n".join(f"{case.settings(Path())}: {wrong[case.name]}" for case in CASES if wrong.get(case.name))


def test_every_rule_meets_every_trouble_and_every_way_to_deal_agents_out() -> None:
    met = {(case.variant, trouble) for case in CASES for trouble in case.troubles}
    assert met == {(variant, trouble) for variant in VARIANTS for trouble in TROUBLES}
    seen = " ".join(setting for case in CASES for setting in case.settings(Path()))
    assert all(f"topology={kind}" in seen for kind in GENERATORS)
    assert all(f"partition={method}" in seen for method in METHODS)
    assert all(f"network.{part.name}=" in seen for part in fields(Faults) if part.name != "moving")
    assert all(f"weights={name}" in seen for name in ("max-degree", "optimal-constant"))
    assert Consensus().weights == "metropolis"
    assert min(block_size(case.size) for case in CASES) == 1 < max(block_size(case.size) for case in CASES)
    assert all({case.variant for case in cases_on(ranks)} == {*VARIANTS} for ranks in (2, 3))
    assert {case.variant for source, target in MOVES for case in moved(source, target)} == {*VARIANTS}


@pytest.mark.parametrize("ranks", RANKS)
def test_a_run_gives_the_same_bits_on_any_number_of_ranks(work: Work, ranks: int) -> None:
    alone, together = work.ran(0), work.ran(ranks)
    cases = cases_on(ranks)
    wrong = {case.name: different(alone / case.name / "whole", together / case.name / "whole") for case in cases}
    assert not described(wrong), described(wrong)


@pytest.mark.parametrize("source, target", MOVES)
def test_a_run_resumed_on_another_number_of_ranks_is_the_run_that_nobody_stopped(
    work: Work, source: int, target: int
) -> None:
    alone, again = work.ran(0), work.resumed(source, target)
    cases = moved(source, target)
    wrong = {case.name: different(alone / case.name / "whole", again / case.name / "resumed") for case in cases}
    assert not described(wrong), described(wrong)


@pytest.mark.parametrize("ranks", [0, *RANKS])
def test_bytes_on_ranks_and_between_them_are_all_that_was_sent(work: Work, ranks: int) -> None:
    wrong = {}
    for case in cases_on(ranks):
        for folder in (work.ran(ranks) / case.name).glob("*/"):
            near, far = (column(folder / "traffic.csv", name) for name in ("bytes_on_rank", "bytes_between_ranks"))
            sent = column(folder / "metrics.csv", "bytes")
            wrong[case.name] = [(near, far, sent)] if [a + b for a, b in zip(near, far, strict=True)] != sent else []
            assert ranks > 1 or folder.name != "whole" or not any(far)
    assert not described(wrong), described(wrong)


@pytest.mark.parametrize("ranks", RANKS)
def test_bytes_between_ranks_are_what_mpi_was_handed(work: Work, ranks: int) -> None:
    wrong = {}
    for case in cases_on(ranks):
        place = work.ran(ranks) / case.name
        handed = np.load(place / "handed.npy").tolist()
        far = column(place / "whole" / "traffic.csv", "bytes_between_ranks")
        wrong[case.name] = [] if handed == far else (handed, far)
        speaks = case.variant[0] not in ("none", "central", "server", "dpitc")
        assert any(handed) == (speaks and ranks > 1), case
    assert not described(wrong), described(wrong)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
