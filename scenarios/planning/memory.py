"""What a run will need: memory of each rank by phases, before anything large is made, and bytes a communication round.

Counted from the arrays that the run makes in each of its phases; all arrays of a phase exist at once, and the peak is
the phase that needs most. A large network is estimated from a small one of the same kind: from its links and its leaves
for an agent, and the guarantee of the rule on it (:class:`coolgp.fusion.guarantee.Rows`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.population import FOLD_ROWS
from coolgp.fusion.guarantee import SUMMED_BYTES, Rows
from coolgp.fusion.sums.deviation import SAMPLED_COLUMNS, SAMPLED_NUMBERS
from coolgp.network.graphs.topology import Topology
from coolgp.network.partition import block_size
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.sensors import AT_ONCE
from coolgp.scenarios.planning.machine import Ranks, ranks_here, resident_bytes
from coolgp.scenarios.planning.shape import Shape, shape_of
from coolgp.scenarios.planning.sizes import (
    layout_of,
    most_inducing,
    own_input_numbers,
    row_numbers,
    share_numbers,
    statistics_numbers,
)

__all__ = ["Estimate", "Phase", "estimate", "estimate_of"]

WORD = 8
BLOCK = 5 * 2**20
"""Bytes of a block of agents at work on one core, with what it makes on the way."""
LIBRARY = 25 * 2**20
"""Bytes of MPI's own library and buffers, on each of several ranks."""
SEARCHED = 5, 8
"""Arrays that the bound of the pilot needs at once, of rows by inducing inputs and of these alone."""
COPIES_SUMMED = 3.5
"""Of the rows that a committee sums: terms, rows, and the carrier's: one on a tree, two in averaging."""
STARTING = {"pilot": 14 * 2**20, "own": 56 * 2**20}
"""Bytes of the fit to the pilot sample, by the lengthscales that it finds, and of libraries that load for it; then of
figures and report."""


@dataclass(frozen=True)
class Phase:
    """A phase of a run, and the bytes by name that a rank needs in it."""

    name: str
    parts: dict[str, float]

    @property
    def bytes(self) -> float:
        """All parts together."""
        return sum(self.parts.values())


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a run needs on each of its ranks. row: numbers in a message."""

    shape: Shape
    place: Ranks
    row: int
    itemsize: int
    phases: tuple[Phase, ...]

    @property
    def ranks(self) -> int:
        """How many they are."""
        return self.place.count

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
    return estimate_of(scenario, shape_of(scenario, dataset, topology), ranks_here(ranks))


def estimate_of(scenario: Scenario, shape: Shape, place: Ranks) -> Estimate:
    """The same for a run whose size is known, on ranks that need not be on this machine."""
    ranks = place.count
    itemsize = np.dtype(scenario.run.precision).itemsize
    shares = share_numbers(scenario.fusion, shape.network.plan.rule, shape.agents)
    row = row_numbers(scenario.agents, shape.features) + shares
    data = _data(shape)
    own_inputs = float(WORD * shape.agents * own_input_numbers(scenario.agents, shape.features))
    lasting = {
        "interpreter and libraries": float(resident_bytes() + LIBRARY * (ranks > 1) + _starting(scenario.agents)),
        "data": data + own_inputs,
    }
    phases = (
        Phase("drawing the data", {**lasting, "data": data + _drawing(shape)}),
        Phase("building the network", lasting | {"graph and what builds it": _building(shape, ranks)}),
        Phase("searching the shared start", lasting | {"bound of the pilot": _searching(scenario.agents)}),
        Phase("learning and fusion", lasting | _running(scenario, shape, place, row, itemsize)),
    )
    return Estimate(shape=shape, place=place, row=row, itemsize=itemsize, phases=phases)


def _running(scenario: Scenario, shape: Shape, place: Ranks, row: int, itemsize: int) -> dict[str, float]:
    """Bytes by name while agents learn and fuse, besides what lasts."""
    agents, ranks, own = scenario.agents, place.count, -(-shape.agents // place.count)
    rows = shape.guarantee.settling if scenario.fusion.rounds_per_step == "converge" else shape.guarantee.exchanging
    late = scenario.network.delay * shape.messages / ranks  # messages on their way
    messages = rows.count(own, shape.used / ranks, shape.agents) + late
    return {
        "graph": _graph(shape) + WORD * (10.5 * shape.used + 2 * shape.agents) / ranks + _schedule(shape, ranks),
        "statistics": float(own * statistics_numbers(agents) * itemsize),
        "rows of the rule": row * itemsize * messages
        + own * rows.columns * place.cores * itemsize
        + own * _observed(rows, shape, agents.batch_size)
        + 3 * WORD * own * min(SAMPLED_COLUMNS, SAMPLED_NUMBERS // shape.agents, row),
        "batches": _stream(shape, own) + _batches(agents, scenario.fusion.every, shape, own, place.cores),
        "hyper-parameters": _parameters(agents, shape, own),
        "blocks at work": float(place.cores * BLOCK),
        "probes and test rows": _probes(scenario.run.probes, agents, shape) + _predictions(shape, own),
    }


def _searching(agents: AgentsSettings) -> float:
    """Bytes of the bound of the pilot and its gradient: arrays of rows by inducing inputs, and of these alone."""
    if agents.inducing_choice != "bound":
        return 0.0
    return float(WORD * agents.inducing * (SEARCHED[0] * agents.pilot + SEARCHED[1] * agents.inducing))


def _starting(agents: AgentsSettings) -> int:
    lengthscale = agents.lengthscale
    return STARTING[lengthscale if isinstance(lengthscale, str) else "pilot"]


def _data(shape: Shape) -> float:
    """Rows and positions in original units, on every rank; those that are loaded belong to the process already."""
    return 0.0 if shape.loaded else float(WORD * ((shape.features + 2) * shape.rows + 2 * shape.agents * shape.placed))


def _drawing(shape: Shape) -> float:
    return 0.0 if shape.loaded else float(WORD * max(0, shape.drawing - shape.features - 2) * shape.rows)


def _graph(shape: Shape) -> float:
    """Both graphs, all links and those in use, with positions and orders: on every rank."""
    return WORD * (shape.edges + 4 * shape.agents + (shape.used + shape.agents) * (shape.used < shape.edges))


def _building(shape: Shape, ranks: int) -> float:
    """While links are drawn and sorted, a tree is grown, and routes between agents are laid out."""
    drawing, growing = 11.0 * shape.edges + 2 * shape.agents, 4.0 * shape.edges + 17 * shape.agents
    laying = 3.0 * shape.edges / ranks + 22 * shape.used / ranks + (4 * shape.agents + shape.used) * (ranks > 1)
    return max(WORD * drawing, WORD * growing, _graph(shape) + WORD * laying)


def _schedule(shape: Shape, ranks: int) -> float:
    """A rule's schedule of messages, of which each rank has its share."""
    schedule = shape.guarantee.schedule
    return (schedule.agent_bytes * shape.agents + schedule.bytes) / ranks


def _observed(rows: Rows, shape: Shape, batch_size: int) -> float:
    """Rows of data that the rule stores of an agent."""
    return 2 * WORD * (shape.features + 2) * min(rows.observed, shape.rounds * batch_size)


def _stream(shape: Shape, own: int) -> float:
    """Rows that were dealt, scaled and in the order in which agents observe them, and what sorting them takes."""
    if not shape.rows:
        return 0.0
    return float(WORD * ((shape.features + 1) * shape.rows + 3 * shape.rows + 3 * shape.rows * own // shape.agents))


def _batches(agents: AgentsSettings, every: int, shape: Shape, own: int, cores: int) -> float:
    """What each core makes of batches at a time: of some agents, all that wait to become sums, twice while joined.

    And the batch of the round, where hyper-parameters are learned from it too or the rule sees it.
    """
    rows, block = agents.batch_size, block_size(shape.agents)
    at_work, waiting = min(own, max(block, AT_ONCE // rows)), min(rows * every, FOLD_ROWS + rows)
    again = agents.hyperparameters != "fixed" or shape.sees_data
    return float(WORD * (shape.features + 2) * (cores * 2 * at_work * waiting + own * rows * again))


def _parameters(agents: AgentsSettings, shape: Shape, own: int) -> float:
    """Hyper-parameters, anchor, two moments; at a step the same again, with averages and gradients."""
    size = layout_of(agents, shape.features).size
    return float(WORD * own * size * (4 if agents.hyperparameters == "fixed" else 16))


def _predictions(shape: Shape, own: float) -> float:
    """Predictions of all agents at the test rows, where a rule combines them."""
    column, guarantee = float(WORD * own * shape.tests), shape.guarantee
    return column * guarantee.asking + COPIES_SUMMED * min(column * guarantee.summing, SUMMED_BYTES)


def _probes(probes: int, agents: AgentsSettings, shape: Shape) -> float:
    """Forecasts before and after fusion and their errors, on the root, and the evidence of the probes."""
    asked, evidence = min(probes, shape.agents), 4 * most_inducing(agents) ** 2
    return float(WORD * (shape.tests * (asked * 6 + shape.features + 3) + asked * evidence))
