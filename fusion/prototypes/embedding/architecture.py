"""The six networks of an embedding, as places in one vector.

Axes: ``D`` inputs, ``K`` classes, ``T`` numbers of a task's descriptor, ``P`` numbers of all networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.prototypes.embedding.mlp import backward, forward, initial, size

__all__ = ["Architecture"]


@dataclass(frozen=True)
class Architecture:
    """Sizes of the networks. style: numbers of ``w``, what answers do not depend on; concept: of ``z``, what they do.

    ``decoder``: (w, z) to logits of the inputs; ``head``: z to logits of the classes; ``prior``: a descriptor to mean
    and log variance of w; ``concept``: (x, answer) to those of z; ``style``: (x, descriptor) to those of w; ``critic``:
    w to logits of the classes.
    """

    inputs: int
    classes: int
    descriptor: int
    style: int = 2
    concept: int = 5
    hidden: int = 100

    @cached_property
    def units(self) -> dict[str, tuple[int, ...]]:
        """Of each network, in the order in which they stand in the vector; the critic is the last."""
        two = (self.hidden, self.hidden)
        return {
            "decoder": (self.style + self.concept, *two, self.inputs),
            "head": (self.concept, *two, self.classes),
            "prior": (self.descriptor, self.hidden, 2 * self.style),
            "concept": (self.inputs + self.classes, *two, 2 * self.concept),
            "style": (self.inputs + self.descriptor, *two, 2 * self.style),
            "critic": (self.style, *two, self.classes),
        }

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where each network stands in the vector."""
        ends = np.cumsum([size(units) for units in self.units.values()]).tolist()
        return {name: slice(start, end) for name, start, end in zip(self.units, [0, *ends], ends, strict=False)}

    @property
    def last_layer(self) -> slice:
        """The last layer of the head, which a class that no expert knows needs."""
        end = self.places["head"].stop
        return slice(end - (self.hidden + 1) * self.classes, end)

    def initial(self, random: np.random.Generator) -> Array:
        """Starting weights ``[P]``."""
        return np.concatenate([initial(units, random) for units in self.units.values()])

    def forward(self, numbers: Array, net: str, *inputs: Array) -> tuple[Array, list[Array]]:
        """What a network answers ``[..., O]`` to inputs side by side, and what went into its layers."""
        return forward(numbers[self.places[net]], self.units[net], np.concatenate(inputs, axis=-1))

    def backward(self, numbers: Array, net: str, entering: list[Array], slope: Array, gradient: Array) -> Array:
        """Write a network's derivatives into its place of the gradient ``[P]``; return those by its inputs."""
        at = self.places[net]
        gradient[at], by_inputs = backward(numbers[at], self.units[net], entering, slope)
        return by_inputs
