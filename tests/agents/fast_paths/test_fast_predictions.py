"""Predictions against full solves."""

import numpy as np
import pytest

from coolgp.agents.model import Model
from coolgp.agents.population import fold, observe
from coolgp.agents.prediction import predict
from coolgp.agents.statistics import Evidence

from tests.agents.fast_paths.plain import AGENTS, ROWS, Plain, at, settings
from tests.oracle import BASES, LAYOUTS, QUERIES, build_model, draw


def plain_predictions(model: Model, theta: np.ndarray, evidence: Evidence, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean and variance ``[A, Q]``, an agent and a query at a time, by solving with the full posterior precision."""
    mean, variance = np.empty((2, len(theta), len(x)))
    for agent, own in enumerate(theta):
        plain = Plain(model, own)
        amplitude = np.sqrt(plain.signal) if model.basis.moves else 1.0
        own_to_common = np.linalg.solve(plain.factor, plain.frame)
        prior = own_to_common.T @ own_to_common / amplitude**2
        covariance = np.linalg.inv(prior + evidence.precision[agent])
        for place, query in enumerate(x):
            phi = plain.whitened(query)
            row = np.sqrt(plain.signal) / amplitude * plain.common(phi)
            mean[agent, place] = row @ covariance @ evidence.shift[agent]
            variance[agent, place] = plain.signal * (1.0 - phi @ phi) + row @ covariance @ row
    return mean, variance


@pytest.mark.parametrize("alike", [True, False], ids=["agreeing", "differing"])
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_predictions_are_those_of_full_solves(layout, basis, alike):
    """Agents that hold one belief are predicted once, others each by itself."""
    model = build_model(basis, layout)
    theta, batch = settings(model, alike=alike), draw(AGENTS, ROWS)
    evidence = fold(observe(at(model, theta), batch)).evidence()
    if alike:  # of one belief, not of one setting alone
        evidence = Evidence(*(np.repeat(field[:1], AGENTS, 0) for field in vars(evidence).values()))
    prediction = predict(model, theta, evidence, QUERIES)
    mean, variance = plain_predictions(model, theta, evidence, QUERIES)
    np.testing.assert_allclose(prediction.mean, mean, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(prediction.variance, variance, rtol=1e-10, atol=1e-10)
