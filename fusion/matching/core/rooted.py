"""A tree of groups with a root: who merges with whom, and the ways of messages and of a token along its links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

__all__ = ["RootedTree", "rooted_tree"]


@dataclass(frozen=True)
class RootedTree:
    """parents ``[J]``, -1 for the root; children: of each group, by their number."""

    parents: tuple[int, ...]
    children: tuple[tuple[int, ...], ...]

    @cached_property
    def root(self) -> int:
        """The group without a parent."""
        return self.parents.index(-1)

    @cached_property
    def downward(self) -> tuple[int, ...]:
        """All groups, parents before children, level by level."""
        order = [self.root]
        for group in order:
            order += self.children[group]
        return tuple(order)

    @cached_property
    def depths(self) -> tuple[int, ...]:
        """Links from each group to the root."""
        depths = [0] * len(self.parents)
        for group in self.downward[1:]:
            depths[group] = depths[self.parents[group]] + 1
        return tuple(depths)

    @cached_property
    def heights(self) -> tuple[int, ...]:
        """Links from each group to the farthest one below it."""
        heights = [0] * len(self.parents)
        for group in self.downward[:0:-1]:
            heights[self.parents[group]] = max(heights[self.parents[group]], heights[group] + 1)
        return tuple(heights)

    @cached_property
    def tour(self) -> tuple[int, ...]:
        """The groups that a token passes on its way from the root along every link, down and up, and back.

        >>> rooted_tree([-1, 0, 0, 1]).tour
        (0, 1, 3, 1, 0, 2, 0)
        """
        way, waiting = [self.root], [iter(self.children[self.root])]
        while waiting:
            child = next(waiting[-1], None)
            if child is not None:
                way.append(child)
                waiting.append(iter(self.children[child]))
                continue
            waiting.pop()
            if waiting:
                way.append(self.parents[way[-1]])
        return tuple(way)

    @cached_property
    def walk(self) -> tuple[int, ...]:
        """All groups, in the order in which the token first meets them."""
        return tuple(dict.fromkeys(self.tour))


def rooted_tree(parents: Sequence[int]) -> RootedTree:
    """The tree with ``parents [J]``, -1 for its root. Raises ValueError unless they make one."""
    size = len(parents)
    children: list[list[int]] = [[] for _ in range(size)]
    for group, parent in enumerate(parents):
        if 0 <= parent < size:
            children[parent].append(group)
    tree = RootedTree(tuple(parents), tuple(map(tuple, children)))
    if tuple(parents).count(-1) != 1 or len(tree.downward) != size:
        raise ValueError(f"Merging needs a tree of all groups with one root, -1; got the parents {list(parents)}")
    return tree
