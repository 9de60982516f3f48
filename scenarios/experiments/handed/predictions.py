"""What models predict together at given inputs, as a table."""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.task import Task

__all__ = ["predictions"]


def predictions(answers: Array, task: Task) -> list[dict[str, object]]:
    """A row for each of the answers ``[Q, C]``: mean and standard deviation, or a class and all probabilities.

    >>> import numpy as np
    >>> predictions(np.array([[2.0, 9.0]]), Task())
    [{'mean': 2.0, 'std': 3.0}]
    """
    columns: dict[str, list[object]] = {}
    if task.labels:
        columns["class"] = [task.labels[place] for place in answers.argmax(axis=1).tolist()]
        shares = zip(task.labels, answers.T, strict=True)
        columns |= {f"probability_{label}": values.tolist() for label, values in shares}
    else:
        columns["mean"] = answers[:, 0].tolist()
    if not task.labels and np.isfinite(answers[:, 1]).all():
        columns["std"] = np.sqrt(answers[:, 1]).tolist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
