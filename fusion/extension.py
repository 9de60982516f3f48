"""Agents that observe inputs outside the coverage of the inducing inputs agree on more of them, for all agents.

Each proposes its least covered input of the round. Proposals go up a spanning tree, on which each agent passes on the
64 least covered that it received; the root accepts one after another the least covered by then, and its choice goes
down. Evidence is carried over without loss: evidence about ``f(X_u)`` is evidence about ``f`` at more inputs that
contains nothing about the new ones, and sums of rows are sums of wider rows whose new columns are zero. So rules
continue with their states.
"""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.batches import Batch, Observations
from coolgp.agents.coverage import best_added, least_covered
from coolgp.agents.model import Model
from coolgp.agents.population import Population, extended
from coolgp.agents.statistics import packed_length, widened
from coolgp.fusion.rule import FusionRule, State
from coolgp.network.row_axes import rows_of, with_rows
from coolgp.network.transport import Transport

__all__ = ["count_on_tree", "extend"]

CANDIDATES = 64
"""Proposals that are looked at in a round: the least covered."""


def extend(
    population: Population,
    state: State,
    batch: Observations,
    rule: FusionRule,
    transport: Transport,
    least: float,
    most: int,
) -> tuple[Population, State]:
    """Population and rule with inducing inputs added where the batch is covered less than ``least``. Collective.

    most: inducing inputs that there can be in all. Without room for more no message is sent.
    """
    room = most - population.model.inducing
    if room <= 0:
        return population, state
    inputs = _agreed(population, batch[:], transport, least, room)
    if not len(inputs):
        return population, state
    larger = extended(population, inputs)
    return larger, _carried(state, rule.init(larger, transport), population.model.inducing, len(inputs))


def _agreed(population: Population, batch: Batch, transport: Transport, least: float, room: int) -> Array:
    """New inducing inputs ``[J, D]``, the same on every rank."""
    inputs, share = least_covered(population.model, population.theta, batch)
    uncovered = np.flatnonzero(share < least)
    rows = np.concatenate([share[uncovered, None], inputs[uncovered], population.theta[uncovered]], axis=1)
    proposed = transport.gather_rows(rows, transport.shard.agents[uncovered])
    chosen = np.zeros((min(room, CANDIDATES), inputs.shape[1]))
    counts = np.zeros(2, dtype=np.int64)  # of inputs that were chosen, and of proposals
    if proposed is not None and len(proposed):
        accepted = _chosen(population.model, proposed, inputs.shape[1], least, len(chosen))
        chosen[: len(accepted)] = accepted
        counts[:] = len(accepted), len(proposed)
    from_root = transport.total(np.concatenate([counts, chosen.view(np.int64).ravel()]))  # the root's, bit by bit
    count_on_tree(transport, min(int(from_root[1]), CANDIDATES) * rows.shape[1], int(from_root[0]) * inputs.shape[1])
    agreed: Array = from_root[2:].view(np.float64).reshape(chosen.shape)[: int(from_root[0])]
    return agreed


def _chosen(model: Model, proposed: Array, width: int, least: float, most: int) -> Array:
    """Inputs ``[J, D]`` among proposals ``[C, 1 + D + K]``: coverage, input, hyper-parameters."""
    worst = np.sort(np.argsort(proposed[:, 0], kind="stable")[:CANDIDATES])
    inputs, theta = proposed[worst, 1 : 1 + width], proposed[worst, 1 + width :]
    return inputs[best_added(model, theta, inputs, least, most)]


def count_on_tree(transport: Transport, up: int, down: int) -> None:
    """Meter a message of so many numbers up and one down on each link of the tree, a word where there is nothing.

    On the way up that is the most it can be: an agent may have received fewer proposals. Of the N - 1 links each agent
    but the first counts the one towards the root.
    """
    links = int(np.count_nonzero(transport.shard.agents))
    size = 8 * links * (max(up, 1) + max(down, 1))
    transport.meter.sent(2 * links, size)
    transport.meter.moved(size)
    transport.meter.rounds += 1


def _carried(state: State, fresh: State, inducing: int, more: int) -> State:
    """A rule's state with wider rows; how long rows were is known by a fresh one."""
    wider = packed_length(inducing + more) - packed_length(inducing)
    begun = {name: values.shape[-1] for name, (_, values) in rows_of(fresh).items() if values.ndim > 1}
    current = {name: values for name, (_, values) in rows_of(state).items()}
    totals = current.get("state.totals")
    shares = 0 if totals is None or totals.shape[-1] == 1 else totals.shape[-1]  # they stand behind the rows
    lengths = {
        values.shape[-1] for name, values in current.items() if begun.get(name, 0) + shares == values.shape[-1] + wider
    }

    def carried(name: str, values: Array) -> Array:
        is_rows = values.ndim > 1 and values.shape[-1] in lengths and begun.get(name, 0) + shares != values.shape[-1]
        return widened(values, inducing, more) if is_rows else values

    return with_rows(fresh, {name: carried(name, values) for name, values in current.items()})
