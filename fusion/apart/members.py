"""What rules see of the agents of a rank: their models, their rows, and the queries that everyone answers.

Axes: `A` agents on this rank, `N` agents in all, `Q` queries, `C` columns of an answer (see `Task`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array, Booleans
from coolgp.agents.experts.expert import Expert
from coolgp.agents.experts.models.base import LocalRows
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.queries.failure import ExpertFailed
from coolgp.agents.experts.task import Task, answers
from coolgp.network.links.faults import Faults, faults_present
from coolgp.network.transport import Transport

__all__ = ["Fused", "Members", "asked", "asked_at", "known_to_all", "networks_of", "require_perfect"]


@dataclass(frozen=True)
class Members:
    """The agents of a rank with their models.

    experts, rows: A of them each. queries ``[Q, D]``: known to everybody. answers ``[A, Q, C]``: of each agent's own
    model to them. pooled: trains a model on all rows of all agents; None where there is no kind of model to train.
    trained_on: the network of an agent of this rank after so many epochs on its rows, from given weights:
    ``(agent, network, epochs, round)``; None where models have none to go on from. labelled, unlabelled ``[U, D]``:
    rows and inputs that were set aside and that everybody knows; None where there are none. boxes: what may be asked of
    the experts, which count it: A of them, or none where nobody counts. at_least: how many experts must be left of all
    agents', None for all.
    """

    task: Task
    experts: tuple[Expert, ...]
    rows: tuple[LocalRows, ...]
    queries: Array
    answers: Array
    pooled: Callable[[], Expert] | None = None
    trained_on: Callable[[int, Network, int, int], Expert] | None = None
    labelled: LocalRows | None = None
    unlabelled: Array | None = None
    boxes: tuple[BlackBox, ...] = ()
    at_least: int | None = None

    @property
    def present(self) -> Booleans:
        """Whether each agent's expert answers ``[A]``; false of those that failed and are left out."""
        if not self.boxes:
            return np.ones(len(self.experts), dtype=bool)
        return np.array([box.failure is None for box in self.boxes])

    @property
    def asked(self) -> int:
        """What the experts of this rank were asked for so far: rows, and pairs of those that answer densities alone."""
        return sum(box.used for box in self.boxes)

    @property
    def density_queries(self) -> int:
        """Pairs (x, y) whose densities experts of this rank were asked for so far."""
        return sum(box.density_queries for box in self.boxes)


@dataclass(frozen=True)
class Fused:
    """What agents predict after an exchange.

    answers ``[A, Q, C]``. parameters ``[A]``: numbers that an agent needs to predict by itself, NaN where models do not
    say. queries: answers that models of this rank gave on behalf of others since the start. density_queries: pairs
    (x, y) whose densities were asked for since the start. inducing, dropped: inducing inputs of the fused model, and
    of the owners' those that it leaves out; None of other models. fidelity ``[A, 2]``: of surrogates that imitate the
    agents' models, at inputs held out: divergence in nats, and error of means or of classes; None where none do.
    """

    answers: Array
    parameters: Array
    queries: int = 0
    density_queries: int = 0
    inducing: int | None = None
    dropped: int | None = None
    fidelity: Array | None = None


def networks_of(members: Members, transport: Transport, rule: str) -> list[Network]:
    """The networks ``[A]`` behind the agents' models.

    Raises ValueError on all ranks, naming the first agent whose model is none, for a rule that needs them. Collective.
    """
    networks = [expert.parameters for expert in members.experts]
    lacking = known_to_all([float(not isinstance(network, Network)) for network in networks], transport)
    if lacking.any():
        agent = int(np.flatnonzero(lacking)[0])
        raise ValueError(
            f'fusion.rule: "{rule}" needs neural networks, whose weights it fuses; the model of agent {agent} has no '
            'weights to fuse: take fusion.rule = "ensemble", which asks models for predictions alone'
        )
    return networks


def require_perfect(rule: str, faults: Faults) -> None:
    """Refuse a network that fails, for a rule under which all agents must have the same. Raises ValueError."""
    if not faults.perfect:
        kinds = ", ".join(faults_present(faults))
        raise ValueError(
            f'fusion.rule: "{rule}" needs a network where nothing fails ({kinds}), for all agents must match the same '
            'models: leave the faults out, or take fusion.rule = "ensemble"'
        )


def asked(experts: Sequence[Expert], members: Members) -> Array:
    """Answers ``[A, Q, C]`` of these experts to the queries; NaN of those that fail."""
    return asked_at(experts, members.queries, members.task)


def asked_at(experts: Sequence[Expert], x: Array, task: Task) -> Array:
    """Answers ``[A, Q, C]`` of these experts at x ``[Q, D]``; NaN of those that fail."""
    shape = (len(x), task.columns)

    def one(expert: Expert) -> Array:
        try:
            return answers(expert, x, task)
        except ExpertFailed:
            return np.full(shape, np.nan)

    return np.stack([one(expert) for expert in experts]) if experts else np.empty((0, *shape))


def known_to_all(values: list[float], transport: Transport) -> Array:
    """A number of each agent of this rank as one of all agents ``[N]``, on every rank; not metered. Collective."""
    own = np.zeros((len(values), transport.shard.size))
    own[np.arange(len(values)), transport.shard.agents] = values
    return transport.allsum(own)
