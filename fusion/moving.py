"""Agents move the inducing inputs during a run, all alike, where that predicts rows better that nobody has learned.

From time to time agents look for the inducing inputs at which the bound of all they know is largest: of the rows of
the last rounds, which each still holds, and of what sums say of earlier rows. Of the rows everybody learns sums alone,
over a spanning tree: what all know, then two sums for each step of the search. The proposal is judged before it is
used: each agent predicts its newest rows, which are in no sum yet, from all that is known at the present inducing
inputs and at the proposed ones, and the sum of the gains decides.

Where inducing inputs move, sums about ``f(Z)`` become sums about ``f(Z')`` by the prior mean of one given the other.
That loses what ``f(Z')`` does not say of ``f(Z)``: it is why moves become rare, and why the rows of the last rounds are
encoded anew. All agents, and all rows of rules, are carried by the same map, so that sums stay sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.batches import Batch, Observations
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.features.crossing import crossing
from coolgp.agents.model import Model
from coolgp.agents.population import Population, fold
from coolgp.agents.prediction import posterior
from coolgp.agents.predictive_scores import log_loss, predict_rows_at
from coolgp.agents.sparse.earlier import rows_of_sums
from coolgp.agents.sparse.fitting import maximise
from coolgp.agents.sparse.held import Held, RowsOf
from coolgp.agents.sparse.parameters import Parameters
from coolgp.agents.sparse.together import Together
from coolgp.agents.statistics import Evidence, Statistics, carried, packed_length
from coolgp.agents.trial import ACCEPT
from coolgp.fusion.extension import count_on_tree
from coolgp.fusion.rule import FusionRule, State
from coolgp.network.row_axes import rows_of, with_rows
from coolgp.network.transport import Transport

__all__ = ["HELD_ROUNDS", "held_rows", "is_due", "move"]

FIRST = 4
"""Exchanges before the first proposal. There is another after twice as many each time."""
HELD_ROUNDS, HELD_ROWS = 16, 2_000
"""Rounds whose rows agents hold, at most, and rows of all agents that a search looks at, at least one of each batch."""
ROWS_EACH = 10
"""Rows for each inducing input that a search needs: with fewer, what suits these suits later rows less."""
JUDGED_ROWS = 1_000
"""Rows of all agents together by which a proposal is judged."""
ITERATIONS = 20
"""Steps of the search."""


def is_due(exchanges: int) -> bool:
    """Whether inducing inputs are proposed after so many exchanges.

    >>> [count for count in range(70) if is_due(count)]
    [4, 8, 16, 32, 64]
    """
    return exchanges >= FIRST and exchanges & (exchanges - 1) == 0


def held_rows(batches: Sequence[Observations], agents: int, inducing: int) -> Batch:
    """The rows of the last rounds that a search looks at, ``[A, B]``; agents: in all, on all ranks."""
    each = -(-max(HELD_ROWS, ROWS_EACH * inducing) // (agents * len(batches)))
    rows = [batch[:] for batch in batches]
    columns = ([getattr(batch, name)[:, :each] for batch in rows] for name in ("x", "y", "mask"))
    x, y, mask = (np.concatenate(column, axis=1).astype(float) for column in columns)
    return Batch(x, y, mask)


def move(
    population: Population, state: State, rule: FusionRule, transport: Transport, held: Batch, fresh: Batch
) -> tuple[Population, State]:
    """Population and rule with inducing inputs that predict better, or as they were. Collective.

    held: rows of the last rounds, which the sums contain; fresh: rows that they do not. A proposal has to predict these
    better by as many nats as a candidate among hyper-parameters has to.
    """
    population = fold(population)
    if transport.total(np.array([held.count.sum()], dtype=np.int64))[0] < ROWS_EACH * population.model.inducing:
        return population, state
    known = _Known(population, transport, held)
    inputs = known.sought()
    try:
        moved = known.at(inputs)
        gain = known.gain(moved, fresh)
    except ValueError:  # no kernel matrix of these that can be factorised, under the reference hyper-parameters
        return population, state
    finally:
        known.count()
    if gain < ACCEPT:
        return population, state
    anew = replace(population, model=moved.model, statistics=Statistics(known.carried_rows(moved)))
    return anew, _carried(state, rule.init(anew, transport), anew, moved.map_)


@dataclass(frozen=True)
class _Moved:
    """The model at other inducing inputs, the map to their coordinates, and all sums ``[P]`` in these."""

    model: Model
    map_: Array
    whole: Array


@dataclass
class _Known:
    """What all agents know together; numbers: of each sum over them so far."""

    population: Population
    transport: Transport
    held: Batch
    numbers: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        model, origin = self.population.model, np.atleast_2d(self.population.origin)[:1]
        assert isinstance(model.basis, FunctionBasis)
        self.model, self.basis, self.layout = model, model.basis, model.layout
        away = self.summed(lambda who: self.population.theta[who] - origin)
        self.theta = origin + away / self.transport.shard.size  # the start's own bits where nobody has moved
        self.whole = self.summed(lambda who: self.population.statistics.rows[who].astype(float))
        self.earlier = self.summed(lambda who: self.population.statistics.rows[who] - self.encoded(model, who))

    def summed(self, rows: RowsOf) -> Array:
        total = self.transport.allsum(rows)
        self.numbers.append(total.size)
        return total

    def encoded(self, model: Model, who: Indices | slice) -> Array:
        """Sums of the rows that are held, ``[K, P]``."""
        return model.encoding.encode(model, self.population.theta[who], self.held[who]).rows

    def sought(self) -> Array:
        """Inducing inputs ``[M, D]`` where the bound is larger, at hyper-parameters in the middle of the agents'."""
        mask = self.held.mask
        held = Held(self.held.x * mask[..., None], self.held.y * mask, mask, self.summed)
        told = Evidence.unpack(self.earlier, self.model.inducing)
        inputs, inverse = self.basis.inducing, self.basis.frame.inverse
        precision = 100.0 * float(np.finfo(self.population.dtype).eps)
        earlier = rows_of_sums(told.precision, told.shift, inputs, inverse, precision)
        start = Parameters(
            inducing_inputs=inputs,
            lengthscale=self.layout.lengthscale(self.theta)[0],
            signal_variance=float(self.layout.signal_variance(self.theta)[0]),
            noise_variance=float(self.layout.noise_variance(self.theta)[0]),
        )
        rows = Together((held, earlier))
        fit = maximise(rows, start, self.basis.kernel, self.basis.jitter, ITERATIONS, free=(False, False, False))
        return fit.parameters.inducing_inputs

    def at(self, inputs: Array) -> _Moved:
        """What all know, at other inducing inputs. Raises ValueError where their kernel matrix is not definite."""
        basis = self.basis.at(inputs)
        model = replace(self.model, basis=basis)
        map_ = crossing(self.basis, basis, self.layout.projection(self.theta), model.geometry(self.theta))[0]
        return _Moved(model, map_, carried(self.earlier, map_) + self.summed(lambda who: self.encoded(model, who)))

    def gain(self, moved: _Moved, fresh: Batch) -> float:
        """By how many nats rows that nobody has learned are predicted better."""
        few = -(-JUDGED_ROWS // self.transport.shard.size)
        x, y, mask = (values[:, :few].astype(float) for values in (fresh.x, fresh.y, fresh.mask))
        now, then = (self._losses(*asked, x, y) for asked in ((self.model, self.whole), (moved.model, moved.whole)))
        gains = self.summed(lambda who: ((now(who) - then(who)) * mask[who]).sum(1, keepdims=True))
        return float(gains[0])

    def _losses(self, model: Model, sums: Array, x: Array, y: Array) -> Callable[[Indices], Array]:
        belief = posterior(model, self.theta, model.encoding.evidence(model, self.theta, Statistics(sums[None])))
        return lambda who: log_loss(predict_rows_at(model, self.theta, belief, x[who]), y[who])

    def carried_rows(self, moved: _Moved) -> Array:
        """Sums ``[A, P]`` of each agent, with the rows that it holds encoded anew."""
        rows = np.empty_like(self.population.statistics.rows)
        for place in range(len(rows)):
            one = slice(place, place + 1)
            earlier = carried(self.population.statistics.rows[one] - self.encoded(self.model, one), moved.map_)
            rows[one] = earlier + self.encoded(moved.model, one)
        return rows

    def count(self) -> None:
        """Meter the sums: a message up and one down on each link of the tree."""
        for numbers in self.numbers:
            count_on_tree(self.transport, numbers, numbers)


def _carried(state: State, fresh: State, population: Population, map_: Array) -> State:
    """A rule's state with its rows in other coordinates: those as long as evidence, with what is announced or not."""
    length = packed_length(population.model.inducing)
    current = {name: values for name, (_, values) in rows_of(state).items()}
    totals = current.get("state.totals")
    shares = 0 if totals is None or totals.shape[-1] == 1 else totals.shape[-1]  # they stand behind the rows
    announced = population.announced.shape[-1]
    lengths = {length + more for more in (0, announced, shares, announced + shares)}
    rows = {
        name: carried(values, map_) if values.ndim > 1 and values.shape[-1] in lengths else values
        for name, values in current.items()
    }
    return with_rows(fresh, rows)
