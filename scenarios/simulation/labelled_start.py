"""The shared start of agents that learn two classes: hyper-parameters and inducing inputs by the bound of the pilot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from coolgp.agents.base.arrays import Array
from coolgp.agents.features.inducing import CHOICES
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.likelihoods.bernoulli import BERNOULLI
from coolgp.agents.pilot import Start
from coolgp.agents.sparse.collapsed import Parameters
from coolgp.agents.sparse.starting import ROWS_EACH, planned_search
from coolgp.agents.sparse.two_classes import fit_labels
from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.scaler import Scaler
from coolgp.scenarios.simulation.bound_start import Searching, free_of, iterations_of
from coolgp.scenarios.simulation.digits import input_notes
from coolgp.scenarios.simulation.initialisation import SharedStart, notes_of, order_notes, shared_start_of
from coolgp.scenarios.simulation.scaling import middle_and_scale, scaled_within_range

__all__ = ["start_from_labels"]

PLAIN_SIGNAL = 4.0
"""Signal variance to begin from: at one deviation of ``f`` a class has the probability 0.88."""
MOST = 50
"""Iterations, where they are not asked for: of separable classes the signal variance grows without end, which gains
bound, and makes what is believed of a row when it comes a poorer guess of what all rows say of it."""


def start_from_labels(
    agents: AgentsSettings,
    dataset: Dataset,
    seed: int,
    *,
    standardize: bool,
    precision: str = "float64",
    watch: Searching | None = None,
) -> SharedStart:
    """Build the shared start from a pilot of what agents observe, classes 0 and 1. The same on every rank.

    Arguments and errors as of :func:`coolgp.scenarios.simulation.initialisation.start_from_pilot`; raises DataError
    too where there are not two classes.
    """
    names = dataset.classes
    if len(names) != 2:
        raise DataError(
            f'needed two classes in "{dataset.target}", got {len(names)} ({", ".join(names[:10])}): keep the rows '
            "of two, or learn models apart ([experts])"
        )
    observed, labels, _ = dataset.training.pilot(agents.pilot, seed)
    width = observed.shape[1]
    with np.errstate(over="ignore", invalid="ignore"):  # said in words by what scales
        middle, scale = middle_and_scale(observed) if standardize else (np.zeros(width), np.ones(width))
    scaler = Scaler(middle, scale, 0.0, 1.0)
    x, y = scaled_within_range(scaler, observed, labels, precision)
    with threadpool_limits(limits=1):  # a seed gives the same bits on any number of cores
        start, words = _search(agents, x, y, seed, watch)
    begin = Start(start.lengthscale, start.signal_variance, 1.0, np.nan)
    shared_start = shared_start_of(agents, scaler, begin, start.inducing_inputs, seed)
    notes = (
        *notes_of(begin, precision),
        *input_notes(x / start.lengthscale, dataset.features, precision),
        *order_notes(dataset, len(x) >= agents.pilot),
    )
    return replace(shared_start, model=replace(shared_start.model, likelihood=BERNOULLI), notes=notes, words=words)


def _search(agents: AgentsSettings, x: Array, y: Array, seed: int, watch: Searching | None) -> tuple[Parameters, str]:
    """What raises the bound of rows x ``[n, D]``, y ``[n]``, and how that went, in words."""
    kernel, planned = KERNELS[agents.kernel], planned_search(len(x), agents.inducing, x.shape[1], iterations_of(agents))
    iterations = planned.iterations if iterations_of(agents) is not None else min(planned.iterations, MOST)
    start = _plain(agents, x, seed)
    free = free_of(agents)[:2]
    moves = planned.moves and agents.inducing_choice == "bound" and agents.basis == "inducing"
    found = fit_labels(
        x,
        y,
        start,
        kernel,
        agents.jitter,
        iterations,
        moves=moves,
        free=free,
        watch=(lambda done: watch(done, iterations)) if watch else None,
    )
    words = (
        f"Start: {iterations} iterations on the bound of the classes of {len(x):,} pilot rows, from "
        f"{found.start_bound / len(x):.4g} to {found.bound / len(x):.4g} nats a row"
    )
    return found.parameters, words


def _plain(agents: AgentsSettings, x: Array, seed: int) -> Parameters:
    """Given values, and rough ones for those that were not given."""
    rough = np.sqrt(x.shape[1]) * middle_and_scale(x)[1]
    given = agents.lengthscale
    lengthscale = np.broadcast_to(rough if isinstance(given, str) else np.asarray(given, float), (x.shape[1],))
    signal = PLAIN_SIGNAL if isinstance(agents.signal_variance, str) else agents.signal_variance
    enough = len(x) >= ROWS_EACH * agents.inducing
    name = (
        agents.inducing_choice
        if agents.inducing_choice in CHOICES
        else ("kmeans" if enough else "conditional-variance")
    )
    chosen = CHOICES[name](x / lengthscale, agents.inducing, generator(seed, "inducing"), KERNELS[agents.kernel])
    return Parameters(chosen * lengthscale, lengthscale.astype(float), float(signal), 1.0)
