"""What else a newcomer could do, and tasks with a known relation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad

from coolgp.fusion.personalise.beside import METHODS, StartingPoint, _misfit
from coolgp.fusion.personalise.learning import learn
from coolgp.fusion.personalise.mixture import PersonalGP
from coolgp.fusion.personalise.relations import RELATIONS, drawn_world


def starting(relation: str, owners: int = 12, newcomers: int = 3, seed: int = 0) -> tuple[StartingPoint, object]:
    rng = np.random.default_rng(seed)
    here = drawn_world(relation, owners, newcomers, 10, rng)
    evidence = here.evidence(np.full(owners, 40))
    return StartingPoint(here.common, evidence, learn(evidence)), here


def test_predictions_are_those_of_the_mixtures_members() -> None:
    start, here = starting("deviations")
    x, y = here.rows(12, 6)
    model = METHODS["mixture_experts"](start, x, y)
    assert isinstance(model, PersonalGP)
    at = here.rng.uniform(size=(20, 2))
    means, stds = zip(*(member.predict(at) for member in model.members), strict=True)
    mean = model.weights @ np.stack(means)
    variance = model.weights @ (np.square(stds) + np.square(np.stack(means) - mean))
    np.testing.assert_allclose(model.predict(at)[0], mean, atol=1e-9)
    np.testing.assert_allclose(model.predict(at)[1], np.sqrt(variance), atol=1e-9)


def test_the_slope_of_owners_weights_is_that_of_their_evidence() -> None:
    start, here = starting("unrelated")
    rows = start.only(start.population).observe(*here.rows(12, 6)).common
    weights = np.random.default_rng(1).uniform(0.1, 1.0, 12)
    value = [lambda w, place=place: _misfit(w, start.evidence, rows)[place] for place in (0, 1)]
    assert check_grad(value[0], value[1], weights) < 1e-3 * np.linalg.norm(value[1](weights))


@pytest.mark.parametrize("relation", RELATIONS)
def test_every_task_alone_is_a_draw_of_the_prior(relation: str) -> None:
    drawn = [drawn_world(relation, 3, 1, 8, np.random.default_rng(seed)).weights for seed in range(300)]
    last, first = (np.stack([weights[task] for weights in drawn]) for task in (-1, 0))
    for weights in (first, last):
        assert abs(weights.mean()) < 5 / np.sqrt(300 * 8)
        assert np.mean(np.square(weights)) == pytest.approx(1.0, abs=0.2)


def test_the_mixture_is_safe_where_the_population_alone_is_not() -> None:
    errors = {"mixture": [], "population": [], "scratch": []}
    for seed in range(6):
        start, here = starting("outlier", seed=seed)
        at = here.rng.uniform(size=(60, 2))
        for task in range(12, 15):
            x, y = here.rows(task, 5)
            truth = here.features(at) @ here.weights[task]
            for name, own in errors.items():
                own.append(np.mean(np.square(METHODS[name](start, x, y).predict(at)[0] - truth)))
    error = {name: np.sqrt(np.mean(own)) for name, own in errors.items()}
    assert error["mixture"] < 1.1 * error["scratch"]
    assert error["population"] > 1.2 * error["scratch"]
