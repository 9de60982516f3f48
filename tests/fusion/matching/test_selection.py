"""Laws of which inducing inputs a fused sparse GP has: matched, centres of k-means, random, all; at most so many."""

from __future__ import annotations

import numpy as np
import pytest

from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.sparse.collapsed import Parameters, posterior_of
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.matching.gps.selection import CHOICES, Inputs
from coolgp.fusion.matching.sets.spahm import SPAHM

RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, size=(160, 2))
Y = np.sin(X[:, 0]) * X[:, 1] + 0.1 * RNG.normal(size=160)
QUERIES = RNG.uniform(-2, 2, size=(50, 2))
PARTS = np.array_split(np.argsort(X[:, 0]), 4)
EVERY = pytest.mark.parametrize("inputs", ["matched", *CHOICES])
FORMS = pytest.mark.parametrize("form", ["evidence", "published"])


def owner(rows: np.ndarray, inducing: np.ndarray) -> SparseGP:
    at = Parameters(inducing, np.array([1.2, 0.9]), 1.5, 0.01)
    return SparseGP.of_posterior(posterior_of(X[rows], Y[rows], at, KERNELS["se"], 1e-6), 0.0, "se", 1e-6)


OWNERS = [owner(rows, X[rows[::3]]) for rows in PARTS]
LOCAL = np.concatenate([one.parameters.inducing_inputs for one in OWNERS])


@FORMS
@EVERY
def test_labels_say_what_became_of_every_inducing_input(inputs: Inputs, form: str) -> None:
    fused = SPAHM().fuse(OWNERS, form=form, inputs=inputs, max_inputs=20)  # type: ignore[call-overload]
    names = np.concatenate(fused.labels)
    assert len(fused.counts) == len(fused.inducing_inputs) <= 20
    np.testing.assert_array_equal(np.bincount(names[names >= 0]), fused.counts)
    assert fused.dropped == len(LOCAL) - fused.counts.sum()
    for name, row in enumerate(fused.inducing_inputs):
        np.testing.assert_allclose(row, LOCAL[names == name].mean(axis=0), rtol=1e-12)


@EVERY
def test_names_of_owners_change_nothing(inputs: Inputs) -> None:
    first = SPAHM().fuse(OWNERS, inputs=inputs, max_inputs=20)
    second = SPAHM().fuse([OWNERS[place] for place in (2, 0, 3, 1)], inputs=inputs, max_inputs=20)
    for one, other in zip(
        first.predict(QUERIES, return_std=True), second.predict(QUERIES, return_std=True), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-7)


@pytest.mark.parametrize("inputs", ["k-means", "random"])
def test_what_is_compared_has_as_many_inputs_as_matching_finds(inputs: Inputs) -> None:
    assert len(SPAHM().fuse(OWNERS, inputs=inputs).counts) == len(SPAHM().fuse(OWNERS).counts)


def test_all_inputs_give_the_posterior_of_all_evidence_about_them() -> None:
    """By dense matrices: each owner's evidence stands at its own inducing inputs, which are among all of them."""
    fused = SPAHM().fuse([OWNERS[0], OWNERS[0], OWNERS[1]], inputs="all")
    union, places = fused.model.without_evidence(), np.arange(len(fused.counts))
    assert fused.dropped == 0
    assert len(places) == sum(len(one.shift) for one in OWNERS[:2])  # none is there twice
    inverse = np.linalg.inv(union.factor @ union.factor.T)
    precision, shift = inverse.copy(), np.zeros(len(places))
    for one, own in zip([OWNERS[0], OWNERS[0], OWNERS[1]], fused.labels, strict=True):
        root = np.linalg.inv(one.factor)
        precision[np.ix_(own, own)] += root.T @ one.precision @ root
        shift[own] += root.T @ one.shift
    mean = union.covariance(QUERIES).T @ inverse @ np.linalg.solve(precision, shift)
    np.testing.assert_allclose(fused.predict(QUERIES), mean, atol=1e-4)


@FORMS
def test_a_limit_that_is_not_reached_changes_nothing(form: str) -> None:
    free = SPAHM().fuse(OWNERS, form=form)  # type: ignore[call-overload]
    limited = SPAHM().fuse(OWNERS, form=form, max_inputs=len(free.counts))  # type: ignore[call-overload]
    np.testing.assert_array_equal(free.predict(QUERIES), limited.predict(QUERIES))


def test_the_inputs_that_are_kept_leave_less_unexplained_than_random_ones() -> None:
    kept, some = (SPAHM().fuse(OWNERS, inputs=inputs, max_inputs=15).model for inputs in ("all", "random"))
    explained = [float(np.square(gp.whitened(gp.covariance(LOCAL))).sum()) for gp in (kept, some)]
    assert explained[0] > explained[1]


@pytest.mark.parametrize(
    ("settings", "words"), [({"inputs": "best"}, "one of matched, k-means"), ({"max_inputs": 0}, "at least one")]
)
def test_other_selections_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SPAHM().fuse(OWNERS, **settings)  # type: ignore[call-overload]
