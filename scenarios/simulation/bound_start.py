"""The shared start by the collapsed bound of the pilot: hyper-parameters and inducing inputs found together."""

from __future__ import annotations

from dataclasses import dataclass

from coolgp.agents.base.arrays import Array
from coolgp.agents.features.inducing import CHOICES
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.pilot import Start
from coolgp.agents.sparse.collapsed import Parameters
from coolgp.agents.sparse.fitting import Free
from coolgp.agents.sparse.starting import fit_pilot, planned_search, spread_starts
from coolgp.network.base.randomness import generator
from coolgp.scenarios.config.agents import AgentsSettings

__all__ = ["BoundStart", "free_of", "start_by_bound"]


@dataclass(frozen=True)
class BoundStart:
    """Hyper-parameters, inducing inputs ``[M, D]`` in scaled inputs, and what the user should know of the search."""

    start: Start
    inducing_inputs: Array
    notes: tuple[str, ...]


def start_by_bound(agents: AgentsSettings, x: Array, y: Array, begin: Start, plain: Start, seed: int) -> BoundStart:
    """Maximise the bound of the pilot x ``[n, D]``, y ``[n]``, both scaled.

    begin: given values, and what maximises the exact evidence; plain: given values and rough ones. The same for a seed
    on any number of ranks, since it is a function of the pilot alone. Raises ValueError where the pilot has too few
    distinct rows.
    """
    kernel, free = KERNELS[agents.kernel], free_of(agents)
    search = planned_search(len(x), agents.inducing, x.shape[1], _iterations(agents))
    inputs = [
        choose(x / begin.lengthscale, agents.inducing, generator(seed, "inducing"), kernel) * begin.lengthscale
        for choose in CHOICES.values()
    ]
    starts = spread_starts(_parameters(begin, inputs[0]), _parameters(plain, inputs[0]), inputs, free)
    fit = fit_pilot(x, y, starts, kernel, agents.jitter, search, free)
    found = fit.parameters
    start = Start(found.lengthscale, found.signal_variance, found.noise_variance, fit.bound / len(x), fit.at_limits)
    return BoundStart(start, found.inducing_inputs, ())


def free_of(agents: AgentsSettings) -> Free:
    """Which of lengthscales, signal and noise variance are not given."""
    lengthscale, signal, noise = agents.lengthscale, agents.signal_variance, agents.noise_variance
    return isinstance(lengthscale, str), isinstance(signal, str), isinstance(noise, str)


def _iterations(agents: AgentsSettings) -> int | None:
    return agents.pilot_iterations if isinstance(agents.pilot_iterations, int) else None


def _parameters(start: Start, inducing: Array) -> Parameters:
    return Parameters(inducing, start.lengthscale, start.signal_variance, start.noise_variance)
