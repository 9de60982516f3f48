"""Experts whose product is known, and CIGAR among them on one rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coolgp.agents.experts.expert import Regressor
from coolgp.agents.experts.queries.black_box import BlackBox, DensityExpert
from coolgp.fusion.blackbox.cigar import Cigar
from coolgp.fusion.blackbox.climb import Climb
from coolgp.fusion.blackbox.panel import Panel
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.serial import SerialTransport

Numbers = npt.NDArray[np.float64]


def gaussian(name: str, mean: Numbers, std: Numbers) -> BlackBox:
    """An expert that says the same at rows 0, 1, ..., whose only column is their number."""
    return BlackBox(Regressor(name, lambda x: (mean[x[:, 0].astype(int)], std[x[:, 0].astype(int)])))


def gaussians(mean: Numbers, std: Numbers) -> list[BlackBox]:
    return [gaussian(f"expert {i}", *each) for i, each in enumerate(zip(mean, std, strict=True))]


def drawn(seed: int, experts: int, queries: int) -> tuple[Numbers, Numbers]:
    """Means and standard deviations ``[m, Q]``."""
    rng = np.random.default_rng(seed)
    return 3.0 * rng.normal(size=(experts, queries)), rng.uniform(0.5, 2.0, size=(experts, queries))


def density(name: str, log_density: Any, start: float, std: float | None = 1.0) -> BlackBox:
    """An expert that answers densities alone, the same at all inputs."""
    expert = DensityExpert(name, lambda x, y: log_density(y), lambda x: np.full(len(x), start))
    return BlackBox(expert, queries=None, std=std)


class Run:
    """CIGAR to its end, or for so many sums, over a graph on one rank."""

    def __init__(
        self,
        boxes: Sequence[BlackBox],
        queries: int,
        graph: str | Topology = "ring",
        sums: int | None = None,
        rounds: int | None = None,
        faults: Faults = PERFECT,
        **settings: Any,
    ) -> None:
        topology = generate(graph, len(boxes), 0) if isinstance(graph, str) else graph
        self.rule = Cigar(**settings).fit(topology, faults)
        self.transport = SerialTransport(self.rule.links(topology))
        self.order = self.transport.shard.agents
        self.boxes = [boxes[agent] for agent in self.order]
        panel = Panel(self.boxes, np.arange(queries, dtype=float)[:, None])
        self.path = [self.rule.begin(panel, self.transport)]
        if rounds is not None:
            self.path.append(self.rule.spoken(self.climb, panel, self.transport, rounds))
            return
        while not self.climb.done and (sums is None or len(self.path) <= sums):
            self.path.append(self.rule.summed_once(self.climb, panel, self.transport))

    @property
    def climb(self) -> Climb:
        return self.path[-1]

    @property
    def mean(self) -> Numbers:
        """By global id ``[N, Q]``."""
        return self.rule.mean(self.climb, self.transport)[np.argsort(self.order)]

    @property
    def variance(self) -> Numbers:
        return self.rule.variance(self.climb, self.transport)[np.argsort(self.order)]

    def means(self) -> list[Numbers]:
        """After each sum."""
        return [self.rule.mean(climb, self.transport)[np.argsort(self.order)] for climb in self.path]
