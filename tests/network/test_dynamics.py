"""Laws of the world: who is there, which links and directions carry messages, and links that come and go."""

import numpy as np
import pytest
from scipy.sparse import csgraph, csr_array
from scipy.spatial.distance import cdist

from coolgp.network.graphs.generate import GENERATORS, generate
from coolgp.network.graphs.schedule import Schedule, arranged, scheduled
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.dynamics import Dynamics, edge_keys
from coolgp.network.links.faults import Absence, Faults
from coolgp.network.links.motion import in_unit_square, moving, reach_for, walk

TROUBLES = {
    "nothing": Faults(),
    "churn": Faults(churn=0.1, absence=4),
    "away": Faults(away=(Absence(3, 1, 4), Absence(5, 2, 3))),
    "one-way": Faults(one_way=0.5),
    "byzantine": Faults(byzantine=3),
    "all": Faults(churn=0.2, absence=2, away=(Absence(0, 0, 2),), one_way=0.7, byzantine=2),
}
every_trouble = pytest.mark.parametrize("faults", TROUBLES.values(), ids=TROUBLES)


def graph() -> Topology:
    return generate("small-world", 30, seed=2)


def pairs(topology: Topology, up: np.ndarray) -> set[tuple[int, int]]:
    return set(zip(topology.tail[up].tolist(), topology.indices[up].tolist(), strict=True))


@every_trouble
def test_an_edge_is_up_only_between_agents_who_are_there(faults):
    world = Dynamics(graph(), faults, seed=1)
    for turn in range(10):
        here, up = world.present(turn), world.up(turn)
        ends = here[world.topology.tail] & here[world.topology.indices]
        np.testing.assert_array_equal(up, ends & world.allowed)


@every_trouble
def test_rounds_may_be_asked_for_in_any_order(faults):
    one, turns = Dynamics(graph(), faults, seed=1), [7, 2, 9, 0, 9, 3]
    for turn in turns:
        fresh = Dynamics(graph(), faults, seed=1)
        np.testing.assert_array_equal(one.present(turn), fresh.present(turn))
        np.testing.assert_array_equal(one.up(turn), fresh.up(turn))


@pytest.mark.parametrize("name", ["churn", "one-way", "byzantine"])
def test_another_seed_gives_another_world(name):
    one, other = (Dynamics(graph(), TROUBLES[name], seed) for seed in (1, 2))
    same = [(one.up(turn) == other.up(turn)).all() for turn in range(10)]
    assert not (all(same) and (one.byzantine == other.byzantine).all())


def test_without_faults_everyone_and_everything_is_up():
    world = Dynamics(graph(), Faults(), seed=0)
    assert world.up(3).all()
    assert world.present(3).all()
    assert not world.byzantine.any()


def test_everyone_is_there_in_the_first_round_of_churn():
    assert Dynamics(graph(), Faults(churn=0.9), seed=0).present(0).all()


def test_churn_takes_and_returns_agents_at_its_rates():
    size, rounds, churn, absence = 2000, 60, 0.05, 4.0
    world = Dynamics(generate("ring", size, seed=0), Faults(churn=churn, absence=absence), seed=3)
    here = np.array([world.present(turn) for turn in range(rounds)])
    before, after = here[:-1], here[1:]
    left, back = ~after[before], after[~before]
    # Shares of this many independent draws lie within 5 standard deviations of their means.
    assert left.mean() == pytest.approx(churn, abs=5 * np.sqrt(churn / left.size))
    assert back.mean() == pytest.approx(1 / absence, abs=5 * np.sqrt(0.25 / back.size))


def test_an_absence_given_lasts_from_leave_to_back():
    world = Dynamics(graph(), Faults(away=(Absence(3, 1, 4), Absence(5, 2, 3))), seed=0)
    gone = [np.flatnonzero(~world.present(turn)).tolist() for turn in range(5)]
    assert gone == [[], [3], [3, 5], [3], []]


@pytest.mark.parametrize("share", [0.3, 1.0])
@pytest.mark.parametrize("kind", GENERATORS)
def test_with_one_way_links_every_agent_reaches_every_other(kind, share):
    world = Dynamics(generate(kind, 30, seed=1), Faults(one_way=share), seed=1)
    tail, head = world.topology.tail[world.up(0)], world.topology.indices[world.up(0)]
    digraph = csr_array((np.ones(len(tail)), (tail, head)), shape=(30, 30))
    assert csgraph.connected_components(digraph, connection="strong")[0] == 1


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_of_one_way_links_is_the_one_asked_for(share):
    world = Dynamics(graph(), Faults(one_way=share), seed=1)
    outside = world.topology.edge_count - (world.topology.size - 1)
    assert (~world.allowed).sum() == round(share * outside)
    keys, size = edge_keys(world.topology), world.topology.size
    tail, head = np.divmod(keys[~world.allowed], size)
    assert world.allowed[np.searchsorted(keys, head * size + tail)].all()  # never both directions


def test_as_many_agents_are_byzantine_as_asked_for():
    assert Dynamics(graph(), Faults(byzantine=7), seed=0).byzantine.sum() == 7


def test_scheduled_links_are_up_from_their_round_to_the_next():
    triangle, when = scheduled([1, 3, 4], [np.array([[0, 1]]), np.array([[2, 1], [1, 2]]), np.empty((0, 2))], size=3)
    world = Dynamics(triangle, Faults(moving=True), 0, when)
    links_up = [pairs(triangle, world.up(turn)) for turn in range(6)]
    assert links_up == [set(), {(0, 1), (1, 0)}, {(0, 1), (1, 0)}, {(1, 2), (2, 1)}, set(), set()]


def test_a_schedule_follows_its_agents_into_another_order():
    labels = ["a", "b", "c", "d"]
    one = scheduled([0, 2], [np.array([[0, 1], [2, 3]]), np.array([[1, 3], [0, 2]])], 4, labels=labels)
    turned, when = arranged(*one, ["c", "a", "d", "b"])
    for turn in range(4):
        names = [
            {(topology.names[a], topology.names[b]) for a, b in pairs(topology, schedule.exists(turn))}
            for topology, schedule in (one, (turned, when))
        ]
        assert names[0] == names[1]


@pytest.fixture(scope="module")
def walkers() -> tuple[np.ndarray, Topology, Schedule]:
    start = np.random.default_rng(0).random((40, 2))
    return np.array(list(walk(start, 0.08, 12, seed=5))), *moving(start, 0.25, 0.08, 12, seed=5)


def test_agents_that_move_are_linked_exactly_when_within_reach(walkers):
    places, topology, when = walkers
    for turn, place in enumerate(places):
        near = np.argwhere((cdist(place, place) <= 0.25) & ~np.eye(40, dtype=bool))
        assert pairs(topology, when.exists(turn)) == set(map(tuple, near.tolist()))


def test_after_the_last_round_moving_agents_stand_still(walkers):
    _, _, when = walkers
    np.testing.assert_array_equal(when.exists(11), when.exists(99))


def test_every_step_has_the_length_of_the_speed_inside_the_square(walkers):
    places, _, _ = walkers
    assert (places >= 0).all()
    assert (places <= 1).all()
    step = np.linalg.norm(np.diff(places, axis=0), axis=2)
    inside = ((places > 0.08) & (places < 0.92)).all(axis=2)[:-1]
    np.testing.assert_allclose(step[inside], 0.08, rtol=1e-12)
    assert (step <= 0.08 * (1 + 1e-12)).all()  # a reflected step ends nearer


def test_directions_drift_but_do_not_jump(walkers):
    places, _, _ = walkers
    step = np.diff(places, axis=0)
    inside = ((places > 0.16) & (places < 0.84)).all(axis=2)[:-2]
    angle = np.arctan2(step[..., 1], step[..., 0])
    turned = np.angle(np.exp(1j * np.diff(angle, axis=0)))[inside]
    assert 0 < np.abs(turned).max() < np.pi / 2


@pytest.mark.parametrize("speed", [0.0, 0.5, 3.7])
def test_walkers_stay_in_the_square_at_any_speed(speed):
    places = np.array(list(walk(np.random.default_rng(0).random((20, 2)), speed, 30, seed=0)))
    assert 0 <= places.min() <= places.max() <= 1
    assert (places[0] == places[-1]).all() == (speed == 0)


def test_agents_that_stand_still_take_no_memory_for_their_rounds():
    _, when = moving(np.random.default_rng(0).random((50, 2)), 0.2, 0.0, 1000, seed=0)
    assert len(when.since) == 1


def test_the_default_reach_gives_the_degree_asked_for():
    topology, _ = moving(np.random.default_rng(0).random((3000, 2)), reach_for(3000, 8), 0.0, 1, seed=0)
    assert topology.degree.mean() == pytest.approx(8, rel=0.05)  # a little less at the borders


def test_positions_of_any_kind_fit_into_the_unit_square():
    given = np.random.default_rng(0).normal(size=(20, 2)) * [100, 1]
    links_up = in_unit_square(given)
    assert (links_up.min(axis=0) == 0).all()
    assert links_up.max() == 1
    np.testing.assert_allclose(np.diff(links_up, axis=0) * np.ptp(given[:, 0]), np.diff(given, axis=0), atol=1e-10)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Dynamics(graph(), Faults(away=(Absence(30, 1, 2),)), 0), r"must be in \[0, 30\); got \[30\]"),
        (lambda: Dynamics(graph(), Faults(byzantine=31), 0), "30 agents cannot have 31 byzantine"),
        (
            lambda: Dynamics(*scheduled([0], [np.array([[0, 1]])], 2)[:1], Faults(), 0, Schedule([0], (), [])),
            "moving=True",
        ),
        (lambda: Absence(1, 3, 3), "come back in a later one; got leave 3 and back 3"),
        (lambda: Faults(loss=1.5), r"loss in \[0, 1\]; got 1.5"),
        (lambda: Faults(burst=0.5), "burst at least 1; got 0.5"),
        (lambda: Faults(loss=0.8, burst=2), "too short to lose a share of 0.8; take burst >= 4"),
        (lambda: Faults(delay=0.5), "delay whole where delays are fixed; got 0.5"),
        (lambda: Faults(bandwidth=0), "bandwidth at least 1 byte; got 0"),
        (lambda: Faults(churn=float("nan")), "churn in"),
        (lambda: scheduled([2, 1], [np.array([[0, 1]])] * 2, 2), r"ascending rounds from 0 on; got \[2, 1\]"),
        (lambda: scheduled([0], [np.array([[0, 2]])], 2), r"agents in \[0, 2\); got agents from 0 to 2"),
        (lambda: moving(np.zeros((3, 2)), 0, 0.1, 5, 0), "reach > 0"),
        (lambda: next(walk(np.full((3, 2), 2.0), 0.1, 5, 0)), "in the unit square"),
        (lambda: next(walk(np.zeros((3, 2)), -0.1, 5, 0)), "speed >= 0; got -0.1"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()
