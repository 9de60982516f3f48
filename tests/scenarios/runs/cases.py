"""A seeded design of runs: every rule meets every trouble that a network can have, alone or several at once."""

from dataclasses import dataclass
from itertools import cycle, pairwise
from pathlib import Path

import numpy as np

from coolgp.fusion.registry import RULES, rule_class
from coolgp.fusion.sums.carrier import QueryRule
from coolgp.network.base.randomness import generator
from coolgp.network.graphs.generate import GENERATORS
from coolgp.network.partition import METHODS

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
    "scheduled": ("network.topology={folder}/scheduled-{size}.csv",),
}
LATE = ("delay", "delays", "bandwidth")
EXCLUSIVE = (("loss", "burst"), ("delay", "delays"), ("moving", "scheduled"))


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
        return [setting.replace("{folder}", str(folder)).replace("{size}", str(self.size)) for setting in chosen]


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
    small = ("agents.inducing=3", "agents.batch_size=1", "network.partition=metis", "run.probes=3")
    many = ("data.source={folder}/many.csv", *small)
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
    """Points of a function of two inputs, few and many, and for each size links that change in rounds 2 and 3."""
    rng = np.random.default_rng(7)
    x = rng.uniform(0, 1, (1200, 2))
    y = 20 + 3 * np.sin(6 * x[:, 0]) * np.cos(4 * x[:, 1]) + 0.3 * rng.normal(size=len(x))
    rows = [f"{a!r},{b!r},{c!r}" for (a, b), c in zip(x.tolist(), y.tolist(), strict=True)]
    for name, count in (("points", 200), ("many", 1200)):
        (folder / f"{name}.csv").write_text("\n".join(["x0,x1,y", *rows[:count]]) + "\n")
    (folder / "study.toml").write_text(STUDY)
    for size in SIZES:
        ring = [(1, i, (i + 1) % size) for i in range(size)]
        star = [(2, 0, i) for i in range(1, size, 2)]
        path = [(3, *ends) for ends in pairwise(rng.permutation(size).tolist())]
        lines = [f"{turn},{tail},{head}" for turn, tail, head in (*ring, *star, *path)]
        (folder / f"scheduled-{size}.csv").write_text("\n".join(["round,tail,head", *lines]) + "\n")
