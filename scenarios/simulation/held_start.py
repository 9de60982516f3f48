"""The shared start where agents hold their own pilot rows: scaling, inducing inputs and the bound, by sums over agents.

Agents tell sums alone, of which each agent's row is a message over the graph: counts, means and squares for scaling,
those of clusters for k-means, and the data terms of the collapsed bound and of its gradient. Everybody knows the sums,
and moves alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from coolgp.agents.base.arrays import Array
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.sparse.centres import centres_by_sums
from coolgp.agents.sparse.held import Held, RowsOf, padded
from coolgp.agents.sparse.parameters import Parameters
from coolgp.agents.sparse.starting import planned_search, search_from
from coolgp.network.base.arrays import Indices
from coolgp.network.transport import Transport
from coolgp.scenarios.base.formatting import size_text
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.scaler import Scaler
from coolgp.scenarios.simulation.bound_start import Searching, bound_start, free_of, iterations_of
from coolgp.scenarios.simulation.digits import input_notes
from coolgp.scenarios.simulation.initialisation import SharedStart, notes_of, order_notes, shared_start_of
from coolgp.scenarios.simulation.scaling import scaled_within_range

__all__ = ["start_from_held"]

LENGTHS, NOISES = (0.5, 1.0, 2.0), (0.1, 0.5)
"""Starts to choose from: lengthscales in plain ones, and shares of the target's variance that are noise. Exact evidence
needs rows in one place."""


@dataclass
class _Sums:
    """Sums over all agents; how many there were, and the numbers of all of them."""

    transport: Transport
    done: int = 0
    numbers: int = 0

    def __call__(self, rows: RowsOf) -> Array:
        total = self.transport.allsum(rows)
        self.done += 1
        self.numbers += total.size
        return total

    def words(self) -> str:
        """What they cost over a tree, with one message a link and direction."""
        messages = 2 * (self.transport.shard.size - 1)
        sent = size_text(8.0 * self.numbers * messages)
        return f"{self.done:,} sums over agents that hold their own rows, {sent} along a tree"


def start_from_held(
    agents: AgentsSettings,
    dataset: Dataset,
    seed: int,
    transport: Transport,
    *,
    standardize: bool,
    precision: str = "float64",
    watch: Searching | None = None,
) -> SharedStart:
    """Build the shared start from pilot rows that stay with the agents that hold them. Collective.

    The same on any number of ranks, to the bit. Arguments and errors as in
    :func:`coolgp.scenarios.simulation.initialisation.start_from_pilot`.
    """
    sums, kernel, free = _Sums(transport), KERNELS[agents.kernel], free_of(agents)
    observed, target, owner = dataset.training.pilot(agents.pilot, seed)
    most = int(np.bincount(owner).max())
    raw = Held(*padded(observed, target, owner, np.asarray(transport.shard.agents), most), sums)
    with threadpool_limits(limits=1), np.errstate(over="ignore", invalid="ignore"):
        center, unit = _moments(raw)
        scaler = Scaler(center[:-1], unit[:-1], float(center[-1]), float(unit[-1]))
        if not standardize:
            scaler = Scaler(np.zeros(len(unit) - 1), np.ones(len(unit) - 1), 0.0, 1.0)
            center[-1] = 0.0
        scaled_within_range(scaler, observed, target, precision)
        held = _standardized(raw, center, unit)
        given = _given(agents, unit / np.append(scaler.x_scale, scaler.y_scale))
        lengths = given.lengthscale if not free[0] else np.ones(len(unit) - 1)
        centres = centres_by_sums(replace(held, x=held.x / lengths), agents.inducing) * lengths
        search = planned_search(held.count, agents.inducing, held.x.shape[-1], iterations_of(agents))
        starts = [
            _start(given, centres, free, length, noise)
            for length in (LENGTHS if free[0] else (1.0,))
            for noise in (NOISES if free[1] or free[2] else (1.0,))
        ]
        shown = (lambda done: watch(done, search.iterations)) if watch else None
        found = search_from(held, starts, kernel, agents.jitter, search, free, shown)
    at = found.fit.parameters
    scale = unit / np.append(scaler.x_scale, scaler.y_scale)
    shift = (center[:-1] - scaler.x_mean) / scaler.x_scale
    end = Parameters(
        inducing_inputs=at.inducing_inputs * scale[:-1] + shift,
        lengthscale=at.lengthscale * scale[:-1],
        signal_variance=at.signal_variance * scale[-1] ** 2,
        noise_variance=at.noise_variance * scale[-1] ** 2,
    )
    found = replace(found, fit=replace(found.fit, parameters=end))
    pilot = f"{held.count:,} pilot rows"
    bound = bound_start(found, search, held.count, pilot, "k-means by sums", dataset.features)
    shared_start = shared_start_of(agents, scaler, bound.start, bound.inducing_inputs, seed)
    notes = (
        *notes_of(bound.start, precision),
        *input_notes(scaler.inputs(observed) / bound.start.lengthscale, dataset.features, precision),
        *bound.notes,
        *order_notes(dataset, held.count >= agents.pilot),
    )
    return replace(shared_start, notes=notes, words=f"{bound.words}; {sums.words()}")


def _moments(raw: Held) -> tuple[Array, Array]:
    """Means and standard deviations ``[D + 1]`` of inputs and target; 1 where one is constant but for rounding."""

    def rows(who: Indices) -> Array:
        return np.concatenate([raw.x[who], raw.y[who][..., None]], axis=2)

    mean = raw.summed(lambda who: rows(who).sum(1)) / raw.count
    gaps = raw.summed(lambda who: (np.square(rows(who) - mean) * raw.mask[who][..., None]).sum(1)) / raw.count
    deviation = np.sqrt(gaps)
    return mean, np.where(deviation > 1e-10 * np.sqrt(np.square(mean) + gaps), deviation, 1.0)


def _standardized(raw: Held, center: Array, unit: Array) -> Held:
    """The rows in so many units from a center ``[D + 1]``."""
    x = (raw.x - center[:-1]) / unit[:-1] * raw.mask[..., None]
    return replace(raw, x=x, y=(raw.y - center[-1]) / unit[-1] * raw.mask)


def _given(agents: AgentsSettings, scale: Array) -> Parameters:
    """Values that were given in scaled units, in units of so many ``[D + 1]`` of these; rough ones for the others."""
    width = len(scale) - 1
    lengthscale = np.sqrt(width) * scale[:-1] if isinstance(agents.lengthscale, str) else agents.lengthscale
    signal, noise = agents.signal_variance, agents.noise_variance
    return Parameters(
        inducing_inputs=np.empty((0, width)),
        lengthscale=np.broadcast_to(np.asarray(lengthscale, float), (width,)) / scale[:-1],
        signal_variance=1.0 if isinstance(signal, str) else signal / scale[-1] ** 2,
        noise_variance=1.0 if isinstance(noise, str) else noise / scale[-1] ** 2,
    )


def _start(given: Parameters, centres: Array, free: tuple[bool, bool, bool], length: float, noise: float) -> Parameters:
    return Parameters(
        inducing_inputs=centres,
        lengthscale=given.lengthscale * (length if free[0] else 1.0),
        signal_variance=1.0 - noise if free[1] else given.signal_variance,
        noise_variance=noise if free[2] else given.noise_variance,
    )
