"""The loop: draw, observe, propose, exchange, evaluate. A run is a generator of moments between rounds.

Stopping, plotting and storing are the caller's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from time import perf_counter
from typing import Any, Literal

import numpy as np

from coolgp.agents.batches import Observations, gathered
from coolgp.agents.learning import Adam
from coolgp.agents.population import Population, fold, new_population, observe
from coolgp.agents.prediction import Indefinite
from coolgp.fusion.extension import extend
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.hyperparameters import MODES, Mode, training_evidence_of
from coolgp.fusion.rule import AveragesParameters, EvidenceRule, FusionRule, SeesData, State
from coolgp.network.delivery import Meter
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport
from coolgp.scenarios.base.arrays import Ints
from coolgp.scenarios.config.agents import AgentsSettings
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.simulation.evaluation import Evaluation, Probed
from coolgp.scenarios.simulation.initialisation import SharedStart

__all__ = ["Record", "RunState", "Simulation", "Step", "begin", "sent_so_far", "simulate"]


@dataclass(frozen=True, kw_only=True)
class Record:
    """A round after which the probes were evaluated, as the root sees it.

    round: from 1, of ``rounds``. observations: by all agents so far. sent: by all agents since the last record, what
    probes asked of others to predict among it. present: agents in the network. error: how far agents are from the sum
    of all they know, see :class:`EvidenceRule`; NaN without sums. seconds: of learning and fusion since the last
    record; evaluating the probes is not in it. probed: what the probes say, or None in a record that was put away.
    spanned: rounds since the last record, or since the run went on.
    """

    round: int
    rounds: int
    observations: int
    probed: Probed | None
    sent: Meter
    present: int
    error: float
    seconds: float
    spanned: int = 1


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """Everything a run is made of, on this rank.

    links: of the topology, those that the rule speaks over. probes: global ids ``[probes]`` over all ranks, ascending.
    """

    scenario: Scenario
    dataset: Dataset
    shared_start: SharedStart
    topology: Topology
    links: Topology
    transport: Transport
    rule: FusionRule
    probes: Ints
    guarantee: Guarantee
    faults: Faults

    @property
    def rounds(self) -> int:
        """Of learning."""
        scenario = self.scenario
        return scenario.run.learning_rounds(self.dataset.training.most, scenario.agents.batch_size)


@dataclass(frozen=True, kw_only=True)
class RunState:
    """What goes on from one round to the next, on this rank; what the transport keeps goes on with it.

    turn: the next round, from 0. seen: observations by all agents so far. waiting: how many of the last batches are not
    yet part of the population's sums. The loop reuses the arrays: they hold until the next round.
    """

    turn: int
    seen: int
    population: Population
    state: State
    waiting: int = 0


@dataclass(frozen=True)
class Step:
    """Between two rounds: the record of the one that has ended, on the root (None elsewhere), and what goes on."""

    record: Record | None
    run_state: RunState


def begin(simulation: Simulation) -> RunState:
    """How things stand before the first round. Collective."""
    shared_start, transport = simulation.shared_start, simulation.transport
    precision: type[np.floating[Any]] = np.dtype(simulation.scenario.run.precision).type
    agents = transport.shard.agents
    start = new_population(shared_start.model, shared_start.starts(agents), len(agents), precision)
    population = _mode(simulation.scenario.agents).start(start)
    state = simulation.rule.init(population, transport)
    return RunState(turn=0, seen=0, population=population, state=state)


def simulate(simulation: Simulation, run_state: RunState | None = None) -> Iterator[Step]:
    """Run the rounds, from the first or from where things stand; yields the moment after each that is evaluated.

    Collective.
    """
    scenario, rule, transport = simulation.scenario, simulation.rule, simulation.transport
    dataset, scaler, agents = simulation.dataset, simulation.shared_start.scaler, transport.shard.agents
    stream = dataset.training.stream(transport.shard, scaler, scenario.agents.batch_size, scenario.run.seed)
    evaluate = Evaluation(
        x=scaler.inputs(dataset.x_test),
        scaler=scaler,
        probes=simulation.probes,
        rule=rule,
        transport=transport,
        least=scenario.agents.coverage,
    )
    run_state = begin(simulation) if run_state is None else run_state
    population, state, seen, sent = run_state.population, run_state.state, run_state.seen, sent_so_far(transport)
    again, turns = range(run_state.turn - run_state.waiting, run_state.turn), range(run_state.turn, simulation.rounds)
    del run_state  # or the first state would stay in memory for the whole run
    population = replace(population, waiting=tuple(stream.batch(turn).cast(population.dtype) for turn in again))
    spent, last = 0.0, turns.start
    for turn in turns:
        started = perf_counter()
        transport.advance(turn)
        batch = stream.batch(turn).cast(population.dtype)
        with _named(turn, dataset, agents):
            population, state = _learn(simulation, turn, batch, population, state)
        spent += perf_counter() - started
        seen += int(transport.total(np.array([batch.count.sum()]))[0])
        if not _ends(turn, scenario.run.evaluate_every, simulation.rounds):
            continue
        present = int(transport.total(np.array([np.count_nonzero(transport.present)]))[0])
        error = rule.error(state, population, transport) if isinstance(rule, EvidenceRule) else float("nan")
        with _named(turn, dataset, agents[evaluate.rows]):
            probed = evaluate(population, state, batch)
        before, sent = sent, sent_so_far(transport)  # what probes ask of others to predict is of this round too
        record = Record(
            round=turn + 1,
            rounds=simulation.rounds,
            observations=seen,
            probed=probed,
            sent=sent - before,
            present=present,
            error=error,
            seconds=spent,
            spanned=turn + 1 - last,
        )
        spent, last = 0.0, turn + 1
        waiting = len(population.waiting)
        run_state = RunState(turn=turn + 1, seen=seen, population=population, state=state, waiting=waiting)
        yield Step(record if probed else None, run_state)


def _ends(turn: int, every: int, rounds: int) -> bool:
    """Whether round ``turn``, from 0, ends so many, or the run."""
    return (turn + 1) % every == 0 or turn + 1 == rounds


def _learn(
    simulation: Simulation, turn: int, batch: Observations, population: Population, state: State
) -> tuple[Population, State]:
    """Adopt what was said last, extend, observe, propose, speak; between exchanges, only observe."""
    scenario, rule = simulation.scenario, simulation.rule
    mode, every = _mode(scenario.agents), scenario.fusion.every
    if turn and turn % every == 0 and isinstance(rule, AveragesParameters):
        population = mode.adopt(population, rule.announced(state, population))
    speaks = _ends(turn, every, simulation.rounds)
    if isinstance(rule, SeesData) or (speaks and mode.rereads):
        batch = gathered(batch, population.size)  # made once, for it is looked at more than once
    if speaks:
        least, most = scenario.agents.coverage, scenario.agents.inducing_most or 0
        population, state = extend(population, state, batch, rule, simulation.transport, least, most)
    if isinstance(rule, SeesData):
        state = rule.observe(state, population, batch[:])
    population = observe(population, batch)
    if not speaks:
        return population, state
    population = mode.propose(fold(population), batch, training_evidence_of(rule, state, population))
    return population, _communicate(rule, state, population, simulation.transport, scenario.fusion.rounds_per_step)


def _mode(agents: AgentsSettings) -> Mode:
    return MODES[agents.hyperparameters](Adam(agents.learning_rate))


@contextmanager
def _named(turn: int, dataset: Dataset, agents: Ints) -> Iterator[None]:
    """A failure within, in words, with the round and the agent's own name; agents: global ids of the rows it counts."""
    try:
        yield
    except Indefinite as failure:
        raise ValueError(f"round {turn + 1}: {failure.of(dataset.agents[agents[failure.row]])}") from failure


def _communicate(
    rule: FusionRule, state: State, population: Population, transport: Transport, turns: int | Literal["converge"]
) -> State:
    if turns == "converge":
        return rule.converge(state, population, transport)
    return rule.exchange(state, population, transport, turns)


def sent_so_far(transport: Transport) -> Meter:
    """What all agents have sent so far; rounds are counted on each rank alike. Collective."""
    counts = transport.total(np.array(astuple(transport.meter)))
    return replace(Meter(*counts.tolist()), rounds=transport.meter.rounds)
