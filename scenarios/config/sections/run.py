"""The section [run]: how long to run, and what to look at."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from coolgp.network.base.lazy_table import LazyTable
from coolgp.scenarios.config.constraints import Names
from coolgp.scenarios.config.section import AddedLater, Count, Settings

__all__ = ["TRACKERS", "RunSettings"]

TRACKERS: LazyTable[Any] = LazyTable(
    {
        "mlflow": "coolgp.scenarios.runs.tracking.mlflow_run:MLFLOW",
        "tensorboard": "coolgp.scenarios.runs.tracking.tensorboard_events:TENSORBOARD",
        "wandb": "coolgp.scenarios.runs.tracking.wandb_run:WANDB",
    }
)
"""Kinds of experiment tracker, by name; a new one is a line."""

EVALUATIONS = 100
"""Evaluations of a run at most, unless more are asked for: a curve needs no more points, and one costs as much as many
rounds of a small run."""


class RunSettings(Settings):
    """How long to run, and what to look at."""

    rounds: Count | Literal["all"] = Field(
        default=30, description='rounds of learning; "all" uses every training row once'
    )
    seed: int = Field(default=0, ge=0, description="everything random follows from it")
    precision: Literal["float64", "float32"] = Field(
        default="float64",
        description="of sums and messages; single precision halves memory, bytes and much of the time",
    )
    probes: Count = Field(default=20, description="agents whose predictions are evaluated and stored")
    evaluate_every: Count | Literal["auto"] = Field(
        default="auto",
        description='rounds between two evaluations of the probes; "auto": 1, and in runs of more than '
        f"{EVALUATIONS} rounds so many that there are about {EVALUATIONS} evaluations; the last round is always "
        "evaluated",
    )
    evaluate_rows: Annotated[Count | Literal["auto", "all"], AddedLater(before="all")] = Field(
        default="auto",
        description='test rows that the probes are asked at in rounds before the last, always the same ones; "auto": '
        "as many as take no more time than learning and fusion, by the sizes of the run; after the last round they are "
        "asked at all test rows",
    )
    keep_predictions: Annotated[bool, AddedLater()] = Field(
        default=False,
        description="keep what a few probes predict after each round that is evaluated, for `coolgp animate`; it "
        "changes no other number",
    )
    checkpoint_minutes: float = Field(
        default=5.0,
        ge=0,
        description="minutes between two checkpoints, from which `coolgp resume` continues; 0 for one after every "
        "round that is evaluated",
    )
    tracker: Annotated[str, Names(lambda: ("", *TRACKERS), own=True), AddedLater()] = Field(
        default="",
        description="experiment tracker that is told of each round beside metrics.csv, or module:function of your own; "
        "empty: none",
    )

    def learning_rounds(self, rows: int | None, batch_size: int) -> int:
        """Rounds of learning: as asked, or until every training row was observed once.

        rows: of the agent that has most, None where they never end. Raises ValueError where these are all asked for.

        >>> RunSettings(rounds="all").learning_rounds(rows=41, batch_size=20)
        3
        """
        if self.rounds != "all":
            return self.rounds
        if rows is None:
            raise ValueError('run.rounds: needed a number of rounds, for these observations never end; got "all"')
        return -(-rows // batch_size)

    def hashed_as(self) -> dict[str, Any]:
        """Versions without "auto" had 1 by default: studies that they began go on."""
        return {"evaluate_every": 1} if self.evaluate_every == "auto" else {}

    def interval(self, rounds: int) -> int:
        """Rounds between two evaluations in a run of so many.

        >>> [RunSettings().interval(rounds) for rounds in (60, 100, 101, 972)]
        [1, 1, 2, 10]
        """
        return -(-rounds // EVALUATIONS) if self.evaluate_every == "auto" else self.evaluate_every
