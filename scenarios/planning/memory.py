"""What a run will need, by parts: memory of each rank before anything large is made, bytes a communication round.

Counted from the arrays that the run holds, in each of its phases; a phase's parts are there at once, and the peak is
the dearest phase. A small network of the same kind stands for that of the run: its links and its leaves for an agent,
and what the rule says of itself on it (:class:`coolgp.fusion.rule.Rows`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from coolgp.agents.blocks import cores
from coolgp.agents.parameters import Layout
from coolgp.agents.population import FOLD_ROWS
from coolgp.agents.statistics import packed_length
from coolgp.fusion.committees.base import SUMMED_BYTES
from coolgp.fusion.guarantee import Guarantee, Rows
from coolgp.fusion.registry import rule_class
from coolgp.fusion.sums.deviation import SAMPLED_COLUMNS, SAMPLED_NUMBERS
from coolgp.network.graphs.topology import Topology
from coolgp.network.launcher import launched_size
from coolgp.network.partition import block_size
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.sensors import AT_ONCE
from coolgp.scenarios.planning.miniature import Network, network_of

__all__ = ["Estimate", "Phase", "Shape", "estimate", "resident_bytes", "row_numbers", "shape_of", "threads"]

WORD = 8
BLOCK = 5 * 2**20
"""Bytes of a block of agents at work on one core, with what it makes on the way."""
LIBRARY = 25 * 2**20
"""Bytes of MPI's own library and buffers, on each of several ranks."""
COPIES_SUMMED = 3.5
"""Of the rows that a committee sums: terms, rows, and what the carrier holds: one on a tree, two in averaging."""
STARTING = {"pilot": 14 * 2**20, "own": 56 * 2**20}
"""Bytes of the fit to the pilot sample, by the lengthscales that it finds, and of libraries that load for it; then of
figures and report."""


@dataclass(frozen=True)
class Shape:
    """How large a run is. agents N, features D, tests Q; rows: for training, 0 where they are drawn in each round.

    held: whether the rows are in memory already. edges, used: directed ones, of the graph and of those that the rule
    speaks over. rounds: of learning. guarantee: of the rule on a network of this kind; exact: on this very one.
    """

    agents: int
    features: int
    rows: int
    tests: int
    held: bool
    edges: float
    used: float
    messages: float
    rounds: int
    guarantee: Guarantee
    exact: bool


@dataclass(frozen=True)
class Phase:
    """A part of a run, and the bytes by name that a rank holds then."""

    name: str
    parts: dict[str, float]

    @property
    def bytes(self) -> float:
        """All parts together."""
        return sum(self.parts.values())


@dataclass(frozen=True)
class Estimate:
    """What a run needs on each of so many ranks. base: bytes that a process holds before; row: numbers in a message."""

    shape: Shape
    ranks: int
    base: float
    row: int
    itemsize: int
    phases: tuple[Phase, ...]

    @property
    def peak(self) -> Phase:
        """The phase that needs most."""
        return max(self.phases, key=lambda phase: phase.bytes)

    @property
    def exchange_bytes(self) -> float:
        """What all agents together send in a communication round."""
        return self.shape.messages * self.row * self.itemsize


def estimate(
    scenario: Scenario, ranks: int = 1, dataset: Dataset | None = None, topology: Topology | None = None
) -> Estimate:
    """What a run of the scenario will need on each rank, without making anything large.

    dataset: needed where the rows come from a table; topology: in place of what the scenario names. Raises ValueError
    as a run would for a network that does not fit the scenario.
    """
    shape = shape_of(scenario, dataset, topology)
    itemsize, own = np.dtype(scenario.run.precision).itemsize, -(-shape.agents // ranks)
    row = row_numbers(scenario, shape.features)
    base = resident_bytes() + (LIBRARY if ranks > 1 else 0) + _starting(scenario)
    graph, links = _graph(shape), WORD * (10.5 * shape.used + 2 * shape.agents) / ranks
    data = _data(scenario, shape)
    running = {
        "graph": graph + links + _sweep(scenario, shape, ranks),
        "statistics": float(own * _statistics(scenario) * itemsize),
        "rows of the rule": _rule(scenario, shape, own, ranks, row, itemsize),
        "batches": _stream(scenario, shape, own) + _batches(scenario, shape, own, ranks),
        "hyper-parameters": _parameters(scenario, shape, own),
        "blocks at work": float(threads(ranks) * BLOCK),
        "probes and test rows": _probes(scenario, shape) + _experts(shape, own),
    }
    held = {"interpreter and libraries": float(base), "data": data}
    phases = (
        Phase("drawing the data", {**held, "data": data + _drawing(scenario, shape)}),
        Phase("building the network", held | {"graph and what builds it": _building(shape, ranks)}),
        Phase("learning and fusion", held | running),
    )
    return Estimate(shape, ranks, base, row, itemsize, phases)


def shape_of(scenario: Scenario, dataset: Dataset | None = None, topology: Topology | None = None) -> Shape:
    """How large a run is. Raises ValueError where a table is needed and was not given."""
    source, rounds = source_named(scenario.data.source), scenario.run.rounds
    if dataset is None and not source.generated:
        raise ValueError(f"the size of a run on {scenario.data.source} follows from its rows: load them first")
    if dataset is not None:
        rows = 0 if dataset.training.most is None else len(dataset.training.identity()[1])
        most, known = dataset.training.most, (len(dataset.agents), len(dataset.features), rows, len(dataset.y_test))
    else:
        agents = scenario.agents.count
        turns = rounds if isinstance(rounds, int) else 30
        rows = 0 if source.endless else scenario.data.observations or agents * scenario.agents.batch_size * turns
        most, known = -(-rows // agents), (agents, source.inputs, rows, scenario.data.test_count or source.tests)
    turns = rounds if isinstance(rounds, int) else -(-(most or 0) // scenario.agents.batch_size)
    network = network_of(scenario, known[0], dataset, topology)
    return Shape(*known, dataset is not None, *_links(network, known[0]), turns, network.guarantee, network.exact)


def _links(network: Network, agents: int) -> tuple[float, float, float]:
    """Directed edges, those that the rule speaks over, and messages, of a network of so many agents like this one."""
    edges, used, size = len(network.topology.indices), len(network.links.indices), network.topology.size
    if network.exact:
        return float(edges), float(used), network.guarantee.messages
    every = edges == size * (size - 1) and size > 2
    all_edges = agents * (agents - 1.0) if every else edges * agents / size
    speaking = all_edges if used == edges else used * agents / size
    return all_edges, speaking, network.guarantee.messages * (all_edges / edges if used == edges else agents / size)


def row_numbers(scenario: Scenario, features: int) -> int:
    """Numbers in a message: packed sums, announcements, and the agent's own one."""
    announced = 2 * _layout(scenario, features).size if scenario.agents.hyperparameters == "collective" else 0
    return packed_length(most_inducing(scenario)) + announced + 1


def most_inducing(scenario: Scenario) -> int:
    """Inducing inputs that there can be in the end."""
    return scenario.agents.inducing_most or scenario.agents.inducing


def threads(ranks: int) -> int:
    """Cores of each of so many ranks on this machine; of this one, where they have been started."""
    return cores() if launched_size() > 1 else max(1, cores() // ranks)


def resident_bytes() -> int:
    """Memory of this process now; where the system does not tell, what Python with these libraries takes elsewhere."""
    try:
        with open("/proc/self/statm") as told:
            return int(told.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 140 * 2**20


def _starting(scenario: Scenario) -> int:
    lengthscale = scenario.agents.lengthscale
    return STARTING[lengthscale if isinstance(lengthscale, str) else "pilot"]


def _layout(scenario: Scenario, features: int) -> Layout:
    agents = scenario.agents
    return Layout(features, full=agents.projection == "full", uncertain=agents.projection_std > 0)


def _statistics(scenario: Scenario) -> int:
    """Numbers that an agent keeps: a row, or one for each sample."""
    samples = scenario.agents.importance_samples if scenario.agents.encoding == "importance" else 1
    return samples * packed_length(most_inducing(scenario))


def _data(scenario: Scenario, shape: Shape) -> float:
    """Rows and positions in original units, on every rank; those that are loaded are part of what the process holds."""
    if shape.held:
        return 0.0
    placed = 2 * shape.agents if source_named(scenario.data.source).placed else 0
    return float(WORD * ((shape.features + 2) * shape.rows + placed))


def _drawing(scenario: Scenario, shape: Shape) -> float:
    return (
        0.0
        if shape.held
        else float(WORD * max(0, source_named(scenario.data.source).drawing - shape.features - 2) * shape.rows)
    )


def _graph(shape: Shape) -> float:
    """Both graphs, the links and those in use, with positions and orders: what every rank keeps."""
    return WORD * (shape.edges + 4 * shape.agents + (shape.used + shape.agents) * (shape.used < shape.edges))


def _building(shape: Shape, ranks: int) -> float:
    """While links are drawn and sorted, a tree is grown, and ways between agents are laid out."""
    drawing, growing = 11.0 * shape.edges + 2 * shape.agents, 4.0 * shape.edges + 17 * shape.agents
    laying = 3.0 * shape.edges / ranks + 22 * shape.used / ranks + (4 * shape.agents + shape.used) * (ranks > 1)
    return max(WORD * drawing, WORD * growing, _graph(shape) + WORD * laying)


def _sweep(scenario: Scenario, shape: Shape, ranks: int) -> float:
    """Who speaks when on a tree: ten numbers an agent, and two kilobytes for each round of it."""
    sweeping = scenario.fusion.rule == "tree" and shape.guarantee.rounds is not None
    return (WORD * 10.0 * shape.agents + 2000.0 * (shape.guarantee.rounds or 0)) / ranks if sweeping else 0.0


def _rule(scenario: Scenario, shape: Shape, own: int, ranks: int, row: int, itemsize: int) -> float:
    settles = scenario.fusion.rounds_per_step == "converge"
    rows: Rows = shape.guarantee.settling if settles else shape.guarantee.exchanging
    late = scenario.network.delay * shape.messages / ranks  # what is still on its way
    count = rows.per_agent * own + rows.per_edge * shape.used / ranks + rows.per_pair * own * shape.agents + late
    sampled = 3 * WORD * own * min(SAMPLED_COLUMNS, SAMPLED_NUMBERS // shape.agents, row)
    held = 2 * WORD * (shape.features + 2) * min(rows.observed, shape.rounds * scenario.agents.batch_size)
    return row * itemsize * count + own * (rows.columns * threads(ranks) * itemsize + held) + sampled


def _stream(scenario: Scenario, shape: Shape, own: int) -> float:
    """Rows that were dealt, scaled and in the order in which agents observe them, and what sorting them takes."""
    if not shape.rows:
        return 0.0
    return float(WORD * ((shape.features + 1) * shape.rows + 3 * shape.rows + 3 * shape.rows * own // shape.agents))


def _batches(scenario: Scenario, shape: Shape, own: int, ranks: int) -> float:
    """What each core makes of batches at a time: of some agents, all that wait to become sums, twice while joined.

    And the whole batch of the round, where hyper-parameters are learned from it too or the rule wants to see it.
    """
    each, size = scenario.agents.batch_size, block_size(shape.agents)
    agents, waiting = min(own, max(size, AT_ONCE // each)), min(each * scenario.fusion.every, FOLD_ROWS + each)
    again = scenario.agents.hyperparameters != "fixed" or hasattr(rule_class(scenario.fusion.rule), "observe")
    return float(WORD * (shape.features + 2) * (threads(ranks) * 2 * agents * waiting + own * each * again))


def _parameters(scenario: Scenario, shape: Shape, own: int) -> float:
    """Hyper-parameters, anchor, two moments; at a step the same again, with averages and gradients."""
    size = _layout(scenario, shape.features).size
    return float(WORD * own * size * (4 if scenario.agents.hyperparameters == "fixed" else 16))


def _experts(shape: Shape, own: float) -> float:
    """What all agents say at the test rows, where a rule combines it."""
    bytes_, guarantee = float(WORD * own * shape.tests), shape.guarantee
    return bytes_ * guarantee.asking + COPIES_SUMMED * min(bytes_ * guarantee.summing, SUMMED_BYTES)


def _probes(scenario: Scenario, shape: Shape) -> float:
    """Forecasts before and after fusion and their errors, on the root, and what the probes know."""
    probes, known = min(scenario.run.probes, shape.agents), 4 * most_inducing(scenario) ** 2
    return float(WORD * (shape.tests * (probes * 6 + shape.features + 3) + probes * known))
