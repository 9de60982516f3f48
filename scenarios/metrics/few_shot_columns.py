"""Entries of the table of columns for scenarios of tasks that nobody has seen (``[few_shot]``)."""

from __future__ import annotations

from coolgp.scenarios.metrics.column import Column

__all__ = ["FEW_SHOT_COLUMNS", "FEW_SHOT_WORDS"]

FEW_SHOT_WORDS = {
    "background": "prototypes, experts as background",
    "embedding": "embedding, as published",
    "few_shot": "few-shot training",
    "spreading": "label spreading on the pool",
    "experts_sum": "sum of experts",
    "experts_max": "largest of experts",
    "maml": "MAML on others' rows",
}
"""What each method is called, by the end of its column's name."""
_TASKS = "of tasks that nobody has seen, mean over draws: "

FEW_SHOT_COLUMNS = (
    *(
        Column(
            name=f"accuracy_{method}",
            words=f"accuracy, {words}",
            meaning=f"{_TASKS}share of test rows with the right class",
            better="higher",
            files=(),
        )
        for method, words in FEW_SHOT_WORDS.items()
    ),
    Column(name="shots", words="examples of each class", meaning=f"{_TASKS}examples of each class", files=()),
    Column(
        name="known_classes",
        words="classes that experts know",
        meaning=f"{_TASKS}share of the task's classes that any expert knows",
        files=(),
    ),
    Column(
        name="pool_share",
        words="share of the pool",
        meaning=f"{_TASKS}share of the rows without labels that are of the task's classes",
        files=(),
    ),
)
