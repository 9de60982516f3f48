"""Laws of consensus, plain, accelerated and trimmed; and of all rules by averaging on several ranks.

Run as a program on several ranks, this file saves what these rules end with into the folder that it is given.
"""

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from coolgp.fusion.sums.chebyshev import Chebyshev, chebyshev_rounds
from coolgp.fusion.sums.consensus import Consensus, trimmed_mean
from coolgp.fusion.sums.deviation import deviation
from coolgp.fusion.sums.gossip import Gossip
from coolgp.fusion.sums.push_sum import PushSum
from coolgp.network.graphs.generate import generate
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.mixing import metropolis, weighted
from coolgp.network.partition import partition
from coolgp.network.row_axes import rows_of, with_rows
from coolgp.network.serial import SerialTransport
from coolgp.network.spectrum import second_eigenvalue
from coolgp.network.transport import Transport

KINDS = [("ring", 12), ("star", 12), ("small-world", 16), ("complete", 6), ("random-tree", 9), ("ring", 2), ("ring", 1)]
PLAIN = {kind: Consensus(weights=kind) for kind in ("metropolis", "max-degree", "optimal-constant")}
SUMMING = {**PLAIN, "chebyshev": Chebyshev()}
AVERAGING = {**SUMMING, "trimmed": Consensus(trim=1), "push-sum": PushSum(), "gossip": Gossip(seed=5)}
FAULTS = {
    "nothing": PERFECT,
    "failing links": Faults(loss=0.2, delay=1, delays="geometric", churn=0.1, absence=2, one_way=0.3),
    "lies": Faults(byzantine=1),
}
ROUND = 5  # communication rounds in a round of learning


@pytest.fixture(params=KINDS, ids=str)
def topology(request):
    return generate(*request.param, seed=2)


@pytest.fixture(params=SUMMING.values(), ids=SUMMING)
def rule(request, topology):
    return request.param.fit(topology, PERFECT)


def contributions(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(size, 4)) * [1.0, 1e6, 1e-6, 0.0]


def faulty(inner: Transport, topology, faults: Faults) -> Transport:
    return inner if faults == PERFECT else FaultyTransport(inner, Dynamics(topology, faults, seed=3), faults, seed=3)


def off(rule, state, values, transport) -> float:
    scale = np.sqrt(transport.allsum(np.square(values)))
    return deviation(rule.sums(state), transport.allsum(values), scale, transport)


# What consensus keeps, plain or accelerated.


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


# What fitting finds, and what is predicted from it.


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


def slowest(topology) -> np.ndarray:
    """The eigenvector that fades last (on a ring one of two), with a little of all others, by global id."""
    vector = np.cos(2 * np.pi * np.arange(topology.size) / topology.size)
    if topology.degree.max() > 2:
        vector = np.linalg.eigh(metropolis(topology).toarray())[1][:, -2]
    return (vector + 1e-3 * np.random.default_rng(0).normal(size=topology.size) * np.abs(vector).max())[:, None]


def rounds_until(tolerance: float, rule, values, transport, unseen: int, most: int) -> int:
    """Rounds until the deviation is down; as looking takes time, the first are gone without."""
    state = rule.begin(values, transport)
    for turn in range(1, most + 1):
        state = rule.round(state, values, transport)
        if turn >= unseen and off(rule, state, values, transport) <= tolerance:
            return turn
    return most + 1


PREDICTED = [
    *((name, "ring", size) for name in PLAIN for size in (10, 30)),
    ("metropolis", "ring", 100),
    *(("chebyshev", "ring", size) for size in (10, 30, 100, 300, 1000)),
    *((name, kind, 60) for name in ("metropolis", "chebyshev") for kind in ("grid", "star", "small-world")),
]


@pytest.mark.parametrize("name, kind, size", PREDICTED)
def test_rounds_to_a_billionth_are_those_that_the_gap_predicts(name, kind, size):
    topology = generate(kind, size, seed=0)
    transport, rule = SerialTransport(topology), replace(SUMMING[name], tolerance=1e-9).fit(topology, PERFECT)
    predicted = rule.guarantee(topology, PERFECT).rounds
    values = slowest(topology)[transport.shard.agents]
    rounds = rounds_until(1e-9, rule, values, transport, int(0.8 * predicted), int(1.2 * predicted) + 1)
    assert 0.8 * predicted <= rounds <= max(1.2 * predicted, predicted + 1)


def test_chebyshev_rounds_grow_with_the_root_of_the_inverse_gap():
    outlooks = [
        Chebyshev(tolerance=1e-9).fit(ring, PERFECT).guarantee(ring, PERFECT) for ring in map(ring_of, (30, 100, 1000))
    ]
    products = [results.rounds * results.gap**0.5 for results in outlooks]
    np.testing.assert_allclose(products, products[-1], rtol=0.02)


def ring_of(size: int):
    return generate("ring", size, seed=0)


@pytest.mark.parametrize("kind, size, rounds", [("complete", 6, 1), ("ring", 2, 1), ("ring", 3, 1), ("ring", 1, 0)])
def test_chebyshev_takes_one_round_where_everyone_hears_everyone(kind, size, rounds):
    topology, values = generate(kind, size, seed=0), contributions(size)
    transport, rule = SerialTransport(topology), Chebyshev().fit(topology, PERFECT)
    state = rule.begin(values, transport)
    for _ in range(rounds):
        state = rule.round(state, values, transport)
    assert off(rule, state, values, transport) < 1e-15


def test_chebyshev_starts_afresh_when_contributions_change():
    topology, values = generate("grid", 25, seed=0), contributions(25)
    transport, rule = SerialTransport(topology), Chebyshev(tolerance=1e-9).fit(topology, PERFECT)
    rounds, state = rule.guarantee(topology, PERFECT).rounds, rule.begin(values, transport)
    for seed in range(3):
        values = values + contributions(25, seed)
        for _ in range(rounds):
            state = rule.round(state, values, transport)
        assert off(rule, state, values, transport) < 2e-9


def test_chebyshev_rounds_of_a_graph_in_pieces_are_refused():
    with pytest.raises(ValueError, match=r"below 1, so a connected graph; got 1.0"):
        chebyshev_rounds(1e-9, -0.5, 1.0)


# Over links that fail.


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


# Trimmed against agents that lie.


def one_by_one(own: np.ndarray, others: list[np.ndarray], trim: int) -> np.ndarray:
    mean = np.empty_like(own)
    for column, mine in enumerate(own):
        heard = [other[column] for other in others]
        above, below = sorted(x for x in heard if not x <= mine), sorted(x for x in heard if x < mine)
        kept = [x for x in heard if x == mine] + above[: max(len(above) - trim, 0)] + below[trim:]
        mean[column] = np.mean([mine, *kept])
    return mean


@pytest.mark.parametrize("trim", [1, 2])
def test_the_trimmed_mean_is_that_of_each_agent_by_itself(trim, topology):
    transport, values = SerialTransport(topology), np.round(contributions(topology.size), 1)
    results, shard = trimmed_mean(values, trim, transport), transport.shard
    for agent in range(topology.size):
        others = [values[head] for head in shard.head[shard.tail == agent]]
        np.testing.assert_allclose(results[agent], one_by_one(values[agent], others, trim), rtol=1e-12, atol=1e-12)


def test_what_is_no_number_is_dropped_as_an_extreme():
    topology = generate("complete", 6, seed=0)
    transport, values = SerialTransport(topology), contributions(6)
    values[2] = np.nan
    assert np.isfinite(np.delete(trimmed_mean(values, 1, transport), 2, axis=0)).all()


@pytest.mark.parametrize("kind, size", [("complete", 7), ("random-regular", 12)])
def test_with_a_liar_among_them_trimmed_agents_stay_in_the_honest_range_and_others_do_not(kind, size):
    options = {"degree": 7} if kind == "random-regular" else {}
    topology, faults = generate(kind, size, seed=1, **options), Faults(byzantine=1)
    values, ended = contributions(size)[:, :3], {}
    for trim in (0, 1):
        transport = faulty(SerialTransport(topology), topology, faults)
        honest = ~transport.dynamics.byzantine[transport.shard.agents]
        rule = Consensus(trim=trim)
        state = rule.begin(values, transport)
        for _ in range(150):
            state = rule.round(state, values, transport)
        ended[trim] = state.estimate[honest]
        assert rule.guarantee(topology, faults).kind == "approximate"
    low, high = values[honest].min(0), values[honest].max(0)
    assert ((low <= ended[1]) & (ended[1] <= high)).all()
    assert (np.ptp(ended[1], axis=0) <= 1e-6 * (high - low)).all()
    assert ((ended[0] < low) | (ended[0] > high)).any()


def test_trimmed_agents_settle_where_nobody_moves_any_more():
    topology = generate("random-regular", 12, seed=1, degree=6)
    transport, rule = SerialTransport(topology), Consensus(trim=1, tolerance=1e-9)
    values = contributions(12)
    state = rule.settle(rule.begin(values, transport), values, transport)
    assert (np.ptp(state.estimate, axis=0) <= 1e-7 * np.linalg.norm(values, axis=0)).all()


def test_trimming_that_does_not_settle_is_refused():
    transport, rule = SerialTransport(generate("ring", 30, seed=0)), Consensus(trim=1, most=2)
    with pytest.raises(ValueError, match=r"trimmed consensus still moved by .* after 2 communication rounds"):
        rule.settle(rule.begin(contributions(30), transport), contributions(30), transport)


def test_increments_that_all_agents_have_come_through_trimming():
    topology = generate("random-regular", 12, seed=1, degree=6)
    transport, rule = SerialTransport(topology), Consensus(trim=2, tolerance=1e-9)
    values = contributions(12)
    state = rule.settle(rule.begin(values, transport), values, transport)
    later = rule.settle(state, values + 5.0, transport)
    np.testing.assert_allclose(later.estimate[:, 0], state.estimate[:, 0] + 5.0, atol=1e-6)


# All rules by averaging: stored and taken up again, and on several ranks.


def states_of(transport: Transport, rule, topology, rounds: int = 15):
    """A stream's states, one a round; each agent's contributions belong to its id, whichever rank holds it."""
    values = contributions(topology.size)[transport.shard.agents]
    state = rule.begin(values, transport)
    for turn in range(rounds):
        if turn % ROUND == 0:
            transport.advance(turn // ROUND)
            values = values + contributions(topology.size, turn + 1)[transport.shard.agents]
        state = rule.round(state, values, transport)
        yield values, state


@pytest.mark.parametrize("name", AVERAGING)
@pytest.mark.parametrize("faults", ["nothing", "lies"])
def test_a_stored_state_goes_on_as_if_nothing_had_happened(name, faults):
    topology = shared()
    rule = AVERAGING[name].fit(topology, FAULTS[faults])
    transport = faulty(SerialTransport(topology), topology, FAULTS[faults])
    values, state = list(states_of(transport, rule, topology, 8))[-1]
    again = with_rows(rule.begin(values, transport), {key: rows.copy() for key, (_, rows) in rows_of(state).items()})
    ended = []
    for start in (state, again):
        fresh = faulty(SerialTransport(topology), topology, FAULTS[faults])
        ended.append(rule.sums(rule.round(rule.round(start, values, fresh), values, fresh)))
    assert (ended[0] == ended[1]).all()


def shared():
    return generate("small-world", 23, seed=2)


def ended(inner: Transport, name: str, faults: str) -> dict[str, np.ndarray | None]:
    transport = faulty(inner, shared(), FAULTS[faults])
    rule = AVERAGING[name].fit(shared(), FAULTS[faults])
    _, state = list(states_of(transport, rule, shared()))[-1]
    meter = np.array([inner.meter.messages, inner.meter.bytes])
    return {"sums": transport.gather(rule.sums(state)), "meter": transport.total(meter)}


CASES = [(name, faults) for name in AVERAGING for faults in FAULTS]


def main(folder: str) -> None:
    from coolgp.network.mpi import MPITransport, world

    owner = partition(shared(), world().size)
    for name, faults in CASES:
        transport = MPITransport(shared(), owner)
        told = ended(transport, name, faults)
        if transport.root:
            np.savez(Path(folder) / f"{name}-{faults}.npz", **told)


@cache
def serial(name: str, faults: str) -> dict[str, np.ndarray | None]:
    return ended(SerialTransport(shared()), name, faults)


@pytest.mark.parametrize("ranks", [2, 3])
def test_any_number_of_ranks_ends_with_the_same_bits(on_ranks, tmp_path, ranks):
    done = on_ranks(ranks, Path(__file__), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, faults in CASES:
        with np.load(tmp_path / f"{name}-{faults}.npz") as told:
            for part, expected in serial(name, faults).items():
                np.testing.assert_array_equal(told[part], expected, err_msg=f"{name} {faults} {part}", strict=True)


if __name__ == "__main__":
    main(sys.argv[1])
