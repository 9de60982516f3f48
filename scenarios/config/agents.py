"""The section [agents] of a scenario: how many there are, and the model that each of them learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from coolgp.agents.kernels.base import HasExpectations, HasSpectrum
from coolgp.agents.kernels.registry import KERNELS
from coolgp.scenarios.config.constraints import Names
from coolgp.scenarios.config.section import AddedLater, Count, Natural, Positive, Positives, Settings

__all__ = ["AgentsSettings"]

IMPORTANCE_STD = 0.1  # importance weights q(W)/p(W) need a density; at 0 there is none


REFUSED_WITH_FOURIER = {
    "shared": ("function", "the weights of random features in the function are what agents have in common"),
    "coordinates": ("whitened", "random features are whitened as they are"),
    "encoding": ("transport", "the waves stay as they were drawn, and no encoding of data grows old"),
    "projection": ("diagonal", "the waves stay as they were drawn, and no projection is learned"),
    "projection_std": (0.0, "the waves stay as they were drawn, and no projection is learned"),
    "inducing_most": (None, "there are no inducing inputs"),
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
}
"""The same for agents that choose inducing inputs of their own."""
NEEDED_TO_EXTEND = {"shared": "function", "encoding": "transport", "coordinates": "whitened"}
"""Keys with the values that they must have for inducing inputs to be added during a run."""


class AgentsSettings(Settings):
    """The agents and the model that each of them learns."""

    count: Count = Field(default=100, description="number of agents; ignored where data.agent names a column")
    basis: Literal["inducing", "rff"] = Field(
        default="inducing", description="what makes features of inputs: inducing inputs, or random Fourier features"
    )
    kernel: Annotated[str, Names(lambda: tuple(KERNELS)), AddedLater()] = Field(
        default="se", description="covariance of the function: how smooth it is"
    )
    inducing: Count = Field(default=100, description="inducing inputs, or random features, common to all agents")
    inducing_most: Count | None = Field(
        default=None,
        description="inducing inputs that there can be in all: where agents meet inputs outside the coverage of the "
        "others they agree on more, up to so many; default none are added",
    )
    coverage: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="share of the prior variance at an input that the inducing inputs must express to cover it",
    )
    batch_size: Count = Field(default=20, description="observations in one batch of one agent")
    hyperparameters: Literal["collective", "fixed", "local"] = Field(
        default="collective",
        description="learned together over the graph, fixed at their start, or learned by each agent alone",
    )
    lengthscale: Positive | Positives | Literal["pilot", "own"] = Field(
        default="pilot",
        description="in scaled inputs, one or one per feature; the start where learned; from the pilot sample, "
        "alike for all or each agent its own",
    )
    signal_variance: Positive | Literal["pilot"] = Field(
        default="pilot", description="prior variance of the scaled function"
    )
    noise_variance: Positive | Literal["pilot"] = Field(
        default="pilot", description="noise variance of the scaled target"
    )
    coordinates: Literal["whitened", "kernel"] = Field(
        default="whitened",
        description="in which evidence adds up: whitened ones keep all digits; plain kernel values cost half while the "
        "hyper-parameters are fixed, and lose as many digits as the inducing inputs' kernel matrix is ill-conditioned",
    )
    encoding: Literal["transport", "importance", "stale"] = Field(
        default="transport", description="what becomes of old batches when the hyper-parameters move"
    )
    shared: Literal["function", "latent"] = Field(
        default="function",
        description="what agents have in common: inducing inputs in the input or the standardized domain",
    )
    inducing_choice: Literal["bound", "conditional-variance", "kmeans", "own"] = Field(
        default="bound",
        description='how inducing inputs are chosen: from the pilot sample, alike for all, with "bound" together with '
        'the hyper-parameters; or by each agent its "own" from its own rows, which are then matched; '
        '"conditional-variance" by default where shared = "latent"',
    )
    pilot_iterations: Annotated[Natural | Literal["auto"], AddedLater()] = Field(
        default="auto",
        description='for inducing_choice = "bound": iterations of the search on the pilot sample; by default as many '
        "as the sizes of sample and model leave in about a second",
    )
    inducing_common: Annotated[Count | None, AddedLater()] = Field(
        default=None,
        description="common inducing inputs that agents' own ones are matched in, at most; default twice "
        "agents.inducing",
    )
    pilot: int = Field(
        default=2000,
        ge=2,
        description="rows of the training data that all agents are given before the start, for scaling, "
        "inducing inputs and starting values",
    )
    pilot_held: Annotated[Literal["shared", "federated"], AddedLater()] = Field(
        default="shared",
        description="whether all agents are given the pilot rows, or each holds its own and tells sums over the graph",
    )
    projection: Literal["diagonal", "full"] = Field(default="diagonal", description="form of the projection W")
    projection_std: float = Field(
        default=0.0, ge=0, description="standard deviation of the factorised Gaussian q(W); 0 is a point estimate"
    )
    importance_samples: Count = Field(default=20, description='samples of W for encoding = "importance"')
    forget: Annotated[float, Field(gt=0, le=1), AddedLater()] = Field(
        default=1.0,
        description="share by which earlier observations count less in every round: 1 remembers all alike, 0.99 the "
        "last 100 rounds or so",
    )
    learning_rate: Positive = Field(default=0.02, description="step size on the log hyper-parameters")
    jitter: Positive = Field(
        default=1e-6, description="added to the unit-variance kernel matrix of the inducing inputs"
    )

    @property
    def most_common(self) -> int:
        """Inducing inputs that own ones are matched in, at most."""
        return self.inducing_common or 2 * self.inducing

    @property
    def forgetting(self) -> str:
        """What the agents' sums are of, in words; empty where they remember everything.

        >>> AgentsSettings(forget=0.9, batch_size=5).forgetting
        'agents.forget = 0.9: what agents know counts as much as 10 rounds, or 50 observations each with full batches'
        """
        if self.forget == 1:
            return ""
        rounds = 1 / (1 - self.forget)
        worth = f"{rounds:,.3g} rounds, or {rounds * self.batch_size:,.3g} observations each with full batches"
        return f"agents.forget = {self.forget:g}: what agents know counts as much as {worth}"

    @classmethod
    def completed(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Give q(W) a width where importance weights need one; no search by the bound where it is not meant."""
        if values.get("shared") == "latent" or values.get("basis") == "rff":
            values.setdefault("inducing_choice", "conditional-variance")
        if values.get("encoding") == "importance" and values.get("projection_std", 0.0) == 0:
            values["projection_std"] = IMPORTANCE_STD
        return values

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse an uncertain W where its closed forms are not valid, and keys that do not apply to a basis."""
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
