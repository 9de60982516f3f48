"""The shared start by the collapsed bound of the pilot: hyper-parameters and inducing inputs found together."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.features.inducing import CHOICES
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.pilot import Start
from coolgp.agents.sparse.collapsed import Parameters
from coolgp.agents.sparse.fitting import INPUT_LIMIT, Fit, Free
from coolgp.agents.sparse.starting import (
    MOVING,
    ROWS_EACH,
    PilotFit,
    Search,
    fit_pilot,
    planned_search,
    spread_starts,
)
from coolgp.network.base.randomness import generator
from coolgp.scenarios.config.sections.agents import AgentsSettings

__all__ = ["BoundStart", "Searching", "bound_start", "free_of", "iterations_of", "start_by_bound"]

Choice: TypeAlias = Callable[[Array, int, np.random.Generator, Kernel], Array]
Searching: TypeAlias = Callable[[int, int], None]
"""Called with the iterations that a search has done, and how many there are at most."""
SPARSE = "conditional-variance"
"""The choice among the rows themselves, where there are too few of these to have centres."""


@dataclass(frozen=True)
class BoundStart:
    """Hyper-parameters, inducing inputs ``[M, D]`` in scaled inputs, and what the user should know of the search.

    words: how it went, in a sentence; notes: what was not as it should be, in sentences.
    """

    start: Start
    inducing_inputs: Array
    words: str
    notes: tuple[str, ...]


def start_by_bound(
    agents: AgentsSettings,
    x: Array,
    y: Array,
    begin: Start,
    plain: Start,
    seed: int,
    features: Sequence[str],
    watch: Searching | None = None,
) -> BoundStart:
    """Maximise the bound of the pilot x ``[n, D]``, y ``[n]``, both scaled.

    begin: given values, and what maximises the exact evidence; plain: given values and rough ones; features: names of
    the inputs; watch: called with iterations done, and how many there are at most. The same for a seed on any number of
    ranks, since it is a function of the pilot alone. Raises ValueError where the pilot has too few distinct rows.
    """
    kernel, free = KERNELS[agents.kernel], free_of(agents)
    search = planned_search(len(x), agents.inducing, x.shape[1], iterations_of(agents))
    choices = dict(CHOICES) if len(x) >= ROWS_EACH * agents.inducing else {SPARSE: CHOICES[SPARSE]}
    inputs = [_chosen(choose, x / begin.lengthscale, agents, seed) * begin.lengthscale for choose in choices.values()]
    starts = spread_starts(_parameters(begin, inputs[0]), _parameters(plain, inputs[0]), inputs, free)
    found = fit_pilot(
        x,
        y,
        starts,
        kernel,
        agents.jitter,
        search,
        free,
        (lambda done: watch(done, search.iterations)) if watch else None,
    )
    chosen = list(choices)[found.chosen * len(choices) // len(starts)]
    return bound_start(found, search, len(x), f"{len(x):,} pilot rows", chosen, features)


def bound_start(
    found: PilotFit, search: Search, rows: int, pilot: str, chosen: str, features: Sequence[str]
) -> BoundStart:
    """What a search on so many rows found, in words too.

    pilot: what the rows are called; chosen: what put the inducing inputs where they began; features: names of inputs.
    """
    fit = found.fit
    at = fit.parameters
    start = Start(
        lengthscale=at.lengthscale,
        signal_variance=at.signal_variance,
        noise_variance=at.noise_variance,
        evidence=fit.bound / rows,
        at_limits=_limits(fit, features),
    )
    words = (
        f"Start: {fit.iterations} iterations on the bound of {pilot}, from {fit.start_bound / rows:.4g} to "
        f"{fit.bound / rows:.4g} nats a row; {_moved_words(found, search, chosen)}"
    )
    idle = ", ".join(features[place] for place in fit.idle)
    words += f"; no effect of {idle} was found (the longest lengthscale that is sought)" if idle else ""
    return BoundStart(start, at.inducing_inputs, words, _notes(found, pilot))


def _chosen(choose: Choice, x: Array, agents: AgentsSettings, seed: int) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a cluster that lost all its rows stays where it was
        return choose(x, agents.inducing, generator(seed, "inducing"), KERNELS[agents.kernel])


def _limits(fit: Fit, features: Sequence[str]) -> tuple[str, ...]:
    """What ended at a limit, by the names of inputs; not those without effect, whose lengthscale is the longest."""
    names = {f"{INPUT_LIMIT}{place}": name for place, name in enumerate(features)}
    idle = {f"{INPUT_LIMIT}{place}" for place in fit.idle}
    limits = [limit for limit in fit.at_limits if limit not in idle]
    return tuple(f"lengthscale of {names[limit]}" if limit in names else limit for limit in limits)


def _moved_words(found: PilotFit, search: Search, chosen: str) -> str:
    """Whether inducing inputs moved, and why not."""
    if found.moved:
        return f"inducing inputs moved from where {chosen} put them"
    why = ""
    if not found.collapsed and search.iterations:
        why = f": with fewer than {MOVING} iterations, or than {ROWS_EACH} rows each, they gain little"
    return f"inducing inputs stay where {chosen} put them{why}"


def _notes(found: PilotFit, pilot: str) -> tuple[str, ...]:
    if not found.collapsed:
        return ()
    return (
        f"the search on the bound of {pilot} ended at a model that calls nearly everything noise, and was "
        "given up: give agents.noise_variance, or raise agents.inducing or agents.pilot",
    )


def free_of(agents: AgentsSettings) -> Free:
    """Which of lengthscales, signal and noise variance are not given."""
    lengthscale, signal, noise = agents.lengthscale, agents.signal_variance, agents.noise_variance
    return isinstance(lengthscale, str), isinstance(signal, str), isinstance(noise, str)


def iterations_of(agents: AgentsSettings) -> int | None:
    """How many were asked for; None where they follow from the sizes."""
    return agents.pilot_iterations if isinstance(agents.pilot_iterations, int) else None


def _parameters(start: Start, inducing: Array) -> Parameters:
    return Parameters(inducing, start.lengthscale, start.signal_variance, start.noise_variance)
