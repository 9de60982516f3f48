"""Laws of lost messages: how many, in which bursts, and whose fate is shared."""

import numpy as np
import pytest

from coolgp.network.delivery import Delivery
from coolgp.network.graphs.connectivity import spanning_tree
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import Faults

from tests.network.channels import channel, listen, numbered, ring, same


def lost_ticks(faults: Faults, edges: int, ticks: int) -> np.ndarray:
    """[ticks, edges] whether each row was lost."""
    transport = channel(faults, ring(edges // 2))
    arrived = np.zeros((ticks, edges), dtype=bool)
    for tick, came in enumerate(listen(transport, ticks)):
        arrived[tick, came.edges] = True
    assert transport.meter.lost == (~arrived).sum()
    return ~arrived


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.5])
def test_the_share_of_lost_messages_is_the_loss(loss):
    lost = lost_ticks(Faults(loss=loss), 400, 200)
    assert lost.mean() == pytest.approx(loss, abs=5 * np.sqrt(loss / lost.size))


def test_losses_without_bursts_are_independent_over_time_and_over_links():
    lost = lost_ticks(Faults(loss=0.3), 400, 200)
    twice = 5 * np.sqrt(0.09 / lost.size)
    assert (lost[1:] & lost[:-1]).mean() == pytest.approx(0.09, abs=twice)
    assert (lost[:, 1:] & lost[:, :-1]).mean() == pytest.approx(0.09, abs=twice)


@pytest.mark.parametrize("loss, burst", [(0.1, 5.0), (0.4, 3.0), (0.5, 1.0)])
def test_bursts_have_their_mean_length_and_share(loss, burst):
    lost = lost_ticks(Faults(loss=loss, burst=burst), 1000, 400)
    ends = (lost[:-1] & ~lost[1:]).sum()
    # Neighbouring ticks are not independent: a burst counts as one draw.
    assert lost.mean() == pytest.approx(loss, abs=10 * np.sqrt(loss * burst / lost.size))
    assert ends / lost[:-1].sum() == pytest.approx(1 / burst, abs=5 / np.sqrt(lost.sum()))


def test_bursts_are_stationary_from_the_first_tick_on():
    lost = lost_ticks(Faults(loss=0.3, burst=10), 20_000, 2)
    np.testing.assert_allclose(lost.mean(axis=1), 0.3, atol=5 * np.sqrt(0.21 / 20_000))


def test_all_rows_on_an_edge_share_its_fate():
    transport = channel(Faults(loss=0.5), ring(50))
    edges = np.repeat(np.arange(100), 3)
    came = transport.send(np.arange(300.0)[:, None], edges)
    assert set(np.bincount(came.edges, minlength=100)) == {0, 3}
    assert transport.meter.lost == 100 - len(np.unique(came.edges))


def test_what_happens_on_a_link_does_not_depend_on_what_others_send():
    alone, together = (channel(Faults(loss=0.5, delay=1, delays="geometric"), ring(50)) for _ in range(2))
    some = np.arange(0, 100, 7)
    for tick in range(10):
        rows = numbered(alone, tick)
        few, many = alone.send(rows[some], some), together.send(rows)
        picked = np.isin(many.rows[:, 0] * 50 + many.rows[:, 1], rows[some, 0] * 50 + rows[some, 1])
        assert same(few, Delivery(many.edges[picked], many.rows[picked]))


def test_a_part_of_the_graph_has_the_fates_of_the_whole():
    graph, faults = generate("small-world", 30, seed=2), Faults(loss=0.4, one_way=0.5)
    whole, part = channel(faults, graph), channel(faults, graph, part=spanning_tree(graph))
    for tick in range(5):
        came, few = whole.send(numbered(whole, tick)), part.send(numbered(part, tick))
        pairs, inside = came.rows[:, 0] * 30 + came.rows[:, 1], part.shard
        known = np.isin(pairs, inside.agents[inside.tail] * 30 + inside.head_agent)
        order = [np.lexsort(rows[:, 1::-1].T) for rows in (came.rows[known], few.rows)]
        np.testing.assert_array_equal(came.rows[known][order[0]], few.rows[order[1]])


@pytest.mark.parametrize("faults", [Faults(loss=0.5), Faults(delay=1, delays="geometric")], ids=["loss", "delay"])
def test_other_lanes_have_fates_of_their_own(faults):
    transport = channel(faults, ring(200))
    one, other = (transport.send(numbered(transport, 0), tag=tag) for tag in ("values", "have"))
    assert not np.array_equal(one.edges, other.edges)
