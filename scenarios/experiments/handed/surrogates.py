"""Models in files that are imitated by queries: one model of all surrogates, which predicts without them (COLBI)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.surrogates.features import LENGTHSCALE
from coolgp.agents.experts.task import Task
from coolgp.fusion.blackbox.group import Group
from coolgp.fusion.blackbox.imitation.gaussian import Objective
from coolgp.fusion.blackbox.imitation.group import ImitatedGroup, imitated_group
from coolgp.fusion.blackbox.imitation.imitate import Fidelity
from coolgp.network.graphs.generate import generate
from coolgp.scenarios.base.formatting import counted, number, percent
from coolgp.scenarios.experiments.handed.boxes import left_out_words, require_enough, require_std, with_std
from coolgp.scenarios.experiments.handed.classes import labels_of
from coolgp.scenarios.experiments.handed.rule import Handed, Outcome

__all__ = ["ImitatedModels"]


@dataclass(frozen=True)
class ImitatedModels:
    """Surrogates that imitate the models at the rows of --inputs, in one file: it asks no model any more (COLBI).

    objective: "kl", the divergence by queries; "moments", what three queries an input tell of a Gaussian model; or
    "published", which diverges. inducing: inducing inputs of the features that all surrogates have in common, at most.
    lengthscale: of these, in standard deviations of each input times ``√D``; kernel: of these. steps: of "kl" and
    "published", at most. held_out: share of the rows at which surrogates are tested. floor: share of the uniform
    distribution that class probabilities are mixed with. uncertainty: "gpoe", the generalised product, whose powers sum
    to one, or "product", which takes models for independent. std: of an observation, for regression models without.
    """

    leaves: ClassVar[tuple[str, ...]] = (".npz",)
    in_folder: ClassVar[bool] = True
    leaves_out: ClassVar[bool] = True
    by_queries: ClassVar[bool] = True
    takes_inputs: ClassVar[bool] = True

    objective: Objective = "kl"
    inducing: Annotated[int, Field(ge=1)] = 100
    lengthscale: Annotated[float, Field(gt=0)] = LENGTHSCALE
    kernel: Literal["se", "matern32", "matern52"] = "matern52"
    steps: Annotated[int, Field(ge=1)] = 30
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.2
    floor: Annotated[float, Field(gt=0, lt=1)] = 1e-3
    uncertainty: Literal["gpoe", "product"] = "gpoe"
    std: Annotated[float, Field(gt=0)] | None = None

    def fuse(self, handed: Handed) -> Outcome:
        """See `HandedRule`."""
        if handed.queries is None:
            raise ValueError(
                "--inputs: colbi asks the models for answers to rows without targets: give --inputs rows.csv, none of "
                "them rows to test at"
            )
        imitated = self._imitated(handed, handed.queries)
        features = counted(imitated.pool.features.count, "feature")
        return Outcome(
            model=imitated.model,
            sizes=[_size(imitated, place, box) for place, box in enumerate(imitated.group.boxes)],
            fused_size=f"{counted(len(imitated.surrogates), 'surrogate')} of {features}",
            order=f"imitated at {counted(len(imitated.pool.asked), 'row')}, tested at {len(imitated.pool.held_out)}",
            remarks=[*_remarks(imitated), "the result predicts without asking any model"],
            settings=asdict(self),
        )

    def _imitated(self, handed: Handed, inputs: Array) -> ImitatedGroup:
        boxes = tuple(with_std(box, self.std) for box in handed.boxes)
        graph = handed.graph or generate("complete", len(boxes), seed=0)
        settings = {name: value for name, value in asdict(self).items() if name != "std"}
        require_std(boxes, inputs)
        group = Group(boxes, graph, Task(tuple(labels_of([box.expert for box in boxes]))))
        imitated = imitated_group(group, inputs, settings | {"seed": handed.seed})
        require_enough(boxes, handed.at_least)
        return imitated


def _size(imitated: ImitatedGroup, place: int, box: BlackBox) -> str:
    return f"{counted(box.used, 'row')} asked" if place in imitated.surrogates else "left out"


def _remarks(imitated: ImitatedGroup) -> Sequence[str]:
    """How faithful surrogates are, and which models are out."""
    classifies = bool(imitated.group.task.labels)
    faithful = [_fidelity(name, of, classifies) for name, of in imitated.fidelity.items()]
    return [*faithful, *left_out_words(imitated.group.boxes)]


def _fidelity(name: str, fidelity: Fidelity, classifies: bool) -> str:
    what = (
        f"another class at {percent(fidelity.error)}" if classifies else f"means apart by {number(fidelity.error, 4)}"
    )
    return f"{name}: the surrogate differs by {number(fidelity.divergence, 4)} nats, {what}"
