"""The section [network]: the graph along which agents communicate, and its faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from coolgp.network.links.faults import Absence, Faults
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.constraints import Names
from coolgp.scenarios.config.section import Count, Positive, Settings, Share

__all__ = ["GRAPHS", "Away", "GraphSettings", "NetworkSettings", "faults_of"]

TOPOLOGY_SUFFIXES = (".graphml", ".csv", ".txt", ".edges", ".edgelist", ".gml")


@dataclass(frozen=True, kw_only=True)
class GraphKeys:
    """What the keys of [network] mean to one kind of generated graph.

    options: the generator's own parameters, from degree and rewiring. even: whether `degree` must be even. near:
    whether agents are linked where they are close, so that they can move.
    """

    options: Callable[[int, float], dict[str, float]] = lambda *_: {}
    even: bool = False
    near: bool = False


GRAPHS = {
    "ring": GraphKeys(),
    "grid": GraphKeys(),
    "small-world": GraphKeys(options=lambda degree, rewiring: {"neighbours": degree, "rewiring": rewiring}, even=True),
    "random-regular": GraphKeys(options=lambda degree, _: {"degree": degree}),
    "erdos-renyi": GraphKeys(options=lambda degree, _: {"mean_degree": degree}),
    "geometric": GraphKeys(options=lambda degree, _: {"mean_degree": degree}, near=True),
    "scale-free": GraphKeys(options=lambda degree, _: {"links": max(1, degree // 2)}),
    "random-tree": GraphKeys(),
    "star": GraphKeys(),
    "complete": GraphKeys(),
}
"""The graphs of `coolgp.network.graphs.generate`, by name: naming one needs none of them."""


class Away(Settings):
    """One agent that leaves the network for some rounds of learning."""

    agent: str = Field(description="the agent's name")
    leave: Count = Field(description="the first round of learning, from 1, in which it is away")
    back: Count = Field(description="the round of learning in which it is there again")


class GraphSettings(Settings):
    """The graph along which agents communicate, and messages that are lost on it."""

    topology: Annotated[str, Names(lambda: tuple(GRAPHS), TOPOLOGY_SUFFIXES)] = Field(
        default="small-world",
        description="a generated graph, or a GraphML or edge-list file; an edge list with the header round,tail,head "
        "names the links that are there from a round of learning on",
    )
    degree: Count = Field(
        default=4,
        description="neighbours of an agent, or their mean number (small-world, random-regular, erdos-renyi, "
        "geometric, scale-free)",
    )
    rewiring: Share = Field(default=0.1, description="probability that a link is rewired (small-world)")
    partition: Literal["contiguous", "metis"] = Field(
        default="contiguous", description="how agents are dealt to MPI ranks"
    )
    loss: float = Field(default=0.0, ge=0, lt=1, description="share of messages that are lost on the way")
    burst: float | None = Field(
        default=None,
        ge=1,
        description="mean length, in communication rounds, of the bursts in which a link loses everything "
        "(Gilbert-Elliott); without it losses are independent of one another",
    )

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse keys that contradict the kind of graph, or say nothing without one another."""
        topology, degree = values.get("topology"), values.get("degree")
        graph = GRAPHS.get(topology or "")
        conflicts = []
        if graph and graph.even and degree is not None and degree % 2:
            conflicts.append(("degree", f'needed an even number for "{topology}", half on either side; got {degree}'))
        burst, loss = values.get("burst"), values.get("loss")
        if burst is not None and loss == 0:
            conflicts.append(("burst", "says how losses come together: it needs network.loss above 0"))
        elif burst is not None and loss is not None and burst < loss / (1 - loss):
            least = f"at least {loss / (1 - loss):.3g}, as no spell without losses is shorter than a round"
            conflicts.append(("burst", f"with a loss of {loss} needed {least}; got {burst}"))
        return conflicts

    @property
    def is_file(self) -> bool:
        """Whether the topology is read from a file."""
        return self.topology not in GRAPHS

    @property
    def graph_options(self) -> dict[str, float]:
        """The parameters of the generator of this kind of graph, under its own names."""
        return GRAPHS[self.topology].options(self.degree, self.rewiring)


class NetworkSettings(GraphSettings):
    """The graph along which agents communicate, and all that can go wrong on it."""

    delay: float = Field(
        default=0.0, ge=0, description="communication rounds that a message takes beyond the one in which it is sent"
    )
    delays: Literal["fixed", "geometric"] = Field(
        default="fixed", description="whether every message takes that long, or as long in the mean"
    )
    bandwidth: Count | None = Field(
        default=None,
        description="bytes that a link carries in a communication round; a larger message takes several, in which the "
        "link takes no other",
    )
    churn: Share = Field(
        default=0.0, description="probability that an agent leaves the network at the start of a round of learning"
    )
    absence: float = Field(
        default=3.0, ge=1, description="mean number of rounds of learning that such an agent stays away"
    )
    away: Annotated[tuple[Away, ...], Strict(False)] = Field(
        default=(), description='agents that leave and come back: {agent = "name", leave = round, back = round}, from 1'
    )
    one_way: Share = Field(
        default=0.0, description="share of the links outside a spanning tree that carry messages in one direction only"
    )
    byzantine: int = Field(default=0, ge=0, description="number of agents that send garbage in place of what they know")
    speed: float = Field(
        default=0.0,
        ge=0,
        description="how far every agent moves in a round of learning, on a unit square; agents that are within reach "
        "are linked (geometric graphs, or files with positions)",
    )
    reach: Positive | None = Field(
        default=None,
        description="distance up to which moving agents are linked; default that of `degree` neighbours in the mean",
    )

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse keys that contradict one another too."""
        conflicts, graph = super().conflicts(values), GRAPHS.get(values.get("topology") or "")
        delay = values.get("delay")
        if values.get("delays") == "geometric" and delay == 0:
            conflicts.append(("delays", "says how delays vary: it needs network.delay above 0"))
        if values.get("delays") == "fixed" and delay is not None and delay % 1:
            conflicts.append(("delay", f'a fixed delay needs whole rounds, or delays = "geometric"; got {delay}'))
        conflicts += [("away", complaint) for complaint in _backwards(values.get("away") or ())]
        if values.get("speed") and graph and not graph.near:
            why = "agents that move are linked where they are close"
            conflicts.append(("speed", f"{why}: it needs topology = {_near()}, or a file with positions"))
        if values.get("reach") is not None and values.get("speed") == 0:
            conflicts.append(("reach", "says which moving agents are linked: it needs network.speed above 0"))
        return conflicts


def faults_of(network: NetworkSettings, agents: Sequence[str], *, moving: bool = False) -> Faults:
    """The faults of the network of these agents; moving: whether links come and go.

    Raises ConfigError, naming every agent that is not there and a number of byzantine agents that leaves nobody honest.
    """
    place = {name: i for i, name in enumerate(agents)}
    problems = [
        f'network.away: there is no agent "{away.agent}"; agents: {_some(agents)}'
        for away in network.away
        if away.agent not in place
    ]
    if network.byzantine >= len(agents):
        problems.append(f"network.byzantine: needed fewer than the {len(agents)} agents; got {network.byzantine}")
    if problems:
        raise ConfigError(*problems)
    return Faults(
        loss=network.loss,
        burst=network.burst,
        delay=network.delay,
        delays=network.delays,
        bandwidth=network.bandwidth,
        churn=network.churn,
        absence=network.absence,
        away=tuple(Absence(place[away.agent], away.leave - 1, away.back - 1) for away in network.away),
        one_way=network.one_way,
        byzantine=network.byzantine,
        moving=moving,
    )


def _backwards(away: Sequence[Away | Mapping[str, Any]]) -> list[str]:
    """Complaints about agents that come back before they leave; tables that are wrong anyway are left out."""
    absences = [each for each in away if isinstance(each, Away)]
    absences += [Away(**each) for each in away if isinstance(each, Mapping)]
    return [
        f"needed a round to come back in after the one to leave in; got leave = {each.leave}, back = {each.back}"
        for each in absences
        if each.back <= each.leave
    ]


def _near() -> str:
    return " or ".join(f'"{name}"' for name, graph in GRAPHS.items() if graph.near)


def _some(agents: Sequence[str], limit: int = 5) -> str:
    return ", ".join(agents[:limit]) + (", ..." if len(agents) > limit else "")
