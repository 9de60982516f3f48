"""The shared start of all agents: scaling, starting hyper-parameters and inducing inputs, from a pilot sample.

The pilot is a small random sample of the training rows that all agents are given; besides it they share messages alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from coolgp.agents.base.arrays import Array
from coolgp.agents.encoding import ENCODINGS, Importance
from coolgp.agents.features.basis import Basis, FunctionBasis, LatentBasis
from coolgp.agents.features.fourier import FourierBasis, draw_waves
from coolgp.agents.features.inducing import CHOICES
from coolgp.agents.kernels.base import project
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.model import Encoding, Model
from coolgp.agents.own_inputs import OwnInputs
from coolgp.agents.parameters import Layout
from coolgp.agents.pilot import Start, fit_own, fit_start
from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.arrays import Ints
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.scaler import Scaler
from coolgp.scenarios.simulation.bound_start import Searching, free_of, start_by_bound
from coolgp.scenarios.simulation.digits import input_notes
from coolgp.scenarios.simulation.scaling import middle_and_scale, scaled_within_range, scaler_of

__all__ = ["SharedStart", "extended", "notes_of", "order_notes", "relocated", "shared_start_of", "start_from_pilot"]

FIT_ROWS = 600
"""Rows of the pilot on which the exact evidence is maximised: its cost is their cube."""

LEAST_DIGITS = 2.0
"""Decimal digits of a prediction that the precision has to leave."""

OWN_ROWS = 1200
"""The same where each agent has lengthscales of its own: more is to be learned from them."""


@dataclass(frozen=True)
class SharedStart:
    """What all agents share before the first round: scaler, model, hyper-parameters ``start [K]`` to begin with.

    inducing_inputs ``[M, D]``: in scaled inputs, none with random features; where the model's basis is latent, its
    points are their projections at the start; where agents chose their own, those that they have in common.
    own ``[N, K]``: where each agent begins, if not all alike.
    """

    scaler: Scaler
    model: Model
    start: Array
    inducing_inputs: Array
    own: Array | None = None
    notes: tuple[str, ...] = ()
    """What the user should know of how hyper-parameters were found, in sentences."""
    words: str = ""
    """How the search for them went, in a sentence; empty where there was none by the bound."""

    def starts(self, agents: Ints) -> Array:
        """Hyper-parameters that agents, by their global ids ``[A]``, begin with: alike ``[K]``, or ``[A, K]``."""
        return self.start if self.own is None else self.own[agents]


def extended(shared_start: SharedStart, inputs: Array) -> SharedStart:
    """The same start with more inducing inputs ``[J, D]``, as agents agreed on them in a run."""
    model = shared_start.model
    assert isinstance(model.basis, FunctionBasis)
    larger, every = model.basis.extended(inputs), np.concatenate([shared_start.inducing_inputs, inputs])
    return replace(shared_start, model=replace(model, basis=larger), inducing_inputs=every)


def relocated(shared_start: SharedStart, inputs: Array) -> SharedStart:
    """The same start with inducing inputs ``[M, D]`` that agents moved to in a run."""
    model = shared_start.model
    assert isinstance(model.basis, FunctionBasis)
    return replace(shared_start, model=replace(model, basis=model.basis.at(inputs)), inducing_inputs=inputs)


def start_from_pilot(
    agents: AgentsSettings,
    dataset: Dataset,
    seed: int,
    *,
    standardize: bool,
    precision: str = "float64",
    watch: Searching | None = None,
) -> SharedStart:
    """Build the shared start from a pilot of what agents observe. The same on every rank.

    watch: called with iterations of the search done, and how many there are at most. Raises ValueError where the pilot
    has too few distinct rows for the inducing inputs, and where squares of what is observed leave the range of the
    precision.
    """
    observed, target, owner = dataset.training.pilot(agents.pilot, seed)
    with np.errstate(over="ignore", invalid="ignore"):  # said in words below
        scaler = scaler_of(observed, target, standardize)
    x, y = scaled_within_range(scaler, observed, target, precision)
    with threadpool_limits(limits=1):  # a seed gives the same bits on any number of cores
        plain = _plain(agents, x, y)
        begin = fit_start(x[:FIT_ROWS], y[:FIT_ROWS], plain, free_of(agents), KERNELS[agents.kernel])
        bound = None
        if agents.inducing_choice == "bound":
            bound = start_by_bound(agents, x, y, begin, plain, seed, dataset.features, watch)
            begin = bound.start
        each = _own(agents, x, y, owner, len(dataset.agents), begin)
    seen = x / (each.lengthscale[owner] if each else begin.lengthscale)
    encoding: Encoding | None = None
    if agents.inducing_choice == "own":
        apart, chosen = _chosen_apart(agents, dataset, scaler, x, begin.lengthscale, seed)
        encoding = OwnInputs(apart)
    else:
        chosen = bound.inducing_inputs if bound else _inducing_inputs(agents, seen, seed) * begin.lengthscale
    shared_start = shared_start_of(agents, scaler, begin, chosen, seed, encoding)
    return replace(
        shared_start,
        own=_packed(shared_start.model.layout, agents, each) if each else None,
        notes=(
            *notes_of(each or begin, precision),
            *input_notes(seen, dataset.features, precision),
            *(bound.notes if bound else ()),
            *order_notes(dataset, len(x) >= agents.pilot),
        ),
        words=bound.words if bound else "",
    )


def shared_start_of(
    agents: AgentsSettings, scaler: Scaler, begin: Start, chosen: Array, seed: int, encoding: Encoding | None = None
) -> SharedStart:
    """The shared start from hyper-parameters and inducing inputs ``[M, D]``; encoding: in place of the scenario's."""
    layout = Layout(len(scaler.x_mean), full=agents.projection == "full", uncertain=agents.projection_std > 0)
    start = _packed(layout, agents, begin)
    encoding = _encoding(agents, layout, seed) if encoding is None else encoding
    model = Model(layout, _basis(agents, layout.projection(start), chosen, seed), encoding)
    return SharedStart(scaler=scaler, model=model, start=start, inducing_inputs=chosen)


def notes_of(start: Start, precision: str) -> tuple[str, ...]:
    """What to know of hyper-parameters: values at a limit of their search, and too few digits for signal and noise.

    >>> notes_of(Start(np.ones(1), 1.0, 1e-6, 0.0), "float32")[0].split(":")[0]
    'float32 leaves 0.9 digits where the signal variance is 1e+06 times the noise variance'
    """
    notes = []
    if start.at_limits:
        names = ", ".join(start.at_limits)
        notes.append(
            f"on the pilot sample the search ended at its limit for the {names}: the data say little about it, or "
            "hold none of it; give it in [agents] where you know it"
        )
    ratio = start.signal_variance / start.noise_variance
    digits = -np.log10(float(np.finfo(np.dtype(precision)).eps) * max(ratio, 1.0))
    if digits < LEAST_DIGITS:
        notes.append(
            f"{precision} leaves {max(digits, 0.0):.1f} digits where the signal variance is {ratio:.3g} times the "
            'noise variance: take run.precision = "float64", or a larger agents.noise_variance'
        )
    return tuple(notes)


def order_notes(dataset: Dataset, partial: bool) -> tuple[str, ...]:
    """What to know where the pilot is a part of the rows, and no random one."""
    if not (dataset.training.in_order and partial):
        return ()
    return (
        'the pilot sample consists of the first rows (data.order = "file"): scaling, hyper-parameters and inducing '
        "inputs are of these, and may not suit rows of another part of the domain",
    )


def _packed(layout: Layout, agents: AgentsSettings, start: Start) -> Array:
    return layout.pack(start.lengthscale, start.signal_variance, start.noise_variance, agents.projection_std)


def _plain(agents: AgentsSettings, x: Array, y: Array) -> Start:
    """Given values, and rough ones for those that were not given."""
    given = (agents.lengthscale, agents.signal_variance, agents.noise_variance)
    free = free_of(agents)
    spread = float(np.var(y)) or 1.0
    default = (np.sqrt(x.shape[1]) * middle_and_scale(x)[1], 0.5 * spread, 0.5 * spread)
    lengthscale, signal, noise = (default[i] if free[i] else np.asarray(given[i], float) for i in range(3))
    return Start(np.broadcast_to(lengthscale, (x.shape[1],)).astype(float), float(signal), float(noise), np.nan)


def _own(agents: AgentsSettings, x: Array, y: Array, owner: Ints, size: int, begin: Start) -> Start | None:
    """The same with lengthscales of each agent's own, where that is wanted."""
    if agents.lengthscale != "own":
        return None
    free = (True, agents.signal_variance == "pilot", agents.noise_variance == "pilot")
    return fit_own(x[:OWN_ROWS], y[:OWN_ROWS], owner[:OWN_ROWS], size, begin, free, KERNELS[agents.kernel])


def _inducing_inputs(agents: AgentsSettings, x: Array, seed: int) -> Array:
    """Chosen from the pilot ``x [n, D]`` in units of the lengthscales; none where features are random."""
    if agents.basis == "rff":
        return x[:0]
    return CHOICES[agents.inducing_choice](x, agents.inducing, generator(seed, "inducing"), KERNELS[agents.kernel])


def _chosen_apart(
    agents: AgentsSettings, dataset: Dataset, scaler: Scaler, pilot: Array, lengthscale: Array, seed: int
) -> tuple[Array, Array]:
    """Inducing inputs of each agent's own ``[N, M, D]``, and the common ones ``[L, D]``."""
    from coolgp.scenarios.simulation.own_inputs import chosen_apart, common_inputs  # loads what only matching needs

    with threadpool_limits(limits=1):
        own = chosen_apart(agents, dataset, scaler, pilot, lengthscale, seed)
        return own, common_inputs(list(own), agents.most_common, lengthscale, KERNELS[agents.kernel])


def _basis(agents: AgentsSettings, reference: Array, chosen: Array, seed: int) -> Basis:
    kernel = KERNELS[agents.kernel]
    if agents.basis == "rff":
        return FourierBasis(draw_waves(reference, agents.inducing, generator(seed, "waves"), kernel))
    if agents.shared == "latent":
        return LatentBasis(project(chosen, reference), agents.jitter, kernel)
    return FunctionBasis(
        inducing=chosen, reference=reference, jitter=agents.jitter, coordinates=agents.coordinates, kernel=kernel
    )


def _encoding(agents: AgentsSettings, layout: Layout, seed: int) -> Encoding:
    if agents.encoding == "importance":
        draws = generator(seed, "importance").standard_normal((agents.importance_samples, layout.width))
        return Importance(draws)
    encoding: Encoding = ENCODINGS[agents.encoding]()
    return encoding
