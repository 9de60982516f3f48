"""How experts are imitated, and the inputs at which they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Self, get_args

from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.surrogates.features import LENGTHSCALE, InducingFeatures, features_over
from coolgp.agents.kernels.registry import KERNELS
from coolgp.fusion.blackbox.imitation.gaussian import Descent, Objective
from coolgp.network.base.randomness import generator

__all__ = ["LEAST", "Family", "ImitationSettings", "Pool"]

Family = Literal["linear", "sparse-gp"]
LEAST = 5
"""Inputs that a pool needs: four to ask at, one to test."""


@dataclass(frozen=True)
class ImitationSettings:
    """How experts are imitated by queries.

    family: surrogates linear in common features, or sparse Gaussian processes. objective: "kl", the divergence by
    queries; "moments", what three queries an input tell of a Gaussian expert; or "published", which diverges. inducing:
    inducing inputs of the features, at most; lengthscale: of the features, in standard deviations of each input times
    ``√D``; kernel: of the features. steps: of "kl" and "published", at most. inputs: of those set aside, at most; None
    for all. held_out: share of the inputs at which surrogates are tested. floor: share of the uniform distribution that
    class probabilities are mixed with. seed: of all draws.
    """

    family: Family = "linear"
    objective: Objective = "kl"
    inducing: Annotated[int, Field(ge=1)] = 100
    lengthscale: Annotated[float, Field(gt=0)] = LENGTHSCALE
    kernel: Literal["se", "matern32", "matern52"] = "matern52"
    steps: Annotated[int, Field(ge=1)] = 30
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.2
    floor: Annotated[float, Field(gt=0, lt=1)] = 1e-3
    inputs: Annotated[int, Field(ge=LEAST)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0

    def __post_init__(self) -> None:
        """Raise ValueError for names that there are not, and numbers out of their ranges."""
        for name, choices in (("family", get_args(Family)), ("objective", get_args(Objective)), ("kernel", KERNELS)):
            if getattr(self, name) not in choices:
                raise ValueError(f"imitation needs {name} {' | '.join(choices)}; got {getattr(self, name)!r}")
        for name, sound in (
            ("inducing", self.inducing >= 1),
            ("lengthscale", self.lengthscale > 0),
            ("steps", self.steps >= 1),
            ("held_out", 0 < self.held_out < 1),
            ("floor", 0 < self.floor < 1),
        ):
            if not sound:
                raise ValueError(f"imitation: {name} is out of its range; got {getattr(self, name)}")

    def check_task(self, task: str) -> None:
        """Raise ValueError where this is not how models of a task, "regression" or "classification", are imitated."""
        if self.family == "sparse-gp" and task != "regression":
            raise ValueError('fusion.family: "sparse-gp" imitates regression models; the data have classes')
        if self.family == "sparse-gp" and self.objective == "published":
            raise ValueError(
                'fusion.objective: "published" is of the family "linear"; "sparse-gp" is fitted to moments'
            )

    def descent(self, owner: int) -> Descent:
        """How the objective of an owner, by global id, is followed."""
        return Descent(steps=self.steps, seed=self.seed, owner=owner)


@dataclass(frozen=True)
class Pool:
    """Inputs without targets that all owners know: ``asked [U, D]`` to imitate at, ``held_out [H, D]`` to test at.

    features: that the surrogates of all owners have in common.
    """

    asked: Array
    held_out: Array
    features: InducingFeatures

    @classmethod
    def of(cls, inputs: Array, settings: ImitationSettings) -> Self:
        """Inputs ``[n, D]`` split at random, and features over those asked. Raises ValueError for too few."""
        inputs = inputs[: settings.inputs]
        if len(inputs) < LEAST:
            raise ValueError(f"imitation needs at least {LEAST} inputs without targets; got {len(inputs)}")
        rng = generator(settings.seed, "imitation inputs")
        order = rng.permutation(len(inputs))
        count = min(max(round(settings.held_out * len(inputs)), 1), len(inputs) - 1)
        asked, held_out = inputs[order[count:]], inputs[order[:count]]
        return cls(asked, held_out, features_over(asked, settings.inducing, rng, settings.lengthscale, settings.kernel))
