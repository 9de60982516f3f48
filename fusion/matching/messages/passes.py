"""Messages along a tree of owners: from the leaves to the root, from the root to the leaves, and a token that walks.

A message is a row of numbers of any length; nothing is padded, and no length is announced in numbers of its own. Every
pass yields before each communication round, so that whoever runs it decides how many rounds there are. All are
collective.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from itertools import pairwise
from typing import Generic, TypeAlias, TypeVar

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.matching.core.rooted import RootedTree
from coolgp.network.transport import Transport

__all__ = ["Rounds", "TreeLinks", "Underway", "carried_on", "from_root", "known_to_all", "summed", "to_root"]

T = TypeVar("T")
Rounds: TypeAlias = Generator[None, None, T]
"""Yields before each communication round, and returns what was found."""

Joined: TypeAlias = Callable[[int, Sequence[Array]], Array]
Split: TypeAlias = Callable[[int, Array], Sequence[Array]]
Visit: TypeAlias = Callable[[int, Array], Array]
NOTHING = np.zeros(0)


class TreeLinks:
    """A tree whose links the transport has. agents: of this rank, by global id, with their place on it."""

    def __init__(self, tree: RootedTree, transport: Transport) -> None:
        shard = transport.shard
        self.tree, self.transport = tree, transport
        self.agents = {agent: place for place, agent in enumerate(shard.agents.tolist())}
        self.pairs = list(zip(shard.agents[shard.tail].tolist(), shard.head_agent.tolist(), strict=True))
        self._edges = {pair: edge for edge, pair in enumerate(self.pairs)}

    def levels(self, numbers: Sequence[int]) -> list[list[int]]:
        """This rank's agents with 0, 1, ... of these numbers ``[N]``, heights or depths, by global id."""
        levels: list[list[int]] = [[] for _ in range(self.tree.heights[self.tree.root] + 1)]
        for agent in sorted(self.agents):
            levels[numbers[agent]].append(agent)
        return levels

    def exchanged(self, messages: Mapping[tuple[int, int], Array]) -> dict[tuple[int, int], Array]:
        """One communication round: what agents of this rank send, and what reaches them, by sender and receiver."""
        leaving = sorted((self._edges[pair], numbers) for pair, numbers in messages.items() if len(numbers))
        edges = [np.full(len(numbers), edge) for edge, numbers in leaving]
        rows = [numbers[:, None] for _, numbers in leaving]
        no_rows, no_edges = np.zeros((0, 1)), np.zeros(0, dtype=np.intp)
        delivery = self.transport.send(np.concatenate([no_rows, *rows]), np.concatenate([no_edges, *edges]))
        self.transport.meter.rounds += 1
        ends, starts = np.unique(delivery.edges, return_index=True)
        pieces = np.split(delivery.rows[:, 0], starts[1:])
        return {self.pairs[edge][::-1]: numbers for edge, numbers in zip(ends.tolist(), pieces, strict=False)}


def to_root(joined: Joined, links: TreeLinks) -> Rounds[Array]:
    """Messages from the leaves to the root, as many rounds as it has levels below it.

    joined: from an agent and the messages of its children, by their number, to its own. Returns the root's where the
    root is on this rank, else nothing.
    """
    tree = links.tree
    result: Array = NOTHING
    arrived: dict[tuple[int, int], Array] = {}
    for height, agents in enumerate(links.levels(tree.heights)):
        messages = {
            (agent, tree.parents[agent]): joined(
                agent, [arrived.pop((child, agent), NOTHING) for child in tree.children[agent]]
            )
            for agent in agents
        }
        result = messages.pop((tree.root, -1), result)
        if height < tree.heights[tree.root]:
            yield
            arrived |= links.exchanged(messages)
    return result


def from_root(message: Array, split: Split, links: TreeLinks) -> Rounds[None]:
    """Messages from the root to the leaves, as many rounds as there are levels below it.

    message: what the root has, on its rank. split: from an agent and its message to those for its children.
    """
    tree = links.tree
    arrived = {tree.root: message}
    for depth, agents in enumerate(links.levels(tree.depths)):
        messages = {
            (agent, child): below
            for agent in agents
            for child, below in zip(tree.children[agent], split(agent, arrived.get(agent, NOTHING)), strict=True)
        }
        if depth < tree.heights[tree.root]:
            yield
            arrived = {receiver: numbers for (_, receiver), numbers in links.exchanged(messages).items()}


def carried_on(token: Array, visit: Visit, links: TreeLinks) -> Rounds[Array]:
    """A token that goes along every link down and up, and visits each agent when it first meets it.

    token: what the root starts with, on its rank. visit: from an agent and the token to what it hands on. Returns the
    token back at the root where that is on this rank, else nothing.
    """
    tour = links.tree.tour
    met = {tour[0]}
    if tour[0] in links.agents:
        token = visit(tour[0], token)
    for holder, receiver in pairwise(tour):
        messages = {(holder, receiver): token} if holder in links.agents else {}
        yield
        token = links.exchanged(messages).get((holder, receiver), NOTHING)
        if receiver in links.agents and receiver not in met:
            token = visit(receiver, token)
        met.add(receiver)
    return token


def known_to_all(message: Array, links: TreeLinks) -> Rounds[Array]:
    """What the root has, on every rank; message: as for :func:`from_root`."""
    message_of_root = message

    def split(agent: int, arrived: Array) -> list[Array]:
        nonlocal message_of_root
        message_of_root = arrived
        return [arrived] * len(links.tree.children[agent])

    yield from from_root(message, split, links)
    return message_of_root


def summed(rows: Array, links: TreeLinks) -> Rounds[Array]:
    """The sum ``[P]`` of all agents' rows ``[A, P]``: subtree by subtree to the root, and from there to everybody."""

    def joined(agent: int, messages: Sequence[Array]) -> Array:
        total: Array = sum(messages, start=rows[links.agents[agent]])
        return total

    total = yield from to_root(joined, links)
    return (yield from known_to_all(total, links))


class Underway(Generic[T]):
    """Communication rounds, run as many at a time as is asked for. result: what they return; None before the last."""

    def __init__(self, rounds: Rounds[T]) -> None:
        self._rounds = rounds
        self.result: T | None = None
        self.run(1)  # up to the first of them

    def run(self, count: int) -> None:
        """So many rounds, or those that are left."""
        for _ in range(count):
            try:
                next(self._rounds)
            except StopIteration as end:
                self.result = end.value if self.result is None else self.result
                return

    def settle(self) -> T:
        """All that are left."""
        while self.result is None:
            self.run(1)
        return self.result
