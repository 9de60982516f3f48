"""Speeds on a road network over a day, drawn from the seed: queues that grow out of the centre in two rush hours.

After the AIMPEAK domain of the literature, whose data are not public: mean speeds on 775 road segments in five-minute
slots. Its inputs were length, lanes, speed limit, direction and time, with segments embedded by multidimensional
scaling of the network. Here, too, there are five inputs and a Gaussian process on them is sensible: a segment is given
by where it is (two kilometre coordinates, which such a scaling would recover but for a rotation), by its speed limit
and by how far it leads into the city; length and lanes say nothing of these speeds and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.data.functions import UnitFunction, draw_function
from coolgp.scenarios.data.roads import Roads, draw_roads
from coolgp.scenarios.data.table import Table

__all__ = [
    "FEATURES",
    "FIRST",
    "LAST",
    "SLOT",
    "Traffic",
    "draw_traffic",
    "load_traffic",
    "rush_hours",
    "traffic_table",
]

FEATURES = ("east", "north", "speed_limit", "inbound", "time")
"""Km (twice), km/h, 1 straight into the city to -1 straight out of it, hours after midnight."""
FIRST, LAST, SLOT = 5.0, 22.0, 1 / 12
"""The day, and a slot of it, hours."""
WORST = np.array([0.5, 0.8, 0.75])
"""Share of its speed that each class of roads can lose, by its place in `CLASSES`."""
RUSHES = ((8.0, 0.9, 1.0), (18.0, 1.2, -1.0))
"""Hour of the worst queue in the centre, hours it lasts, and the direction that is full: 1 is in, -1 out."""
QUEUE_SPEED = 15.0
"""At which a queue grows out of the centre, km/h."""
REACH = 8.0
"""Km by road over which queues fade."""
NOISE_STD = 2.5
"""Of an observed mean speed, km/h: the slowest road that is possible is almost five of them above standstill."""
LUCK = 3.0, 2.5
"""Length-scales of what makes a place and time better or worse than usual: km, hours."""
ALWAYS = 0.2
"""How jammed the centre is outside the rush hours."""


@dataclass(frozen=True)
class Traffic:
    """What the speeds of a day are: the roads, and how much worse or better than usual each place and time is."""

    roads: Roads
    luck: UnitFunction
    """Of km east and north and hours, each in its length-scale."""

    def speed(self, segment: Ints, time: Floats) -> Floats:
        """Km/h on segments `[n]` at times `[n]` (hours), without noise."""
        roads = self.roads
        place = np.column_stack([roads.middle[segment] / LUCK[0], time / LUCK[1]])
        usual = _queue(roads.depth[segment], roads.inbound[segment], time)
        jam = usual * (1 + 0.5 * np.tanh(self.luck(place)))
        speed: Floats = roads.limit[segment] * (1 - WORST[roads.kind[segment]] * np.minimum(jam, 1))
        return speed

    def inputs(self, segment: Ints, time: Floats) -> Floats:
        """The columns `FEATURES` `[n,5]`."""
        roads = self.roads
        return np.column_stack([roads.middle[segment], roads.limit[segment], roads.inbound[segment], time])


def draw_traffic(seed: int, segments: int = 775) -> Traffic:
    """Draw the roads of a seed and the speeds on them."""
    return Traffic(draw_roads(seed, segments), draw_function(seed, "road luck", 3, features=200))


def traffic_table(seed: int, agent: str | None = None, segments: int = 775) -> Table:
    """Return all segments in all slots from 5 to 22 hours, slot by slot, with noise; `truth` is without.

    agent: "segment", where each segment is an agent's. Raises DataError for another.
    """
    if agent not in (None, "segment"):
        raise DataError(f'road: agents can be named by segment; got "{agent}"')
    traffic, slots = draw_traffic(seed, segments), round((LAST - FIRST) / SLOT)
    segment = np.tile(np.arange(segments), slots)
    time = np.repeat(FIRST + SLOT * (0.5 + np.arange(slots, dtype=np.float64)), segments)
    truth = traffic.speed(segment, time)
    noise = NOISE_STD * generator(seed, "road noise").standard_normal(truth.size)
    labels = None if agent is None else tuple(map(str, segment.tolist()))
    return Table(
        x=traffic.inputs(segment, time),
        y=truth + noise,
        features=FEATURES,
        target="speed",
        labels=labels,
        truth=truth,
        views=rush_hours(traffic),
    )


def rush_hours(traffic: Traffic) -> Floats:
    """The inputs `[2 S,5]` of all segments `[S]` at each rush hour, one after the other."""
    segments = np.arange(len(traffic.roads.limit))
    return np.concatenate([traffic.inputs(segments, np.full(len(segments), hour)) for hour, _, _ in RUSHES])


def load_traffic(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Table:
    """The source ``road``, see :func:`traffic_table`."""
    return traffic_table(run.seed, data.agent)


def _queue(depth: Floats, inbound: Floats, time: Floats) -> Floats:
    """How jammed a place is, 0 to 1: a wave in each rush hour, later the farther out, in the direction that is full.

    depth: km by road from the centre; inbound: -1 to 1; time: hours; all `[n]`.
    """
    jam = np.full_like(time, ALWAYS)
    for worst, width, full in RUSHES:
        wave = np.exp(-0.5 * np.square((time - worst - depth / QUEUE_SPEED) / width))
        jam += wave * (0.65 + 0.35 * full * inbound)
    jam *= np.exp(-0.5 * np.square(depth / REACH))
    return jam
