"""Models in files that are imitated by queries: one model of all surrogates, which predicts without them (COLBI)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.task import Task
from coolgp.fusion.blackbox.group import Group
from coolgp.fusion.blackbox.imitation.group import ImitatedGroup, imitated_group
from coolgp.fusion.blackbox.imitation.imitate import Fidelity
from coolgp.fusion.blackbox.imitation.one import ColbiParameters, one_surrogate_group
from coolgp.fusion.blackbox.imitation.settings import ImitationSettings
from coolgp.network.graphs.generate import generate
from coolgp.scenarios.base.formatting import counted, number, percent
from coolgp.scenarios.experiments.handed.borrowed import settings_as_used, with_settings_of
from coolgp.scenarios.experiments.handed.boxes import left_out_words, require_enough, require_std, with_std
from coolgp.scenarios.experiments.handed.classes import labels_of
from coolgp.scenarios.experiments.handed.rule import Handed, Outcome

__all__ = ["ImitatedModels", "OneSurrogate"]


@with_settings_of(ImitationSettings, without=("family", "inputs", "seed"))
class ImitatedModels:
    """Surrogates that imitate the models at the rows of --inputs, in one file: it asks no model any more (COLBI).

    uncertainty: "gpoe", the generalised product, whose powers sum to one, or "product", which takes models for
    independent. std: of an observation, for regression models without.
    """

    leaves: ClassVar[tuple[str, ...]] = (".npz",)
    in_folder: ClassVar[bool] = True
    leaves_out: ClassVar[bool] = True
    by_queries: ClassVar[bool] = True
    takes_inputs: ClassVar[bool] = True

    uncertainty: Literal["gpoe", "product"] = "gpoe"
    std: Annotated[float, Field(gt=0)] | None = None

    def fuse(self, handed: Handed) -> Outcome:
        """See `HandedRule`."""
        group, inputs = _asked_group(handed, "colbi", self.std)
        settings = settings_as_used(self, but="std") | {"seed": handed.seed}
        imitated = imitated_group(group, inputs, settings)
        require_enough(group.boxes, handed.at_least)
        features = counted(imitated.pool.features.count, "feature")
        return Outcome(
            model=imitated.model,
            sizes=[_size(imitated, place, box) for place, box in enumerate(imitated.group.boxes)],
            fused_size=f"{counted(len(imitated.surrogates), 'surrogate')} of {features}",
            order=f"imitated at {counted(len(imitated.pool.asked), 'row')}, tested at {len(imitated.pool.held_out)}",
            remarks=[*_remarks(imitated), "the result predicts without asking any model"],
            settings=settings_as_used(self),
        )


@with_settings_of(
    ColbiParameters,
    without=("via", "query_rounds", "family", "objective", "steps", "held_out", "floor", "inputs", "seed"),
)
class OneSurrogate:
    """One surrogate for what all models of a number say at the rows of --inputs, in one file (COLBI by parameters).

    std: of an observation, for models that state none.
    """

    leaves: ClassVar[tuple[str, ...]] = (".npz",)
    in_folder: ClassVar[bool] = True
    leaves_out: ClassVar[bool] = True
    by_queries: ClassVar[bool] = True
    takes_inputs: ClassVar[bool] = True

    std: Annotated[float, Field(gt=0)] | None = None

    def fuse(self, handed: Handed) -> Outcome:
        """See `HandedRule`."""
        group, inputs = _asked_group(handed, "colbi-parameters", self.std)
        fitted = one_surrogate_group(group, inputs, settings_as_used(self, but="std") | {"seed": handed.seed})
        require_enough(group.boxes, handed.at_least)
        return Outcome(
            model=fitted.model,
            sizes=[
                "left out" if box.failure is not None else f"{counted(box.used, 'row')} asked" for box in group.boxes
            ],
            fused_size=f"1 surrogate of {counted(fitted.surrogate.features.count, 'feature')}",
            order=f"{counted(fitted.rule.climb, 'sum')} over the graph",
            remarks=[*left_out_words(group.boxes), "the result predicts without asking any model"],
            settings=settings_as_used(self),
        )


def _asked_group(handed: Handed, rule: str, std: float | None) -> tuple[Group, Array]:
    """The models as a group, and where they are asked. Raises ValueError without inputs, and for unsure models."""
    if handed.queries is None:
        raise ValueError(
            f"--inputs: {rule} asks the models for answers to rows without targets: give --inputs rows.csv, none of "
            "them rows to test at"
        )
    boxes = tuple(with_std(box, std) for box in handed.boxes)
    require_std(boxes, handed.queries)
    graph = handed.graph or generate("complete", len(boxes), seed=0)
    return Group(boxes, graph, Task(tuple(labels_of([box.expert for box in boxes])))), handed.queries


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
