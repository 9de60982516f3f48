"""Digits with experts for eight of them, and tasks of the other two: what laws of new tasks share."""

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

Rows = NDArray[np.intp]

IMAGES, LABELS = load_digits(return_X_y=True)
IMAGES = IMAGES / 16.0


class Asked:
    """A black box that has `predict_proba`, `classes_` and what makes it one; anything else raises."""

    def __init__(self, model: LogisticRegression) -> None:
        self.model, self.calls = model, 0

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        self.calls += len(x)
        return np.asarray(self.model.predict_proba(x))


class Case:
    """Experts for two disjoint sets of digits; a pool without labels; a task of two digits, with test rows."""

    def __init__(self, seed: int, *, seen: bool = False) -> None:
        random = np.random.default_rng(seed)
        digits, rows = random.permutation(10), random.permutation(len(LABELS))
        self.task = np.sort(digits[:2])
        groups = (digits[2:6], digits[6:]) if not seen else ([*digits[2:6], digits[0]], [*digits[6:], digits[1]])
        self.pool, self.training, self.rest = rows[:500], rows[500:1200], rows[1200:]
        self.experts = [self._expert(np.asarray(group)) for group in groups]
        self.test = self.rest[np.isin(LABELS[self.rest], self.task)]
        self.random = random

    def _expert(self, digits: Rows) -> LogisticRegression:
        own = self.training[np.isin(LABELS[self.training], digits)]
        return LogisticRegression(C=10.0, max_iter=300).fit(IMAGES[own], LABELS[own])

    def shots(self, count: int) -> Rows:
        """Rows of so many examples of each digit of the task."""
        of = [self.training[LABELS[self.training] == digit] for digit in self.task]
        return np.concatenate([self.random.choice(rows, count, replace=False) for rows in of])

    @property
    def poor_pool(self) -> Rows:
        """The pool without the digits of the task."""
        return self.pool[~np.isin(LABELS[self.pool], self.task)]
