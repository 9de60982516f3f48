"""Laws of consensus, plain and accelerated: what every round keeps, what fitting finds, and over links that fail."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.fusion.sums.chebyshev import Chebyshev
from coolgp.fusion.sums.consensus import Consensus
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.mixing import weighted
from coolgp.network.serial import SerialTransport
from coolgp.network.spectrum import second_eigenvalue

from tests.fusion.sums.averaging import KINDS, PLAIN, SUMMING, contributions, faulty, off


@pytest.fixture(params=KINDS, ids=str)
def topology(request):
    return generate(*request.param, seed=2)


@pytest.fixture(params=SUMMING.values(), ids=SUMMING)
def rule(request, topology):
    return request.param.fit(topology, PERFECT)


def test_every_round_preserves_the_sum(rule, topology):
    transport, values = SerialTransport(topology), contributions(topology.size)
    state, total = rule.begin(values, transport), values.sum(0)
    scale = np.abs(values).sum(0)
    for _ in range(30):
        state = rule.round(state, values, transport)
        np.testing.assert_allclose((state.estimate.sum(0) - total) / np.maximum(scale, 1e-300), 0.0, atol=1e-13)


def test_every_round_preserves_the_sum_of_a_stream(rule, topology):
    transport, values = SerialTransport(topology), contributions(topology.size)
    state = rule.begin(values, transport)
    for seed in range(1, 20):
        values = values + contributions(topology.size, seed)
        for _ in range(seed % 3 + 1):
            state = rule.round(state, values, transport)
        np.testing.assert_allclose(state.estimate.sum(0), values.sum(0), rtol=1e-9, atol=1e-8)


def test_settled_every_agent_is_within_the_tolerance_of_the_sum(rule, topology):
    transport, rule = SerialTransport(topology), replace(rule, tolerance=1e-9)
    values = contributions(topology.size)
    state = rule.settle(rule.begin(values, transport), values, transport)
    error = np.abs(rule.sums(state) - values.sum(0)) / topology.size
    assert (error <= 1e-9 * np.linalg.norm(values, axis=0) + 1e-300).all()


def test_settling_again_takes_in_what_is_new(rule, topology):
    transport, values = SerialTransport(topology), contributions(topology.size)
    state = rule.settle(rule.begin(values, transport), values, transport)
    changed = values + contributions(topology.size, 1)
    state = rule.settle(state, changed, transport)
    scale = np.linalg.norm(changed, axis=0)
    assert (np.abs(rule.sums(state) - changed.sum(0)) <= 1e-11 * topology.size * scale).all()


def test_agents_that_agree_stay(rule, topology):
    transport, values = SerialTransport(topology), np.full((topology.size, 2), 3.0)
    state = rule.round(rule.begin(values, transport), values, transport)
    np.testing.assert_allclose(state.estimate, values, rtol=1e-14)


@pytest.mark.parametrize("weights", PLAIN)
def test_every_round_shrinks_the_disagreement_by_the_second_eigenvalue(weights, topology):
    transport, rule = SerialTransport(topology), PLAIN[weights].fit(topology, PERFECT)
    values, rate = contributions(topology.size), 1 - rule.guarantee(topology, PERFECT).gap
    state = rule.begin(values, transport)
    for _ in range(20):
        before = np.linalg.norm(state.estimate - values.mean(0), axis=0)
        state = rule.round(state, values, transport)
        after = np.linalg.norm(state.estimate - values.mean(0), axis=0)
        assert (after <= rate * before * (1 + 1e-9) + 1e-13 * np.linalg.norm(values, axis=0)).all()


def test_a_graph_that_mixes_too_slowly_is_refused():
    transport, rule = SerialTransport(generate("ring", 30, seed=0)), Consensus(most=20)
    values = contributions(30)
    with pytest.raises(ValueError, match=r"not settled to 1e-12 after 20 communication rounds"):
        rule.settle(rule.begin(values, transport), values, transport)


@pytest.mark.parametrize("kind", ["star", "grid", "small-world", "random-tree"])
def test_no_constant_weight_mixes_faster_than_the_optimal_one(kind):
    topology = generate(kind, 20, seed=2)
    best = PLAIN["optimal-constant"].fit(topology, PERFECT)
    assert second_eigenvalue(weighted(topology, best.weight)) == pytest.approx(best.eigenvalue, abs=1e-12)
    for factor in (0.9, 1.1):
        assert second_eigenvalue(weighted(topology, factor * best.weight)) > best.eigenvalue


@pytest.mark.parametrize(
    "faults", [Faults(loss=0.1), Faults(delay=1), Faults(one_way=0.5), Faults(byzantine=1)], ids=str
)
def test_where_messages_fail_no_agent_weighs_itself_negatively(faults):
    topology = generate("star", 20, seed=0)
    assert weighted(topology, PLAIN["optimal-constant"].fit(topology, PERFECT).weight).diagonal().min() < 0
    assert weighted(topology, PLAIN["optimal-constant"].fit(topology, faults).weight).diagonal().min() >= 0


@pytest.mark.parametrize("rule", [PLAIN["max-degree"], PLAIN["optimal-constant"], Chebyshev()], ids=str)
def test_a_rule_that_needs_the_whole_graph_says_so(rule):
    with pytest.raises(ValueError, match="call fit\\(topology, faults\\) first"):
        rule.begin(contributions(6), SerialTransport(generate("ring", 6, seed=0)))


@pytest.mark.parametrize(
    "options, message", [({"weights": "equal"}, "metropolis, max-degree or"), ({"trim": -1}, "trim")]
)
def test_a_wrong_setting_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Consensus(**options)


@pytest.mark.parametrize("name", SUMMING)
@pytest.mark.parametrize("faults", [Faults(loss=0.3), Faults(delay=2), Faults(one_way=0.6)], ids=str)
def test_where_messages_fail_agents_agree_on_a_value_in_the_range_of_all(name, faults):
    topology = generate("ring", 9, seed=2)
    transport, rule = faulty(SerialTransport(topology), topology, faults), SUMMING[name].fit(topology, faults)
    values = contributions(9)[:, :3]
    state = rule.begin(values, transport)
    for _ in range(500):
        state = rule.round(state, values, transport)
    assert rule.guarantee(topology, faults).kind == "approximate"
    assert (np.ptp(state.estimate, axis=0) <= 1e-9 * np.ptp(values, axis=0)).all()
    assert (state.estimate >= values.min(0)).all()
    assert (state.estimate <= values.max(0)).all()


@pytest.mark.parametrize("name", SUMMING)
def test_while_agents_come_and_go_the_sum_stays_and_is_reached(name):
    topology, faults = generate("small-world", 10, seed=2), Faults(churn=0.1, absence=2)
    transport, rule = faulty(SerialTransport(topology), topology, faults), SUMMING[name].fit(topology, faults)
    values = contributions(10)
    state = rule.begin(values, transport)
    for turn in range(60):
        transport.advance(turn)
        for _ in range(10):
            state = rule.round(state, values, transport)
    np.testing.assert_allclose(state.estimate.sum(0), values.sum(0), rtol=1e-9, atol=1e-9)
    assert rule.guarantee(topology, faults).kind == "asymptotic"
    assert off(rule, state, values, transport) < 1e-6
