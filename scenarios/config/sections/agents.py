"""The section [agents] of a scenario: how many there are, and the model that each of them learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from coolgp.agents.kernels.registry import KERNELS
from coolgp.scenarios.config.constraints import Names
from coolgp.scenarios.config.section import AddedLater, Count, Natural, Positive, Positives, Settings
from coolgp.scenarios.config.sections.agents_conflicts import agents_conflicts

__all__ = ["AgentsSettings"]

IMPORTANCE_STD = 0.1  # importance weights q(W)/p(W) need a density; at 0 there is none


class AgentsSettings(Settings):
    """The agents and the model that each of them learns."""

    likelihood: ClassVar[str] = "gaussian"
    """By its name in :mod:`coolgp.agents.likelihoods.registry`."""

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
    learn_inducing: Annotated[bool, AddedLater()] = Field(
        default=False,
        description="inducing inputs move during the run too, all alike, where newer rows are predicted better then; "
        "for a pilot sample that is small, or of a part of the domain",
    )
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
    def keeps(self) -> float:
        """Newest rows of an agent that never become part of its sums for good."""
        return 0

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
        return agents_conflicts(values)
