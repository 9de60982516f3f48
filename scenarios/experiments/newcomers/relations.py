"""Tasks that are drawn with a known relation, of which methods know nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, MinLen

from coolgp.fusion.personalise.learning import learn
from coolgp.fusion.personalise.relations import RELATIONS, drawn_world
from coolgp.fusion.personalise.starting import Learner, StartingPoint
from coolgp.network.base.randomness import generator
from coolgp.scenarios.experiments.newcomers.source import Newcomer, Tasks

__all__ = ["RelatedTasks"]

OWNERS_ROWS = (30, 300)
TESTS = 200
Relation = Literal["same", "clusters", "factors", "deviations", "unrelated", "outlier"]


@dataclass(frozen=True)
class RelatedTasks:
    """Functions on the unit square, as weights of common features; owners have from 30 to 300 rows each.

    relations: each is drawn and scored by itself. owners, newcomers: of each draw. inducing: common inducing inputs.
    """

    extra: ClassVar[tuple[str, ...]] = ()
    paired_by: ClassVar[Literal["draw", "newcomer"]] = "draw"
    error_words: ClassVar[str] = "RMSE to the function"
    remarks: ClassVar[tuple[str, ...]] = (
        "Each task alone is a draw of the Gaussian process that scratch takes for its prior, so scratch is as good as "
        "anything can be that does not know of the others. Intervals are over draws.",
        "Unsafe: the population prior alone and all evidence summed, where the newcomer is not like the owners; "
        "weights that maximise evidence, where tasks are unrelated and for their coverage with few rows.",
    )

    relations: Annotated[tuple[Relation, ...], MinLen(1)] = (
        *("same", "clusters", "factors"),
        *("deviations", "unrelated", "outlier"),
    )
    owners: Annotated[int, Ge(5)] = 50
    newcomers: Annotated[int, Ge(1)] = 5
    inducing: Annotated[int, Ge(5)] = 60

    @property
    def groups(self) -> tuple[str, ...]:
        """See `TaskSource`."""
        return tuple(self.relations)

    def drawn(self, group: str, seed: int, examples: int, learner: Learner = learn) -> Tasks:
        """See `TaskSource`."""
        rng = generator(seed, "related tasks", round=list(RELATIONS).index(group))
        world = drawn_world(group, self.owners, self.newcomers, self.inducing, rng)
        least, most = OWNERS_ROWS
        evidence = world.evidence(rng.integers(least, most + 1, size=self.owners))
        start = StartingPoint(world.common, evidence, learner(evidence))
        x_test = rng.uniform(size=(TESTS, 2))
        truths = world.features(x_test) @ world.weights.T
        newcomers = [
            Newcomer(f"{number}", *world.rows(task, examples), x_test, truths[:, task], observed=False)
            for number, task in enumerate(range(self.owners, self.owners + self.newcomers), start=1)
        ]
        return Tasks(start, tuple(newcomers))
