"""Laws of shares by groups of agents, where there are more agents than numbers: never more than was mixed in.

The twin mixes a column of each agent's own, over the same links and faults.
"""

import numpy as np
import pytest

from coolgp.fusion.registry import SUM_RULES, rule_named
from coolgp.fusion.sums.counted_once import CountedOnce
from coolgp.fusion.sums.shares import group_members, share_groups
from coolgp.network.graphs.generate import generate
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Absence, Faults
from coolgp.network.serial import SerialTransport

AVERAGING = [name for name in SUM_RULES if SUM_RULES[name].averages]
LONER, GROUPS = 7, 32
GRAPHS = {
    "ring": generate("ring", 300, seed=1),
    "small-world": generate("small-world", 200, seed=1),
    "random-regular": generate("random-regular", 300, seed=1),
}
FAULTS = {
    "none": PERFECT,
    "absence": Faults(away=(Absence(LONER, 0, 99),)),
    "late joiner": Faults(away=(Absence(LONER, 0, 2),)),
    "loss": Faults(loss=0.4),
    "churn": Faults(churn=0.4, absence=2.0),
}


class Books:
    """Rows ``[observations, 1]`` through a rule with shares of groups; observations grow by the turn."""

    def __init__(self, name, graph, faults, turns, exchanges, alike=False) -> None:
        rule = rule_named(name, {"share_groups": GROUPS}).fit(graph, faults)
        self.once, self.size = CountedOnce(rule=rule, observed=0), graph.size
        transports = [SerialTransport(rule.links(graph)) for _ in range(2)]
        if not faults.perfect:
            transports = [FaultyTransport(each, Dynamics(graph, faults, 5), faults, 5) for each in transports]
        self.agents = transports[0].shard.agents
        first = np.full(self.size, 4.0) if alike else np.random.default_rng(2).integers(1, 9, self.size).astype(float)
        state = self.once.begin(np.zeros((self.size, 2)), transports[0])
        twin = rule.begin(np.zeros((self.size, self.size)), transports[1])
        for turn in range(turns):
            for transport in transports:
                transport.advance(turn)
            self.seen = first[self.agents] * (turn + 1)
            rows = np.stack([self.seen, np.ones(self.size)], axis=1)
            state = self.once.rounds(state, rows, transports[0], exchanges)
            book = np.zeros((self.size, self.size))
            book[np.arange(self.size), self.agents] = self.seen
            twin = rule.rounds(twin, book, transports[1], exchanges)
        self.sums = self.once.sums(state)
        self.amounts = rule.sums(twin)[:, self.agents]  # observations of each in N times the mean
        alone = np.isclose(self.sums[:, 1:], 1.0, rtol=1e-12) & (self.sums[:, 0] == self.seen)[:, None]
        self.amounts = np.where(alone, np.diag(self.seen), self.amounts)
        self.scale = self.sums[:, :1] / self.amounts.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("name", AVERAGING)
@pytest.mark.parametrize(("turns", "exchanges"), [(1, 1), (1, 4), (3, 2), (2, 40)])
def test_nobody_of_a_group_is_counted_more_than_once(graph, name, turns, exchanges):
    books = Books(name, GRAPHS[graph], PERFECT, turns, exchanges, alike=True)
    shares = books.scale * books.amounts / books.seen
    assert shares.max() <= 1.0 + 1e-6
    assert (books.sums[:, 0] >= books.seen * (1.0 - 1e-6)).all()  # and nobody has less than its own


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", AVERAGING)
@pytest.mark.parametrize(("turns", "exchanges"), [(1, 1), (3, 3), (2, 30)])
def test_who_observed_less_counts_as_its_group_does_on_average_at_most(fault, name, turns, exchanges):
    books = Books(name, GRAPHS["small-world"], FAULTS[fault], turns, exchanges)
    group = share_groups(books.size, GROUPS)[books.agents]
    usual = np.bincount(group, weights=books.seen) / group_members(books.size, GROUPS)
    counted = books.scale * books.amounts
    assert (counted <= np.maximum(books.seen, usual[group]) * (1 + 1e-6)).all()
    if fault == "absence":
        place = int(np.flatnonzero(books.agents == LONER)[0])
        np.testing.assert_allclose(books.sums[place], [books.seen[place], 1.0], rtol=1e-9)


@pytest.mark.parametrize("name", AVERAGING)
def test_groups_count_all_in_the_end(name):
    books = Books(name, GRAPHS["random-regular"], PERFECT, 1, 300)
    np.testing.assert_allclose(books.sums[:, 0], books.seen.sum(), rtol=0.5 if name == "gossip" else 1e-6)


@pytest.mark.parametrize("graph", GRAPHS)
def test_after_one_exchange_most_agents_count_all_that_they_heard(graph):
    books = Books("consensus", GRAPHS[graph], PERFECT, 1, 1, alike=True)
    exact = 1.0 / (books.amounts / books.seen).max(axis=1)
    assert np.median(books.scale[:, 0] / exact) == pytest.approx(1.0)
