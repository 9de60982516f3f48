"""One round of learning: adopt, propose, observe, exchange; and the state before the first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from coolgp.agents.batches import Observations, gathered
from coolgp.agents.population import Population, fold, forgotten, new_population
from coolgp.agents.trial import Adam
from coolgp.fusion.extension import extend
from coolgp.fusion.hyperparameters import MODES, Mode, training_evidence_of
from coolgp.fusion.moving import HELD_ROUNDS, held_rows, is_due, move
from coolgp.fusion.rule import FusionRule, State, averages_parameters, forgets, sees_data
from coolgp.fusion.weighing import take_in
from coolgp.network.transport import Transport
from coolgp.scenarios.simulation.state import RunState, Simulation

__all__ = ["begin", "ends", "learn", "moved"]


def begin(simulation: Simulation) -> RunState:
    """The state before the first round. Collective."""
    shared_start, transport = simulation.shared_start, simulation.transport
    precision: type[np.floating[Any]] = np.dtype(simulation.scenario.run.precision).type
    agents = transport.shard.agents
    model = shared_start.model.of(agents)
    new = new_population(model, shared_start.starts(agents), len(agents), precision)
    start = replace(new, keeps=simulation.scenario.agents.keeps)
    population = _mode(simulation).start(start)
    state = simulation.rule.init(population, transport)
    return RunState(turn=0, seen=0, population=population, state=state)


def ends(turn: int, every: int, rounds: int) -> bool:
    """Whether round ``turn``, from 0, ends so many, or the run."""
    return (turn + 1) % every == 0 or turn + 1 == rounds


def learn(
    simulation: Simulation, turn: int, batch: Observations, population: Population, state: State
) -> tuple[Population, State]:
    """Adopt the last averages, extend, propose, forget, observe, exchange; between exchanges, forget and observe."""
    scenario, rule = simulation.scenario, simulation.rule
    mode, every = _mode(simulation), scenario.fusion.every
    if turn and turn % every == 0 and averages_parameters(rule):
        population = mode.adopt(population, rule.announced(state, population))
    exchanges = ends(turn, every, simulation.rounds)
    if sees_data(rule) or (exchanges and mode.rereads):
        batch = gathered(batch, population.size)  # made once, as it is read more than once
    if exchanges:
        least, most = scenario.agents.coverage, scenario.agents.inducing_most or 0
        population, state = extend(population, state, batch, rule, simulation.transport, least, most)
    if exchanges:
        population = fold(population) if mode.rereads else population
        population = mode.propose(population, batch, training_evidence_of(rule, state, population))
    population, state = _forgotten(rule, population, state, scenario.agents.forget)
    if sees_data(rule):
        state = rule.observe(state, population, batch[:])
    population = take_in(population, batch, training_evidence_of(rule, state, population))
    if not exchanges:
        return population, state
    population = fold(population)
    return population, _communicate(rule, state, population, simulation.transport, scenario.fusion.rounds_per_step)


def moved(
    simulation: Simulation, turn: int, batch_of: Callable[[int], Observations], population: Population, state: State
) -> tuple[Population, State]:
    """Before a round, move the inducing inputs where it is time to, and newer rows are predicted better then."""
    agents, every, transport = simulation.scenario.agents, simulation.scenario.fusion.every, simulation.transport
    if not agents.learn_inducing or turn % every or not is_due(turn // every):
        return population, state
    last = [batch_of(earlier) for earlier in range(max(0, turn - HELD_ROUNDS), turn)]
    held = held_rows(last, transport.shard.size, agents.inducing)
    return move(population, state, simulation.rule, transport, held, batch_of(turn)[:])


def _forgotten(rule: FusionRule, population: Population, state: State, share: float) -> tuple[Population, State]:
    """What was observed before this round counts by this share, whoever observes anything in it."""
    if share == 1:
        return population, state
    return forgotten(population, share), rule.forgotten(state, share) if forgets(rule) else state


def _mode(simulation: Simulation) -> Mode:
    agents, shard = simulation.scenario.agents, simulation.transport.shard
    return MODES[agents.hyperparameters](Adam(agents.learning_rate), shard.size, shard.agents)


def _communicate(
    rule: FusionRule, state: State, population: Population, transport: Transport, turns: int | Literal["converge"]
) -> State:
    if turns == "converge":
        return rule.converge(state, population, transport)
    return rule.exchange(state, population, transport, turns)
