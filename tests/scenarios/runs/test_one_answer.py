"""One answer: what a run leaves is the same to the bit on any number of ranks, resumed or not, whatever goes wrong.

A seeded design lets every rule meet every trouble that a network can have, alone or several at once. This file is also
the program that the ranks run; all cases in one, for starting is what costs.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from itertools import cycle, pairwise
from pathlib import Path

import numpy as np
import pytest

from coolgp.fusion.registry import RULES, rule_class
from coolgp.fusion.sums.carrier import QueryRule
from coolgp.fusion.sums.consensus import Consensus
from coolgp.network.base.randomness import generator
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

ROUNDS = 3
RANKS = (1, 2, 3, 4)
MOVES = ((0, 2), (2, 3), (3, 0))
"""From how many ranks to how many runs are resumed, in this order; 0: without MPI."""
SIZES = (7, 12)
STUDY = (
    '[data]\nsource = "points.csv"\ntarget = "y"\ntest_count = 40\n'
    "[agents]\ninducing = 5\nbatch_size = 3\nlengthscale = 0.8\nsignal_variance = 1.0\nnoise_variance = 0.1\n"
    f"[run]\nrounds = {ROUNDS}\nprobes = 6\ncheckpoint_minutes = 60\n"
)
OPTIONS = [
    ("consensus", "fusion.weights=max-degree"),
    ("consensus", "fusion.weights=optimal-constant"),
    ("consensus", "fusion.trim=1"),
    ("server", "fusion.repeat=true"),
]
VARIANTS = [*((rule,) for rule in RULES), *OPTIONS]
TROUBLES = {
    "loss": ("network.loss=0.3",),
    "burst": ("network.loss=0.25", "network.burst=3"),
    "delay": ("network.delay=2",),
    "delays": ("network.delay=1.5", "network.delays=geometric"),
    "bandwidth": ("network.bandwidth=200",),
    "churn": ("network.churn=0.3", "network.absence=2"),
    "away": ('network.away=[{agent = "1", leave = 2, back = 3}, {agent = "3", leave = 1, back = 2}]',),
    "one_way": ("network.one_way=0.6",),
    "byzantine": ("network.byzantine=1",),
    "moving": ("network.topology=geometric", "network.degree=8", "network.speed=0.3"),
    "scheduled": ("network.topology=scheduled-{size}.csv",),
}
LATE = ("delay", "delays", "bandwidth")
EXCLUSIVE = (("loss", "burst"), ("delay", "delays"), ("moving", "scheduled"))

Program = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Case:
    """A run without MPI, and on so many ranks; stop: the round after which it is killed and resumed, 0: never."""

    name: str
    variant: tuple[str, ...]
    troubles: tuple[str, ...]
    more: tuple[str, ...]
    stop: int = 0
    size: int = SIZES[0]
    ranks: tuple[int, ...] = RANKS

    def settings(self, folder: Path) -> list[str]:
        rule, *options = self.variant
        chosen = [f"fusion.rule={rule}", *options, f"agents.count={self.size}", *self.more]
        carried = issubclass(rule_class(rule), QueryRule)  # which refuses messages that are late
        troubles = [trouble for trouble in self.troubles if not (carried and trouble in LATE)]
        chosen += [setting for trouble in troubles for setting in TROUBLES[trouble]]
        if carried and troubles:
            chosen.append("fusion.query_rounds=2")
        if rule == "npae":  # whose joint prior agents must share
            chosen.append("agents.hyperparameters=collective")
        chosen += ["run.checkpoint_minutes=0"] if self.stop else []
        return [setting.replace("scheduled-{size}", f"{folder}/scheduled-{self.size}") for setting in chosen]


def dealt(variant: tuple[str, ...]) -> list[tuple[str, ...]]:
    """All troubles in two sets that go together; the tree survives a liar only where agents grow it."""
    rng = generator(5, " ".join(variant))
    first = [pair[int(rng.integers(2))] for pair in EXCLUSIVE]
    first += [trouble for trouble in TROUBLES if trouble not in sum(EXCLUSIVE, ()) and rng.random() < 0.5]
    return [tuple(first), tuple(trouble for trouble in TROUBLES if trouble not in first)]


def design() -> list[Case]:
    """Each variant twice in great trouble, and once with one trouble or none, on 2 ranks and on 3; the rest in turn."""
    cases, kinds, modes = [], cycle(GENERATORS), cycle(("collective", "local", "fixed"))
    shared, methods, single = cycle(("function", "latent")), cycle(METHODS), cycle(TROUBLES)
    for number, variant in enumerate(VARIANTS):
        first, second = dealt(variant)
        for place, troubles in enumerate([first, second, () if number % 2 else (next(single),)]):
            linked = () if {"moving", "scheduled"} & {*troubles} else (f"network.topology={next(kinds)}",)
            turns = f"fusion.rounds_per_step={2 + (number + place) % 3}"
            more = (*linked, turns, f"agents.hyperparameters={next(modes)}", f"run.seed={number}")
            more += (f"network.partition={next(methods)}",)
            more += (f"agents.shared={next(shared)}",) if place == 2 else ()
            stop = 1 + number % (ROUNDS - 1) if place == number % 2 else 0
            size, ranks = SIZES[(number // 2 + place) % 2], (2 + (number // 4 + place) % 2,)
            cases.append(Case(f"{len(cases)}", variant, troubles, more, stop, size, ranks))
    return cases


def special() -> list[Case]:
    """Runs to the fixed point, as many agents as ranks, and blocks of two agents, the last of one."""
    many = ("agents.inducing=3", "agents.batch_size=1", "network.partition=metis", "run.probes=3")
    some = (*many, "fusion.rounds_per_step=2")
    held = ("agents.pilot_held=federated", "agents.lengthscale=pilot", "agents.noise_variance=pilot")
    again, own = ("fusion.tolerance=1e-3",), ("agents.inducing_choice=own", "agents.inducing_common=9")
    return [
        Case("tree", ("tree",), (), ("agents.encoding=importance",), 2),
        Case("repeated tree", ("tree",), ("loss", "delay"), ("fusion.tolerance=1e-9",), 2),
        Case("own inputs", ("tree",), (), own, 2, ranks=(2, 3)),
        Case("own inputs, lossy", ("flood",), ("loss",), (*own, "agents.hyperparameters=local"), 1, ranks=(3,)),
        Case("held pilot", ("tree",), ("loss",), held, 2, SIZES[1]),
        Case("consensus", ("consensus",), (), ("network.topology=complete", *again)),
        Case("chebyshev", ("chebyshev",), (), ("network.topology=star", *again)),
        Case("push-sum", ("push-sum",), ("one_way",), ("network.topology=complete", *again)),
        Case("four", ("tree",), (), ("network.topology=random-tree", "agents.hyperparameters=local"), 0, 4),
        Case("four lossy", ("flood",), ("loss",), ("network.topology=ring", "network.partition=metis"), 0, 4),
        Case("blocks", ("tree",), (), many, 0, 1025),
        Case("lossy blocks", ("push-sum",), ("burst", "delays", "churn"), some, 1, 1025),
        Case("moving blocks", ("tree",), ("moving", "bandwidth"), some, 0, 1025),
        Case("averaged blocks", ("consensus",), (), (*some, "agents.hyperparameters=local"), 0, 1025),
    ]


CASES = [*design(), *special()]
STOPPED = [case for case in CASES if case.stop]


def cases_on(ranks: int) -> list[Case]:
    """What runs on so many ranks; 0, without MPI: all."""
    return [case for case in CASES if not ranks or ranks in case.ranks]


def moved(source: int, target: int) -> list[Case]:
    """What is killed on so many ranks and resumed on others: without MPI, what does not run on those anyway."""
    return [case for case in cases_on(source) if case.stop and (source or target not in case.ranks)]


def write_study(folder: Path) -> None:
    """Points of a function of two inputs, and for each size links that change in rounds 2 and 3."""
    rng = np.random.default_rng(7)
    x = rng.uniform(0, 1, (1200, 2))
    y = 20 + 3 * np.sin(6 * x[:, 0]) * np.cos(4 * x[:, 1]) + 0.3 * rng.normal(size=len(x))
    rows = [f"{a!r},{b!r},{c!r}" for (a, b), c in zip(x.tolist(), y.tolist(), strict=True)]
    (folder / "points.csv").write_text("\n".join(["x0,x1,y", *rows]) + "\n")
    (folder / "study.toml").write_text(STUDY)
    for size in SIZES:
        ring = [(1, i, (i + 1) % size) for i in range(size)]
        star = [(2, 0, i) for i in range(1, size, 2)]
        path = [(3, *ends) for ends in pairwise(rng.permutation(size).tolist())]
        lines = [f"{turn},{tail},{head}" for turn, tail, head in (*ring, *star, *path)]
        (folder / f"scheduled-{size}.csv").write_text("\n".join(["round,tail,head", *lines]) + "\n")


# What the ranks run


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


# The laws


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
