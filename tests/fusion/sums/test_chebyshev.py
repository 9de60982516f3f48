"""How many rounds averaging takes: what the spectral gap predicts, plain and by Chebyshev polynomials."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.fusion.sums.chebyshev import Chebyshev, chebyshev_rounds
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import PERFECT
from coolgp.network.mixing import metropolis
from coolgp.network.serial import SerialTransport

from tests.fusion.sums.averaging import PLAIN, SUMMING, contributions, off


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
