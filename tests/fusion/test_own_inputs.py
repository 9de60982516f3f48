"""Agents with inducing inputs of their own are fused by every rule as those of shared ones are."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents.own_inputs import OwnInputs, predict_alone
from coolgp.agents.prediction import predict
from coolgp.agents.statistics import Evidence
from coolgp.fusion.registry import RULES, SUM_RULES
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import PERFECT
from coolgp.network.serial import SerialTransport

from tests.oracle import QUERIES, build_model, draw, informed, ranked, start

AGENTS = 7
MODEL = build_model("function")
THETA = start(MODEL)
OWN = replace(MODEL, encoding=OwnInputs(np.random.default_rng(1).uniform(-2, 2, (AGENTS, 5, 2))))
TOPOLOGY = generate("small-world", AGENTS, seed=3)
SUMMED = {"tree": 1e-8, "flood": 1e-8, "server": 1e-8, "central": 1e-8}
SUMMED |= dict.fromkeys(("consensus", "chebyshev", "push-sum", "gossip"), 1e-5)
"""Rules that fuse everyone, and their relative accuracy."""


def fused(rule):
    """Predictions of all agents once a rule has settled, and their population."""
    rule = rule.fit(TOPOLOGY, PERFECT)
    transport = SerialTransport(rule.links(TOPOLOGY))
    population = informed(OWN.of(transport.shard.agents), THETA, ranked(draw(AGENTS, 9), transport))
    state = rule.converge(rule.init(population, transport), population, transport)
    return rule.predict(state, population, np.arange(AGENTS), QUERIES, transport), population


@pytest.mark.parametrize("name", SUMMED)
def test_all_agents_predict_from_the_sum_of_all_carried_evidence(name):
    prediction, population = fused(SUM_RULES[name]())
    total = Evidence.unpack(population.packed(slice(None)).sum(axis=0, keepdims=True), MODEL.inducing)
    expected = predict(MODEL, THETA[None], total, QUERIES)
    np.testing.assert_allclose(prediction.mean, np.repeat(expected.mean, AGENTS, axis=0), rtol=SUMMED[name], atol=1e-7)
    np.testing.assert_allclose(prediction.variance, np.repeat(expected.variance, AGENTS, axis=0), rtol=SUMMED[name])


@pytest.mark.parametrize("name", ["poe", "rbcm"])
def test_committees_combine_predictions_at_own_inputs(name):
    prediction, population = fused(RULES[name]())
    alone = predict_alone(population, np.arange(AGENTS), QUERIES)
    gain = np.log(np.exp(THETA[-2]) / alone.variance) / 2 if name == "rbcm" else np.ones_like(alone.variance)
    rest = (1 - gain.sum(axis=0)) / np.exp(THETA[-2]) if name == "rbcm" else 0.0
    precision = (gain / alone.variance).sum(axis=0) + rest
    mean = (gain * alone.mean / alone.variance).sum(axis=0) / precision
    np.testing.assert_allclose(prediction.mean[2], mean, rtol=1e-9)
    np.testing.assert_allclose(prediction.variance[2], 1 / precision, rtol=1e-9)


def test_without_messages_agents_predict_as_they_do_alone():
    prediction, population = fused(RULES["none"]())
    alone = predict_alone(population, np.arange(AGENTS), QUERIES)
    np.testing.assert_array_equal(prediction.mean, alone.mean)
    np.testing.assert_array_equal(prediction.variance, alone.variance)
