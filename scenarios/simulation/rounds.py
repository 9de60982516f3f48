"""The loop: draw, learn, evaluate. A run is a generator of steps between rounds.

Stopping, plotting and storing are the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter

import numpy as np

from coolgp.agents.base.failures import Indefinite
from coolgp.agents.batches import Observations, StandIn, gathered, joined, stood_in
from coolgp.agents.population import Population
from coolgp.fusion.rule import FusionRule, has_evidence
from coolgp.network.transport import Transport
from coolgp.scenarios.base.arrays import Ints
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.simulation.domain_views import domain_views
from coolgp.scenarios.simulation.evaluation import Evaluation
from coolgp.scenarios.simulation.learning import begin, ends, learn, moved
from coolgp.scenarios.simulation.state import Record, RunState, Simulation, Step, sent_so_far

__all__ = ["learned_rounds", "simulate"]


def simulate(simulation: Simulation, run_state: RunState | None = None) -> Iterator[Step]:
    """Run the rounds, from the first or from a run state; yields a step after each round that is evaluated.

    Collective.
    """
    scenario, rule, transport = simulation.scenario, simulation.rule, simulation.transport
    dataset, scaler, agents = simulation.dataset, simulation.shared_start.scaler, transport.shard.agents
    stream = dataset.training.stream(transport.shard, scaler, scenario.agents.batch_size, scenario.run.seed)
    at_last = Evaluation(
        x=scaler.inputs(dataset.x_test),
        tested=np.arange(len(dataset.y_test)),
        scaler=scaler,
        probes=simulation.probes,
        rule=rule,
        transport=transport,
        least=scenario.agents.coverage,
    )
    between = replace(at_last, x=at_last.x[simulation.tested], tested=simulation.tested)
    views = domain_views(at_last, dataset, simulation.tested) if scenario.run.keep_predictions else None
    run_state = begin(simulation) if run_state is None else run_state
    learned, last = learned_rounds(simulation, stream.batch, run_state), run_state.turn
    del run_state  # or the first state would stay in memory for the whole run
    spent, sent = 0.0, sent_so_far(transport)
    for turn, batch, run_state, seconds in learned:
        spent += seconds
        if not ends(turn, scenario.run.interval(simulation.rounds), simulation.rounds):
            continue
        present = int(transport.total(np.array([np.count_nonzero(transport.present)]))[0])
        error = _error(rule, run_state, transport)
        evaluate = at_last if turn + 1 == simulation.rounds else between
        with _named(turn, dataset, agents[evaluate.rows]):
            probed = evaluate(run_state.population, run_state.state, batch)
        before, sent = sent, sent_so_far(transport)  # what probes ask of others to predict is of this round too
        kept = views.answers(run_state.population, run_state.state, batch) if views else None
        record = Record(
            round=turn + 1,
            rounds=simulation.rounds,
            observations=run_state.seen,
            probed=probed,
            sent=sent - before,
            present=present,
            error=error,
            seconds=spent,
            spanned=turn + 1 - last,
            kept=kept,
        )
        sent = sent_so_far(transport) if views else sent  # what was asked for pictures is of no round
        spent, last = 0.0, turn + 1
        yield Step(record=record if probed else None, run_state=run_state)


def _error(rule: FusionRule, run_state: RunState, transport: Transport) -> float:
    """How far agents are from the sum of all they know; NaN without sums."""
    return rule.error(run_state.state, run_state.population, transport) if has_evidence(rule) else float("nan")


def learned_rounds(
    simulation: Simulation, batch_of: Callable[[int], Observations], run_state: RunState
) -> Iterator[tuple[int, Observations, RunState, float]]:
    """The rounds from a run state to the last without evaluation: each one's number, batch, state after it, seconds.

    batch_of: what agents observe in a round. Collective.
    """
    transport, dataset, agents = simulation.transport, simulation.dataset, simulation.transport.shard.agents
    population, state, seen = run_state.population, run_state.state, run_state.seen
    turns = range(run_state.turn, simulation.rounds)
    population = replace(population, waiting=_waiting(run_state, batch_of))
    del run_state  # or the first state would stay in memory for the whole run
    for turn in turns:
        started = perf_counter()
        transport.advance(turn)
        batch = batch_of(turn).cast(population.dtype)
        with _named(turn, dataset, agents):
            population, state = moved(simulation, turn, batch_of, population, state)
            population, state = learn(simulation, turn, batch, population, state)
        seconds = perf_counter() - started
        seen += int(transport.total(np.array([batch.count.sum()]))[0])
        after = RunState(
            turn=turn + 1,
            seen=seen,
            population=population,
            state=state,
            waiting=len(population.waiting),
            stand_in=_stand_in(population),
        )
        yield turn, batch, after, seconds


def _waiting(run_state: RunState, batch_of: Callable[[int], Observations]) -> tuple[Observations, ...]:
    """The batches that waited, as the population had them."""
    population, turns = run_state.population, range(run_state.turn - run_state.waiting, run_state.turn)
    batches = tuple(batch_of(turn).cast(population.dtype) for turn in turns)
    if run_state.stand_in is None:
        return batches
    return stood_in([gathered(batch, population.size) for batch in batches], run_state.stand_in)


def _stand_in(population: Population) -> StandIn | None:
    """What stands for the rows that wait; None where these stand for themselves, or none wait."""
    if not (population.waiting and population.model.likelihood.reweighs):
        return None
    return joined(population.waiting, slice(None)).stand_in


@contextmanager
def _named(turn: int, dataset: Dataset, agents: Ints) -> Iterator[None]:
    """A failure within, in words, with the round and the agent's own name; agents: global ids of the rows it counts."""
    try:
        yield
    except Indefinite as failure:
        raise ValueError(f"round {turn + 1}: {failure.of(dataset.agents[agents[failure.row]])}") from failure
