"""CIGAR: agents climb the product of all experts at every query, by sums of derivatives that experts estimate.

Every expert answers for its derivatives at the points of all agents; these rows add up over the graph, and each agent
moves by the sum. One iteration is one sum, carried by any rule that sums rows: exact where that rule is. Source: Hoang,
Hoang, Low & Kingsford, "Collective Model Fusion for Multiple Black-Box Experts", ICML 2019, algorithm 1.

Axes: ``A`` agents on this rank, ``N`` in all, ``S`` points of a query, ``Q`` queries, ``K`` random directions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, get_args

import numpy as np
from pydantic import Field

from coolgp.agents.base.arrays import Array, Booleans
from coolgp.agents.experts.queries.failure import ExpertFailed, QueriesUsedUp
from coolgp.fusion.blackbox.asking import Asking
from coolgp.fusion.blackbox.climb import Climb
from coolgp.fusion.blackbox.directions import directions
from coolgp.fusion.blackbox.estimators import ESTIMATORS, Estimator
from coolgp.fusion.blackbox.panel import Panel, first_answers
from coolgp.fusion.blackbox.starts import STARTS, CommonStart, OwnStarts
from coolgp.fusion.blackbox.steps import STEPS, Group, Step
from coolgp.fusion.blackbox.uncertainty import VARIANCES, Pooled, Uncertainty
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.sums.carrier import RepeatedSums, Via
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["Cigar"]

Above = Annotated[float, Field(gt=0)]
CountAbove = Annotated[int, Field(gt=0)]
RESTS: Mapping[str, Callable[[Array, Array, Array], Booleans]] = {
    "movement": lambda starts, points, tolerance: np.zeros(tolerance.shape, dtype=bool),
    "disagreement": lambda starts, points, tolerance: (
        (np.ptp(points, axis=1) <= tolerance) & (np.ptp(starts, axis=1) > tolerance)
    ),
}
"""Where agents are done though they moved ``[A, Q]``, by starts and points ``[A, S, Q]`` and tolerance ``[A, Q]``."""
CONSENSUS = 0.01
"""Agents whose points differ by less than so many standard deviations of the product are at one mode."""


@dataclass(frozen=True)
class Cigar(RepeatedSums):
    """Settings of CIGAR, and the method over a transport.

    estimator: of derivatives. draws: random directions of an estimator that has any. directions: whether experts draw
    the same ones. seed: of directions. width: of differences, in each expert's own standard deviations. step: what is
    done with the sum. starts: a "common" one, or each agent's "own", as published, at N times the queries and bytes.
    iterations: at most. tolerance: of a move, in standard deviations of the product. stop: with a "movement" of every
    agent below that, or with a "disagreement" of agents below it, where they started apart. uncertainty: of
    predictions.
    """

    estimator: Literal["central", "antithetic", "forward"] = "central"
    draws: CountAbove = 10
    directions: Literal["shared", "independent"] = "shared"
    width: Above = 0.1
    step: Literal["newton", "scale-free", "published"] = "newton"
    starts: Literal["own", "common"] = "own"
    iterations: CountAbove = 40
    tolerance: Above = 1e-6
    stop: Literal["movement", "disagreement"] = "movement"
    uncertainty: Uncertainty = "gpoe"
    seed: Annotated[int, Field(ge=0)] = 0
    instead: ClassVar[str] = 'take fusion.rule = "ensemble"'

    def __post_init__(self) -> None:
        tables: tuple[tuple[str, Iterable[str]], ...] = (
            ("estimator", ESTIMATORS),
            ("step", STEPS),
            ("starts", STARTS),
            ("stop", RESTS),
            ("uncertainty", VARIANCES),
            ("via", get_args(Via)),
        )
        for name, table in tables:
            if getattr(self, name) not in tuple(table):
                raise ValueError(f"cigar needs {name} {' | '.join(table)}; got {getattr(self, name)!r}")
        for name in ("draws", "width", "iterations", "tolerance"):
            if not getattr(self, name) > 0:
                raise ValueError(f"cigar needs {name} above 0; got {getattr(self, name)}")
        if self.seed < 0:
            raise ValueError(f"cigar needs a seed of at least 0; got {self.seed}")

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """The carrier's, of every sum; approximate where these are read before they are complete.

        The climb itself finds a mode of the product of experts.
        """
        carried = self.carrier.guarantee(topology, faults)
        enough = carried.kind == "exact" and carried.rounds is not None and faults.lossless
        if self.query_rounds == "converge" or (enough and self.query_rounds >= (carried.rounds or 0)):
            return carried
        why = f"sums are read after {self.query_rounds} communication rounds, complete or not; {carried.why}"
        return replace(carried, kind="approximate", why=why)

    def begin(self, panel: Panel, transport: Transport) -> Climb:
        """Before the first message: every agent has what its own expert says. Raises as `first_answers`."""
        own, out = first_answers(panel)
        rows = self._start(transport).rows(own)
        return Climb(own, rows, self.carrier.begin(rows, transport), out=out)

    def spoken(self, climb: Climb, panel: Panel, transport: Transport, rounds: int) -> Climb:
        """So many communication rounds; points move with each sum that is complete. Collective."""
        for _ in range(rounds):
            if climb.done:
                break
            inner = self.carrier.rounds(climb.inner, climb.rows, transport, 1)
            climb = replace(climb, inner=inner, spent=climb.spent + 1)
            if self.complete(inner, climb.rows, climb.spent, transport):
                climb = self.moved(climb, panel, transport)
        return climb

    def summed_once(self, climb: Climb, panel: Panel, transport: Transport) -> Climb:
        """All communication of one sum, and the move that it leads to. Collective."""
        inner = self.carried(climb.inner, climb.rows, transport)
        return self.moved(replace(climb, inner=inner), panel, transport)

    def moved(self, climb: Climb, panel: Panel, transport: Transport) -> Climb:
        """Points after a sum that is complete, and what is summed next. Collective."""
        sums = self.carrier.sums(climb.inner)
        if climb.agreed is None:
            agreed = self._start(transport).agreed(sums, climb.own)
            unknown = np.full(agreed.centre.shape, np.nan)
            climb = replace(climb, agreed=agreed, points=agreed.points, precision=unknown, count=agreed.count)
        else:
            climb = self._stopped(self._stepped(climb, sums, transport), transport)
        return climb if climb.done else self._asked(climb, panel, transport)

    def mean(self, climb: Climb, transport: Transport) -> Array:
        """What each agent predicts now ``[A, Q]``: by its own expert alone before the first sum."""
        if climb.agreed is None:
            return climb.own.mean
        return climb.points[np.arange(len(climb.points)), self._start(transport).places]

    def variance(self, climb: Climb, transport: Transport) -> Array:
        """Of an observation, as the uncertainty says ``[A, Q]``."""
        if climb.agreed is None:
            return np.square(climb.own.std)
        precision = np.where(climb.precision > 0, climb.precision, climb.agreed.precision)
        second = climb.agreed.second(self.mean(climb, transport))
        return VARIANCES[self.uncertainty](Pooled(precision, second, np.maximum(climb.count, 1.0)))

    def consensus(self, climb: Climb, transport: Transport) -> Booleans:
        """Whether all agents found one mode ``[A, Q]``, as each of these knows them, to 0.01 deviations of the product.

        They need not where the product is not log-concave, or where they were stopped on their way.
        """
        if climb.agreed is None:
            return np.zeros(climb.own.mean.shape, dtype=bool)
        together: Booleans = np.ptp(climb.points, axis=1) <= CONSENSUS * climb.agreed.std[:, 0]
        return together

    def _start(self, transport: Transport) -> CommonStart | OwnStarts:
        return STARTS[self.starts](transport.shard.agents, transport.shard.size)

    @property
    def _estimator(self) -> Estimator:
        kind = ESTIMATORS[self.estimator]
        return kind(self.draws) if kind().draws else kind()

    @property
    def _step(self) -> Step:
        return STEPS[self.step]

    def _stepped(self, climb: Climb, sums: Array, transport: Transport) -> Climb:
        """Every agent moves all points that it knows of by its estimate of the sum."""
        assert climb.agreed is not None
        shape = climb.points.shape
        iteration = climb.iteration + 1
        gradient, precision = sums[:, : climb.points[0].size].reshape(shape), None
        if self._step.curved:
            precision = sums[:, climb.points[0].size : -1].reshape(shape)
            gradient = gradient - precision * climb.points
        move = self._step.move(Group(gradient, precision, climb.agreed.std, climb.agreed.reach, iteration))
        sound = np.isfinite(move)
        points = climb.points + np.where(sound, move, 0.0)
        tolerance = self.tolerance * climb.agreed.std
        rest = np.asarray((np.abs(np.where(sound, move, np.inf)) <= tolerance).all(axis=1))
        calm = bool((rest | RESTS[self.stop](climb.agreed.points, points, tolerance[:, 0])).all())
        if precision is not None:
            own = precision[np.arange(len(points)), self._start(transport).places]
            climb = replace(climb, precision=own, count=sums[:, -1])
        return replace(climb, points=points, iteration=iteration, calm=climb.calm + 1 if calm else 0)

    def _stopped(self, climb: Climb, transport: Transport) -> Climb:
        """Look whether all agents have come to rest, or went all iterations."""
        enough = climb.calm >= (2 if self._estimator.draws else 1)
        restless = transport.total(np.array([len(climb.points) * (not enough)]))
        if not restless[0]:
            return replace(climb, done="settled")
        return replace(climb, done="iterations") if climb.iteration == self.iterations else climb

    def _asked(self, climb: Climb, panel: Panel, transport: Transport) -> Climb:
        """The next rows: every expert is asked about all points that its agent knows of."""
        try:
            climb, short = self._derivatives(climb, panel, transport), 0
        except QueriesUsedUp:
            short = 1
        if transport.total(np.array([short]))[0]:
            return replace(climb, done="queries")
        return replace(climb, inner=self.carrier.begin(climb.rows, transport), spent=0)

    def _derivatives(self, climb: Climb, panel: Panel, transport: Transport) -> Climb:
        rows = np.zeros((len(climb.points), (1 + self._step.curved) * climb.points[0].size + 1))
        asking = Asking(self._estimator, self._step.curved, self.width)
        shared = self._drawn(climb, None)
        for agent, box in enumerate(panel.boxes):
            if not climb.own.asked[agent]:
                continue
            owner = int(transport.shard.agents[agent])
            z = shared if self.directions == "shared" else self._drawn(climb, owner)
            try:
                rows[agent] = asking.row(box, panel.queries, climb.points[agent], climb.own.std[agent], z)
            except ExpertFailed as failed:
                climb = replace(climb, own=climb.own.without(agent), out=climb.out | {agent: failed.reason})
        return replace(climb, rows=rows)

    def _drawn(self, climb: Climb, owner: int | None) -> Array | None:
        draws = self._estimator.draws
        _, points, queries = climb.points.shape
        return directions((self.seed, climb.iteration), range(points), draws, queries, owner) if draws else None
