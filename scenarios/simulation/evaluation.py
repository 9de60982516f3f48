"""What the probes say after a round: their forecasts before and after fusion, gathered on the root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.batches import Observations
from coolgp.agents.coverage import uncovered
from coolgp.agents.encoding import Importance, effective_sample_size
from coolgp.agents.learning import bound
from coolgp.agents.model import Model
from coolgp.agents.own_inputs import predict_alone
from coolgp.agents.population import Population
from coolgp.agents.prediction import Belief, Prediction, shared
from coolgp.fusion.rule import FusionRule, State, has_evidence
from coolgp.network.base.randomness import generator
from coolgp.network.transport import Transport
from coolgp.scenarios.base.arrays import Ints
from coolgp.scenarios.data.scaler import Scaler
from coolgp.scenarios.metrics.scores import Forecast
from coolgp.scenarios.simulation.state import Probed

__all__ = ["Evaluation", "choose_probes"]


def choose_probes(agents: int, probes: int, seed: int) -> Ints:
    """Global ids ``[probes]`` of the agents that are evaluated, ascending; all of them where there are fewer."""
    picked = generator(seed, "probes").permutation(agents)[: min(probes, agents)]
    return np.sort(picked).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Asks the probes of every rank at test inputs ``x [Q, D]`` (scaled). tested ``[Q]``: which test rows these are.

    probes: global ids, ascending. least: the coverage that a row needs, see :mod:`coolgp.agents.coverage`.
    """

    x: Array
    tested: Ints
    scaler: Scaler
    probes: Ints
    rule: FusionRule
    transport: Transport
    least: float

    @cached_property
    def rows(self) -> Ints:
        """Rows ``[A']`` of this rank's agents that are probes."""
        return np.flatnonzero(np.isin(self.transport.shard.agents, self.probes))

    def __call__(self, population: Population, state: State, batch: Observations) -> Probed | None:
        """The answers on the root, None elsewhere; batch: of the round. Collective."""
        started, rows = perf_counter(), self.rows
        model, theta = population.model, population.theta[rows]
        pre = self._forecast(model, predict_alone(population, rows, self.x).checked())
        prediction = self.rule.predict(state, population, rows, self.x, self.transport).checked()
        lower, evidence, counted = _evidence(self.rule, state, population, rows, prediction.belief)
        post = self._forecast(model, prediction)
        answers = {
            "pre_mean": pre.mean,
            "pre_variance": pre.variance,
            "post_mean": post.mean,
            "post_variance": post.variance,
            "theta": theta,
            "bound": lower,
            "evidence": evidence,
            "counted": counted,
            "sample_size": _sample_sizes(population, rows),
            "forged": np.full(rows.size, np.nan) if prediction.forged is None else prediction.forged.astype(float),
            "uncovered": uncovered(model, theta, batch[rows], self.least),
        }
        gathered = self._gathered(answers)
        if gathered is None:
            return None
        pre = Forecast(gathered.pop("pre_mean"), gathered.pop("pre_variance"))
        post = Forecast(gathered.pop("post_mean"), gathered.pop("post_variance"))
        return Probed(
            pre=pre, post=post, **gathered, basis=model.basis, tested=self.tested, seconds=perf_counter() - started
        )

    def _gathered(self, answers: Mapping[str, Array]) -> dict[str, Array] | None:
        """The answers of the probes of all ranks, on the root; None elsewhere. Collective."""
        ids = self.transport.shard.agents[self.rows]
        columns = {name: self.transport.gather_rows(answer, ids) for name, answer in answers.items()}
        present = {name: column for name, column in columns.items() if column is not None}
        return present if self.transport.root else None

    def _forecast(self, model: Model, prediction: Prediction) -> Forecast:
        noise = prediction.noise_variance[:, None]
        mean, variance = model.likelihood.observed(prediction.mean, prediction.variance, noise)
        return Forecast(self.scaler.mean(mean), self.scaler.variance(variance))


def _evidence(
    rule: FusionRule, state: State, population: Population, rows: Ints, known: Belief | None
) -> tuple[Array, Array, Array]:
    """Bound per observation, packed evidence ``[A', P]`` and agents counted after the exchange; NaN where none are.

    known: the fused evidence, where the rule kept it when it predicted.
    """
    if not has_evidence(rule):
        return np.full(rows.size, np.nan), np.full((rows.size, 1), np.nan), np.full(rows.size, np.nan)
    evidence = known.evidence if known else rule.fused_evidence(state, population, rows)
    theta, common = shared(population.theta[rows], evidence)  # probes that agree have one bound
    total = bound(population.model, theta, common, known.posterior if known else None)
    return total / np.maximum(evidence.count, 1.0), evidence.pack(), rule.counted(state, rows)


def _sample_sizes(population: Population, rows: Ints) -> Array:
    encoding = population.model.encoding
    if not isinstance(encoding, Importance):
        return np.full(rows.size, np.nan)
    return effective_sample_size(encoding, population.model, population.theta[rows])
