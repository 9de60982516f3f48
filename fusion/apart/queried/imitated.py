"""The experts of a rank's agents, imitated by queries at inputs that were set aside and that everybody knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.black_box import BlackBox, DensityExpert
from coolgp.agents.experts.queries.failure import ExpertFailed
from coolgp.agents.experts.surrogates.linear import LinearSurrogate
from coolgp.fusion.apart.left_out import left_out, texts_of
from coolgp.fusion.apart.members import Members, known_to_all
from coolgp.fusion.blackbox.imitation.imitate import (
    ImitatedClassifier,
    ImitatedRegressor,
    imitate_classifier,
    imitate_regressor,
)
from coolgp.fusion.blackbox.imitation.settings import ImitationSettings, Pool
from coolgp.network.transport import Transport

__all__ = ["Imitations", "asked_of_all", "boxes_of", "imitations", "pool_of"]

Imitated = ImitatedRegressor | ImitatedClassifier
T = TypeVar("T")


@dataclass(frozen=True)
class Imitations:
    """pool: where experts were asked. imitated ``[A]``: None of an expert that failed and is left out."""

    pool: Pool
    imitated: tuple[Imitated | None, ...]

    @property
    def fidelity(self) -> Array:
        """Divergence and error of each surrogate ``[A, 2]``, NaN of experts that are out."""
        each = [None if one is None else one.fidelity for one in self.imitated]
        return np.array([[np.nan, np.nan] if one is None else [one.divergence, one.error] for one in each])

    @property
    def queries(self) -> int:
        """Rows that experts of this rank were asked for."""
        return sum(each.fidelity.rows for each in self.imitated if each is not None)

    @property
    def density_queries(self) -> int:
        """Densities, or probabilities of classes, that experts of this rank were asked for."""
        return sum(each.fidelity.density_queries for each in self.imitated if each is not None)

    def size(self, transport: Transport) -> float:
        """Numbers that the surrogates of all agents need, common features once. Collective."""
        own = [0.0 if each is None else float(each.surrogate.size) for each in self.imitated]
        linear = [float(each is not None and isinstance(each.surrogate, LinearSurrogate)) for each in self.imitated]
        shared = self.pool.features.size * bool(known_to_all(linear, transport).any())
        return float(known_to_all(own, transport).sum()) + shared

    @property
    def surrogates(self) -> list[Any]:
        """Of each agent, None of an expert that is out."""
        return [None if each is None else each.surrogate for each in self.imitated]


def pool_of(members: Members, settings: ImitationSettings, rule: str) -> Pool:
    """The inputs that were set aside. Raises ValueError where there are none, or too few."""
    if members.unlabelled is None:
        raise ValueError(
            f'fusion.rule: "{rule}" asks experts at inputs that everybody knows: set some aside (data.unlabelled_count)'
        )
    return Pool.of(members.unlabelled, settings)


def imitations(members: Members, settings: ImitationSettings, transport: Transport) -> Imitations:
    """All experts of this rank, imitated. Collective. Raises as `pool_of` and `asked_of_all`."""
    pool = pool_of(members, settings, "colbi")

    def imitated(box: BlackBox, agent: int) -> Imitated:
        if members.task.labels:
            return imitate_classifier(box, pool, settings, np.array(members.task.labels))
        return imitate_regressor(box, pool, settings, agent)

    return Imitations(pool, tuple(asked_of_all(members, imitated, transport)))


def asked_of_all(members: Members, ask: Callable[[BlackBox, int], T], transport: Transport) -> list[T | None]:
    """What `ask` makes of each expert of this rank and its agent's global id; None of experts that are out. Collective.

    Experts without a standard deviation get that of their residuals at rows that were set aside, where there are some.
    Raises ValueError on all ranks where an expert cannot be asked in this way, and TooFewExperts.
    """
    problems: list[str] = []
    answers: list[T | None] = []
    agents = transport.shard.agents.tolist()
    for box, agent in zip(boxes_of(members), agents, strict=True):
        answer, problem = _asked(box, agent, members, ask)
        answers.append(answer)
        problems.append(problem)
    refused = np.flatnonzero(known_to_all([float(bool(problem)) for problem in problems], transport))
    if len(refused):
        (why,) = texts_of([int(refused[0])], dict(zip(agents, problems, strict=True)), transport)
        raise ValueError(why)
    left_out(members, transport)
    return answers


def boxes_of(members: Members) -> tuple[BlackBox, ...]:
    """The experts behind their answers; where nobody counts, without a cap."""
    return members.boxes or tuple(BlackBox(expert, queries=None) for expert in members.experts)


def _asked(box: BlackBox, agent: int, members: Members, ask: Callable[[BlackBox, int], T]) -> tuple[T | None, str]:
    """The answer, None of an expert that is out; and what is wrong with the request, empty where nothing is."""
    if box.failure is not None:
        return None, ""
    try:
        if not members.task.labels:
            _require_std(box, members)
        return ask(box, agent), ""
    except ExpertFailed:
        return None, ""
    except ValueError as problem:
        words = str(problem)
        return None, words if box.name in words else f"{box.name}: {words}"


def _require_std(box: BlackBox, members: Members) -> None:
    """Take rows set aside for the standard deviation of an expert that states none. Raises ValueError without any."""
    if members.labelled is not None and box.std is None:
        box.calibrate(members.labelled.x, members.labelled.y)
    if isinstance(box.model, DensityExpert):
        return
    _, std = box.predict(members.queries[:1])  # remembered: it was asked for before anything is fused
    if np.isnan(std).any():
        raise ValueError(
            f"{box.name}: states no standard deviation, by which experts are weighed: set rows aside that tell "
            '(data.labelled_count), take models that state one, or fusion.rule = "ensemble"'
        )
