"""How long a run will take, from seconds of its real loop on a small part of it: an honest guess, not a promise.

The part has the same model, batches, rule and precision, and rows too many for the cache. What is done for agents grows
with those of a rank, and what is done for the graph with all; starting, pilot, probes and figures stay as they are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from statistics import median

from coolgp.agents.blocks import granted_cores, on_cores
from coolgp.network.serial import SerialTransport
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.planning.memory import Estimate, threads
from coolgp.scenarios.planning.miniature import network_of, reduced
from coolgp.scenarios.simulation.assembly import assemble, build_topology, one_thread
from coolgp.scenarios.simulation.rounds import simulate

__all__ = ["Duration", "measure"]

SECONDS, LEAST_ROUNDS, MOST_ROUNDS = 1.5, 2, 5
"""Of learning on the part: until that many seconds are over, and so many rounds at least and at most."""
PART_BYTES = 2**28
"""What the part holds in sums and rows of the rule: much more than caches, and soon gone through."""
PART_AGENTS = 20_000
GRAPH_AGENTS, GRAPH_LINKS = 20_000, 400_000
"""A graph of this size is built to see what it takes, and what the rule promises on it."""
FIGURES = 2.5
"""Seconds for figures and report: mostly Matplotlib's, and the same for all sizes."""
FEW, MORE = 10, 30
"""Communication rounds of two looks at a rule whose number of them is not known, so that one more can be told."""


@dataclass(frozen=True)
class Duration:
    """Seconds by part; each: of one communication round, where the run goes on until a fixed point.

    turns: how many of these a round of learning takes, None where that is not known for a graph of this size: they are
    not among the parts then.
    """

    parts: dict[str, float]
    each: float | None = None
    turns: int | None = None

    @property
    def known(self) -> bool:
        """Whether the parts are all."""
        return self.each is None or self.turns is not None

    @property
    def seconds(self) -> float:
        """All parts together."""
        return sum(self.parts.values())


@dataclass(frozen=True)
class Round:
    """Seconds of the part: to begin, to learn and fuse in a round, and to evaluate the probes."""

    begin: float
    learn: float
    evaluate: float


def measure(scenario: Scenario, found: Estimate, dataset: Dataset | None = None) -> Duration:
    """Run a part of the scenario for some seconds, and say what the whole will take on the estimate's ranks."""
    starting = time.process_time()
    shape, ranks = found.shape, found.ranks
    crowd = max(1.0, ranks / granted_cores())
    part, rows = _part(scenario, found, dataset)
    with on_cores(threads(ranks)), one_thread():
        started = time.perf_counter()
        rows = load(part) if rows is None else rows
        drawn = time.perf_counter() - started
        graph, turns = _graph_seconds(scenario, found, dataset)
        asymptotic = shape.guarantee.kind != "exact" and shape.messages > 0
        open_end = asymptotic and scenario.fusion.rounds_per_step == "converge"
        first, fixed = _loop(_turning(part, FEW) if open_end else part, rows)
        each = None
        if open_end:
            again, _ = _loop(_turning(part, MORE), rows)
            each = max(0.0, (again.learn - first.learn) / (MORE - FEW))
            first = replace(first, learn=max(0.0, first.learn - FEW * each))
    size = part.agents.count
    scale = shape.agents / ranks / size * crowd * (shape.agents / size if shape.guarantee.settling.per_pair else 1.0)
    learning = first.learn + (each or 0.0) * (turns or 0)
    data = 0.0 if dataset is not None else drawn * (shape.rows / max(1, _row_count(rows)) if shape.rows else 1.0)
    parts = {
        "Python and libraries": starting,
        "data": data,
        "graph": graph * crowd,
        "pilot and first state": fixed * crowd + first.begin * scale,
        "learning and fusion": learning * scale * shape.rounds,
        "probes": first.evaluate * -(-shape.rounds // scenario.run.evaluate_every),
        "figures and report": FIGURES,
    }
    return Duration(parts, None if each is None else each * scale, turns if each is not None else None)


def _part(scenario: Scenario, found: Estimate, dataset: Dataset | None) -> tuple[Scenario, Dataset | None]:
    """The scenario with fewer agents, and their rows where there is a table."""
    shape = found.shape
    sums = found.phases[-1].parts["statistics"] + found.phases[-1].parts["rows of the rule"]
    share = PART_BYTES / (sums * found.ranks)
    share = share**0.5 if shape.guarantee.settling.per_pair else share
    links = GRAPH_LINKS / max(1.0, shape.edges / shape.agents) ** (1 if shape.edges < 100 * shape.agents else 0.5)
    count = int(min(shape.agents, PART_AGENTS, max(2 * (links < 256), links), max(64, share * shape.agents)))
    topology = None
    if scenario.network.is_file:
        stand_in = dataset if dataset is not None else load(scenario)
        topology = build_topology(scenario, stand_in)[0]
    small = reduced(scenario, shape.agents, count, topology)
    few = max(count * scenario.agents.batch_size * MOST_ROUNDS, scenario.agents.pilot)
    update: dict[str, object] = {"run": small.run.model_copy(update={"rounds": MOST_ROUNDS, "evaluate_every": 1})}
    source = source_named(scenario.data.source)
    if source.generated and not source.endless:
        update["data"] = small.data.model_copy(update={"observations": few})
    return small.model_copy(update=update), None if dataset is None else _some_agents(dataset, count)


def _some_agents(dataset: Dataset, count: int) -> Dataset:
    """The first agents of a dataset, with their rows."""
    rows = dataset.training
    if not isinstance(rows, Dealt) or count >= len(dataset.agents):
        return dataset
    theirs = rows.owner < count
    few = Dealt(rows.x[theirs], rows.y[theirs], rows.owner[theirs])
    places = None if dataset.positions is None else dataset.positions[:count]
    return replace(dataset, training=few, agents=tuple(dataset.agents[:count]), positions=places)


def _turning(part: Scenario, turns: int) -> Scenario:
    return part.model_copy(update={"fusion": part.fusion.model_copy(update={"rounds_per_step": turns})})


def _loop(part: Scenario, rows: Dataset) -> tuple[Round, float]:
    """Seconds of the part's rounds, and of putting it together."""
    started = time.perf_counter()
    simulation = assemble(part, rows)
    fixed = time.perf_counter() - started
    begun = last = time.perf_counter()
    learn, rest = [], []
    for step in simulate(simulation):
        now = time.perf_counter()
        assert step.record is not None  # there is one rank
        learn.append(step.record.seconds)
        rest.append(now - last - step.record.seconds)
        last = now
        if now - begun > SECONDS and len(learn) >= LEAST_ROUNDS:
            break
    evaluate = median(rest[1:])
    return Round(max(0.0, rest[0] - evaluate), median(learn[1:]), evaluate), fixed


def _graph_seconds(scenario: Scenario, found: Estimate, dataset: Dataset | None) -> tuple[float, int | None]:
    """Seconds to build the whole graph and its ways; the rounds to the fixed point where that is the whole graph."""
    shape = found.shape
    most = int(min(GRAPH_AGENTS, GRAPH_LINKS * shape.agents / max(1.0, shape.edges)))
    most = max(16, most if shape.edges < 100 * shape.agents else int(GRAPH_LINKS**0.5))
    started = time.perf_counter()
    network = network_of(scenario, shape.agents, dataset if shape.agents <= most else None, most=most)
    SerialTransport(network.links)
    seconds = time.perf_counter() - started
    whole = network.topology.size == shape.agents
    return seconds * shape.edges / max(1, len(network.topology.indices)), network.guarantee.rounds if whole else None


def _row_count(rows: Dataset) -> int:
    return len(rows.training.y) if isinstance(rows.training, Dealt) else 0
