"""How long a run will take, from seconds of its real loop on a small part of it: an estimate, not a guarantee.

The sample has the same model, batches, rule and precision, and rows too many for the cache. What is done for agents
grows with those of a rank, and what is done for the graph with all; starting, pilot, probes and figures stay as they
are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from statistics import median

from coolgp.agents.blocks import cores, on_cores
from coolgp.network.serial import SerialTransport
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.planning.memory import Estimate
from coolgp.scenarios.planning.shape import Shape, most_agents, network_of, reduced
from coolgp.scenarios.simulation.assembly import assemble, one_thread
from coolgp.scenarios.simulation.network import build_topology
from coolgp.scenarios.simulation.rounds import simulate
from coolgp.scenarios.simulation.tested_rows import evaluated_count, work_of

__all__ = ["Duration", "measure"]

SECONDS, LEAST_ROUNDS, MOST_ROUNDS = 1.5, 2, 5
"""Of learning on the sample: until that many seconds are over, and so many rounds at least and at most."""
SAMPLE_BYTES = 2**28
"""Sums and rows of the rule in the sample: much more than caches, and quick to process."""
SAMPLE_AGENTS = 20_000
GRAPH_AGENTS, GRAPH_LINKS = 20_000, 400_000
"""A graph of this size is built to see what it takes, and what the rule guarantees on it."""
FIGURES = 2.5
"""Seconds for figures and report: mostly Matplotlib's, and the same for all sizes."""
FEWER, MORE = 10, 30
"""Communication rounds of two measurements where their number is open: the difference is what one more takes."""


@dataclass(frozen=True)
class Duration:
    """Seconds by part; each: of one communication round, where a round of learning ends at a fixed point.

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
class Timed:
    """Seconds of the sample: to assemble it, to begin, to learn and fuse in a round, and to evaluate the probes.

    each: of one communication round, where their number is open; learn is without them then.
    """

    assemble: float
    begin: float
    learn: float
    evaluate: float
    each: float | None = None


def measure(scenario: Scenario, needs: Estimate, dataset: Dataset | None = None) -> Duration:
    """Run a sample of the scenario for some seconds, and say what all of it will take on the estimate's ranks."""
    starting = time.process_time()
    shape, ranks, crowd = needs.shape, needs.ranks, needs.place.crowd
    evaluated, tested = -(-shape.rounds // scenario.run.interval(shape.rounds)), _tested(scenario, shape)
    sample = _sample(scenario, needs, dataset, tested)
    with on_cores(min(needs.place.cores, cores())), one_thread():
        started = time.perf_counter()
        rows = load(sample) if dataset is None else _some_agents(dataset, sample.agents.count)
        drawn = 0.0 if dataset is not None else time.perf_counter() - started
        graph, turns = _graph_seconds(scenario, shape, dataset)
        timed = _timed(sample, rows, shape)
    size = sample.agents.count
    scale = shape.agents / ranks / size * crowd * (shape.agents / size if shape.guarantee.settling.per_pair else 1.0)
    learning = timed.learn + (timed.each or 0.0) * (turns or 0)
    parts = {
        "Python and libraries": starting,
        "data": drawn * (shape.rows / max(1, _row_count(rows)) if shape.rows else 1.0),
        "graph": graph * crowd,
        "pilot and first state": timed.assemble * crowd + timed.begin * scale,
        "learning and fusion": learning * scale * shape.rounds,
        "probes": timed.evaluate * (evaluated - 1 + shape.tests / tested),
        "figures and report": FIGURES,
    }
    return Duration(parts) if timed.each is None else Duration(parts, timed.each * scale, turns)


def _tested(scenario: Scenario, shape: Shape) -> int:
    """How many test rows the probes of the whole run are asked at in rounds before the last."""
    run = scenario.run
    work = work_of(scenario, shape.network.plan, shape.agents, shape.rounds, shape.messages)
    return evaluated_count(run.evaluate_rows, shape.tests, work, shape.rounds, run.interval(shape.rounds))


def _sample(scenario: Scenario, needs: Estimate, dataset: Dataset | None, tested: int) -> Scenario:
    """The scenario with fewer agents and rows, and a few rounds of which each is evaluated at so many test rows."""
    shape, count = needs.shape, _sample_agents(needs)
    topology = None
    if scenario.network.is_file:
        stand_in = dataset if dataset is not None else load(scenario)
        topology = build_topology(scenario.network, stand_in, scenario.run.seed)[0]
    small = reduced(scenario, shape.agents, count, topology)
    run = {"rounds": MOST_ROUNDS, "evaluate_every": 1, "evaluate_rows": tested}
    update: dict[str, object] = {"run": small.run.model_copy(update=run)}
    source = source_named(scenario.data.source)
    if source.generated and not source.endless:
        rows = max(count * scenario.agents.batch_size * MOST_ROUNDS, scenario.agents.pilot)
        update["data"] = small.data.model_copy(update={"observations": rows})
    return small.model_copy(update=update)


def _sample_agents(needs: Estimate) -> int:
    """How many agents the sample has: as many as its memory and its links allow."""
    shape = needs.shape
    bytes_ = needs.phases[-1].parts["statistics"] + needs.phases[-1].parts["rows of the rule"]
    share = SAMPLE_BYTES / (bytes_ * needs.ranks)
    share = share**0.5 if shape.guarantee.settling.per_pair else share
    links = GRAPH_LINKS / max(1.0, shape.edges / shape.agents) ** (1 if shape.edges < 100 * shape.agents else 0.5)
    return int(min(shape.agents, SAMPLE_AGENTS, max(2 * (links < 256), links), max(64, share * shape.agents)))


def _some_agents(dataset: Dataset, count: int) -> Dataset:
    """The first agents of a dataset, with their rows."""
    rows = dataset.training
    if not isinstance(rows, Dealt) or count >= len(dataset.agents):
        return dataset
    theirs = rows.owner < count
    first = Dealt(rows.x[theirs], rows.y[theirs], rows.owner[theirs])
    positions = None if dataset.positions is None else dataset.positions[:count]
    return replace(dataset, training=first, agents=tuple(dataset.agents[:count]), positions=positions)


def _timed(sample: Scenario, rows: Dataset, shape: Shape) -> Timed:
    """Seconds of the sample; where the number of communication rounds is open, from two runs with numbers of them."""
    asymptotic = shape.guarantee.kind != "exact" and shape.messages > 0
    if not (asymptotic and sample.fusion.rounds_per_step == "converge"):
        return _loop(sample, rows)
    fewer, more = (_loop(_exchanging(sample, turns), rows) for turns in (FEWER, MORE))
    each = max(0.0, (more.learn - fewer.learn) / (MORE - FEWER))
    return replace(fewer, learn=max(0.0, fewer.learn - FEWER * each), each=each)


def _exchanging(sample: Scenario, turns: int) -> Scenario:
    return sample.model_copy(update={"fusion": sample.fusion.model_copy(update={"rounds_per_step": turns})})


def _loop(sample: Scenario, rows: Dataset) -> Timed:
    """Seconds of the sample's rounds, and of assembling it."""
    started = time.perf_counter()
    simulation = assemble(sample, rows)
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
    return Timed(
        assemble=begun - started, begin=max(0.0, rest[0] - evaluate), learn=median(learn[1:]), evaluate=evaluate
    )


def _graph_seconds(scenario: Scenario, shape: Shape, dataset: Dataset | None) -> tuple[float, int | None]:
    """Seconds to build the graph and its routes; rounds to the fixed point where it is the full graph."""
    most = most_agents(shape, GRAPH_AGENTS, GRAPH_LINKS)
    started = time.perf_counter()
    network = network_of(scenario, shape.agents, dataset if shape.agents <= most else None, most=most).plan
    SerialTransport(network.links)
    seconds = time.perf_counter() - started
    complete = network.topology.size == shape.agents
    rounds = network.guarantee.rounds if complete else None
    return seconds * shape.edges / max(1, len(network.topology.indices)), rounds


def _row_count(rows: Dataset) -> int:
    return len(rows.training.y) if isinstance(rows.training, Dealt) else 0
