"""The work of a run of models trained apart: training, then rounds of fusion with an evaluation of everyone."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from functools import partial
from time import perf_counter

from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.fusion.apart.left_out import TooFewExperts
from coolgp.fusion.apart.members import Members, asked
from coolgp.fusion.apart.rule import TrainsFurther
from coolgp.network.launcher import launched_size
from coolgp.network.transport import Transport
from coolgp.scenarios.base.errors import FoundByAll
from coolgp.scenarios.base.files import write_whole
from coolgp.scenarios.experiments.apart.evaluation import Evaluation, Spent
from coolgp.scenarios.experiments.apart.prepared import Prepared
from coolgp.scenarios.experiments.apart.queries import Absences
from coolgp.scenarios.experiments.apart.training import not_kept, pooled, trained, trained_on
from coolgp.scenarios.experiments.experiment import Row, Session, stop_together
from coolgp.scenarios.experiments.kind import Stage
from coolgp.scenarios.records.guarantee import GUARANTEE
from coolgp.scenarios.simulation.assembly import connect, one_thread

__all__ = ["rows"]


def rows(scenario: object, session: Session) -> Iterator[Row]:
    """Train, fuse and evaluate; a line of ``metrics.csv`` for each round."""
    prepared: Prepared = session.prepared
    settings = prepared.scenario
    with one_thread():
        transport = connect(prepared, settings.network.partition, settings.run.seed, launched_size())
        transport.barrier()  # the root has cleared the folder
        if transport.root:
            write_whole(session.folder / GUARANTEE, prepared.stated.text().encode())
        started = perf_counter()
        members = _members(prepared, session, transport)
        training = perf_counter() - started
        yield from _rounds(prepared, session, transport, members, training)


def _rounds(
    prepared: Prepared, session: Session, transport: Transport, members: Members, training: float
) -> Iterator[Row]:
    rule, count = prepared.rule, prepared.scenario.run.rounds
    evaluation = Evaluation(prepared, transport)
    absences = Absences(transport, rule, session.folder, session.watcher.warn)
    absences(members)
    for turn in range(count):
        transport.advance(turn)
        before, started = copy(transport.meter), perf_counter()
        if turn == 0:
            state = _begun(prepared, members, transport)
        state = _exchanged(prepared, state, members, transport)
        fused = rule.fused(state, members, transport)
        spent = Spent(transport.meter - before, perf_counter() - started, training)
        row = evaluation(turn + 1, members, fused, replace(spent, left_out=absences(members)))
        if row is not None:
            session.watcher.show(Stage(turn + 1, count, evaluation.words(row), 1, spent.seconds))
            if turn + 1 == count:
                evaluation.store(session.folder)
        yield row or {}
        training = 0.0
        if turn + 1 < count:
            stop_together(session.signals, transport)
        if turn + 1 < count and isinstance(rule, TrainsFurther) and rule.local_epochs:
            started = perf_counter()
            members = rule.further(state, members, transport, turn + 1)
            members = replace(members, answers=asked(members.experts, members))
            state, training = rule.again(state, members, transport), perf_counter() - started


def _begun(prepared: Prepared, members: Members, transport: Transport) -> object:
    """The rule's state before the first message. Raises FoundByAll for models that do not fit it."""
    try:
        return prepared.rule.init(members, transport)
    except ValueError as problem:
        raise FoundByAll(str(problem)) from problem


def _exchanged(prepared: Prepared, state: object, members: Members, transport: Transport) -> object:
    rounds = prepared.scenario.fusion.rounds_per_step
    try:
        if rounds == "converge":
            return prepared.rule.converge(state, members, transport)
        return prepared.rule.exchange(state, members, transport, rounds)
    except TooFewExperts as problem:
        raise FoundByAll(str(problem)) from problem


def _members(prepared: Prepared, session: Session, transport: Transport) -> Members:
    """This rank's agents with their models, trained or read, and their answers to the test inputs."""
    agents = transport.shard.agents.tolist()
    boxes = tuple(_boxes(prepared, session, agents, root=transport.root))
    stop_together(session.signals, transport)
    experts = tuple(box.expert for box in boxes)
    members = Members(
        task=prepared.task,
        experts=experts,
        rows=tuple(prepared.rows(agent) for agent in agents),
        queries=prepared.scaler.inputs(prepared.dataset.x_test),
        answers=None,  # type: ignore[arg-type]  # asked for below
        pooled=None if prepared.kind is None else partial(pooled, prepared),
        labelled=prepared.labelled,
        unlabelled=prepared.unlabelled,
        boxes=boxes,
        at_least=prepared.scenario.experts.at_least,
        trained_on=lambda place, network, epochs, round: trained_on(
            prepared, agents[place], experts[place], network, epochs, round
        ),
    )
    return replace(members, answers=asked(experts, members))


def _boxes(prepared: Prepared, session: Session, agents: list[int], *, root: bool) -> list[BlackBox]:
    if prepared.kind is None:
        return [prepared.boxes[agent] for agent in agents]
    if root and (why := not_kept(prepared.kind)):
        session.watcher.warn(why)
    shown = session.watcher.show if root else lambda stage: None

    def progress(done: int, total: int, seconds: float) -> bool:
        shown(Stage(done, total, "trained", 1, seconds, "model"))
        return not session.signals.signals

    return [prepared.boxed(expert) for expert in trained(prepared, agents, session.folder, progress)]
