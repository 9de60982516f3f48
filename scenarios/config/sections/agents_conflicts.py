"""What the keys of [agents] refuse of each other, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from coolgp.agents.kernels.base import HasExpectations, HasSpectrum
from coolgp.agents.kernels.registry import KERNELS

__all__ = ["agents_conflicts"]


REFUSED_WITH_FOURIER = {
    "shared": ("function", "the weights of random features in the function are what agents have in common"),
    "coordinates": ("whitened", "random features are whitened as they are"),
    "encoding": ("transport", "the waves stay as they were drawn, and no encoding of data grows old"),
    "projection": ("diagonal", "the waves stay as they were drawn, and no projection is learned"),
    "projection_std": (0.0, "the waves stay as they were drawn, and no projection is learned"),
    "inducing_most": (None, "there are no inducing inputs"),
    "learn_inducing": (False, "there are no inducing inputs"),
    "inducing_choice": ("conditional-variance", "there are no inducing inputs"),
    "inducing_common": (None, "there are no inducing inputs"),
    "pilot_iterations": ("auto", "there are no inducing inputs"),
    "pilot_held": ("shared", "the waves are drawn for lengthscales that a shared pilot gives"),
}
"""Keys that mean nothing with random Fourier features, the one value that they take, and why."""
REFUSED_WITH_OWN_INPUTS = {
    "shared": ("function", "inducing inputs can be matched where they lie in the domain that all agents observe"),
    "encoding": ("transport", "sums about the function at an agent's own inputs stay valid as they are"),
    "coordinates": ("whitened", "only whitened sums can be carried to other inputs without loss of digits"),
    "inducing_most": (None, "what is added to the common inducing inputs would not be among an agent's own"),
    "learn_inducing": (False, "the common inducing inputs are matched from agents' own, which stay"),
}
"""The same for agents that choose inducing inputs of their own."""
NEEDED_TO_EXTEND = {"shared": "function", "encoding": "transport", "coordinates": "whitened"}
"""Keys with the values that they must have for inducing inputs to be added during a run."""
NEEDED_TO_MOVE = NEEDED_TO_EXTEND | {"projection": "diagonal", "forget": 1.0, "inducing_most": None}
"""The same for inducing inputs that move during a run; None: the key is left out."""


def agents_conflicts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Keys of [agents] that do not go together, each with what to do; empty where all do.

    values: the section, without keys that are wrong by themselves.
    """
    if problems := _kernel_conflicts(values):
        return problems
    if values.get("basis") == "rff":
        return _fourier_conflicts(values)
    if problems := _own_inputs_conflicts(values):
        return problems
    if without := _without_bound(values):
        return [without]
    if problem := _extension_problem(values):
        return [("inducing_most", problem)]
    if problem := _moving_problem(values):
        return [("learn_inducing", problem)]
    conflicts = (_own_lengthscale_conflict(values), _latent_conflict(values), _uncertain_conflict(values))
    return next(([conflict] for conflict in conflicts if conflict), [])


def _without_bound(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Refuse what is for the search on the bound alone where there is none."""
    if values.get("inducing_choice") == "bound":
        return None
    needs = 'needs inducing_choice = "bound": '
    if values.get("pilot_held", "shared") == "federated":
        return "pilot_held", f'"federated" {needs}only that search needs sums alone of the rows; leave it out'
    if values.get("pilot_iterations", "auto") != "auto":
        return "pilot_iterations", f"{needs}nothing else is searched in so many iterations; leave it out"
    return None


def _own_lengthscale_conflict(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Refuse a lengthscale of each agent's own where agents must be alike."""
    if values.get("lengthscale") != "own":
        return None
    if values.get("shared") != "latent":
        why = 'needs shared = "latent", where agents see one function through projections of their own'
        return "lengthscale", f'"own" {why}'
    if values.get("inducing_choice") == "bound":
        why = "the bound is of one function of the inputs, not of one that each agent sees in its own way"
        return "inducing_choice", f'"bound" not with lengthscale = "own": {why}; leave it out'
    if values.get("hyperparameters", "collective") == "collective":
        return "lengthscale", '"own" needs hyperparameters = "local" or "fixed": collective ones are all alike'
    return None


def _latent_conflict(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Refuse plain kernel values of inducing points in the standardized domain."""
    if values.get("shared") != "latent" or values.get("coordinates") != "kernel":
        return None
    why = 'evidence about "latent" inducing points is in whitened coordinates: leave it out'
    return "coordinates", f'"kernel" needs shared = "function"; {why}'


def _uncertain_conflict(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Refuse an uncertain projection where its closed forms are not valid."""
    closed_forms = values.get("shared") != "function" or values.get("encoding") not in ("transport", "stale")
    if closed_forms or (values.get("projection_std") or 0) <= 0:
        return None
    why = "the closed forms of E[κκᵀ] under q(W) are valid for inducing inputs in the standardized domain"
    return "projection_std", f'above 0 it needs shared = "latent" or encoding = "importance": {why}'


def _fourier_conflicts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Refuse keys that contradict random features, and an odd number of these."""
    conflicts = [
        (key, f'not with basis = "rff": {why}; leave it out')
        for key, (value, why) in REFUSED_WITH_FOURIER.items()
        if values.get(key, value) != value
    ]
    features = values.get("inducing")
    if isinstance(features, int) and features % 2:
        why = 'with basis = "rff" there is a cosine and a sine of each wave'
        conflicts.append(("inducing", f"needed an even number, for {why}; got {features}"))
    return conflicts


def _extension_problem(values: Mapping[str, Any]) -> str:
    """Why inducing inputs cannot be added during a run, empty where they can or need not."""
    most, first = values.get("inducing_most"), values.get("inducing", 0)
    if most is None:
        return ""
    if most < first:
        return f"needed at least agents.inducing, {first}, of which there can be more; got {most}"
    missing = [f'{key} = "{value}"' for key, value in NEEDED_TO_EXTEND.items() if values.get(key, value) != value]
    why = "only then is evidence about fewer inducing inputs evidence about more"
    return f"above agents.inducing it needs {' and '.join(missing)}: {why}; leave it out" if missing else ""


def _moving_problem(values: Mapping[str, Any]) -> str:
    """Why inducing inputs cannot move during a run, empty where they can or need not."""
    if not values.get("learn_inducing"):
        return ""
    missing = [
        f"no {key}" if value is None else f"{key} = {json.dumps(value)}"
        for key, value in NEEDED_TO_MOVE.items()
        if values.get(key, value) != value
    ]
    why = "only then is it known what sums about some inducing inputs say of others"
    return f"true needs {' and '.join(missing)}: {why}; leave it out" if missing else ""


def _own_inputs_conflicts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Refuse what agents with inducing inputs of their own cannot do, and the size of a matching without any."""
    most, first = values.get("inducing_common"), values.get("inducing", 0)
    if values.get("inducing_choice") != "own":
        why = 'needs inducing_choice = "own": all agents have the same inducing inputs; leave it out'
        return [] if most is None else [("inducing_common", why)]
    problems = [
        (key, f'not with inducing_choice = "own": {why}; leave it out')
        for key, (value, why) in REFUSED_WITH_OWN_INPUTS.items()
        if values.get(key, value) != value
    ]
    if most is not None and most < first:
        problems.append(("inducing_common", f"needed at least agents.inducing, {first}, which each has; got {most}"))
    return problems


def _kernel_conflicts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Keys that need of the kernel what it does not have."""
    name = values.get("kernel", "se")
    kernel = KERNELS.get(name)
    if values.get("basis") == "rff" and not isinstance(kernel, HasSpectrum):
        why = f'needs a kernel whose spectral density can be sampled ({_with(HasSpectrum)}); "{name}" has no sampler'
        return [("basis", f'"rff" {why}')]
    if (values.get("projection_std") or 0) > 0 and not isinstance(kernel, HasExpectations):
        importance = values.get("encoding") == "importance"
        key, value = ("encoding", '"importance"') if importance else ("projection_std", "above 0 it")
        why = f'needs a kernel with expectations under q(W) ({_with(HasExpectations)}); "{name}" has none'
        return [(key, f"{value} {why}")]
    return []


def _with(ability: type) -> str:
    """The kernels that have an ability, quoted."""
    return ", ".join(f'"{name}"' for name, kernel in KERNELS.items() if isinstance(kernel, ability))
