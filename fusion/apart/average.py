"""The average of weights, coordinate by coordinate, and federated averaging, which trains on from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal
from zlib import crc32

import numpy as np
from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.task import with_network
from coolgp.fusion.apart.members import Fused, Members, asked, known_to_all, networks_of
from coolgp.fusion.apart.packing import flat, shaped
from coolgp.fusion.apart.summed import Carried, SummedRule, counted
from coolgp.network.transport import Transport

__all__ = ["Average", "shapes_of"]


@dataclass(frozen=True)
class Average(SummedRule):
    """Networks of one shape averaged weight by weight, though units of networks trained apart have no common order.

    weights: "uniform", or by each owner's "rows". local_epochs: passes that each agent trains on from its average after
    each round but the last; above 0 this is federated averaging.
    """

    weights: Literal["uniform", "rows"] = "uniform"
    local_epochs: Annotated[int, Field(ge=0)] = 0

    def rows(self, members: Members, transport: Transport) -> Array:
        """All weights and biases, and the agent's own weight ``[A, P + 1]``."""
        networks = networks_of(members, transport, "average")
        _check_shapes(networks, transport)
        networks = self.prepared(networks, members, transport)
        numbers = [1.0 if self.weights == "uniform" else float(len(rows.y)) for rows in members.rows]
        weighted: Array = counted(np.array([flat(each) for each in networks])) * np.array(numbers)[:, None]
        return weighted

    def prepared(self, networks: list[Network], members: Members, transport: Transport) -> list[Network]:
        """The networks ``[A]`` as they are averaged. Collective."""
        return networks

    def read(self, sums: Array, members: Members, transport: Transport) -> Fused:
        """The predictions of each agent's own average."""
        networks = self._averages(sums, members)
        experts = [with_network(*both) for both in zip(members.experts, networks, strict=True)]
        return Fused(asked(experts, members), np.array([float(network.size) for network in networks]))

    def further(self, state: Carried, members: Members, transport: Transport, round: int) -> Members:
        """See `TrainsFurther`."""
        assert members.trained_on is not None  # looked at where the run is put together
        starts = self._averages(self.carrier.sums(state.inner), members)
        experts = [members.trained_on(agent, network, self.local_epochs, round) for agent, network in enumerate(starts)]
        return replace(members, experts=tuple(experts))

    def again(self, state: Carried, members: Members, transport: Transport) -> Carried:
        """See `TrainsFurther`."""
        return self.init(members, transport)

    def _averages(self, sums: Array, members: Members) -> list[Network]:
        """The network of each agent; its own where what it has of the sum is no number."""
        own = [expert.parameters for expert in members.experts]
        with np.errstate(all="ignore"):
            means = sums[:, :-1] / sums[:, -1:]
        return [
            shaped(mean, shapes_of(network), network) if np.isfinite(mean).all() else network
            for mean, network in zip(means, own, strict=True)
        ]


def shapes_of(network: Network) -> list[tuple[int, ...]]:
    """Of all weights, then all biases."""
    return [array.shape for array in (*network.weights, *network.biases)]


def _check_shapes(networks: list[Network], transport: Transport) -> None:
    """Refuse networks of different shapes, on all ranks."""
    of_all = known_to_all([_shape_number(network) for network in networks], transport)
    if (of_all != of_all[0]).any():
        agent = int(np.flatnonzero(of_all != of_all[0])[0])
        raise ValueError(
            f'fusion.rule: "average" needs networks of one shape, and that of agent {agent} is another than that of '
            'agent 0: take fusion.rule = "ensemble"'
        )


def _shape_number(network: Network) -> float:
    """A number that tells shapes, activations and orders of classes apart."""
    classes = None if network.classes is None else network.classes.tolist()
    shape = (network.inputs, network.widths, len(network.biases[-1]), network.activation, classes)
    return float(crc32(repr(shape).encode()))
