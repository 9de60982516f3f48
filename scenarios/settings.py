"""The keys of a scenario: their meaning, defaults and allowed values, as frozen records that refuse anything else.

These records hold plain values; `coolgp.scenarios.config` reads them from TOML and words the complaints.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from coolgp.scenarios.allowed import Names
from coolgp.scenarios.extension_settings import extension_problem
from coolgp.scenarios.fourier_settings import fourier_conflicts
from coolgp.scenarios.fusion_settings import FusionSettings
from coolgp.scenarios.network_settings import NetworkSettings
from coolgp.scenarios.section import Columns, Count, Positive, Positives, Settings

__all__ = [
    "SECTIONS",
    "SOURCE_TARGETS",
    "AgentsSettings",
    "DataSettings",
    "FusionSettings",
    "NetworkSettings",
    "RunSettings",
    "Scenario",
    "Settings",
]

SOURCE_TARGETS = {"airline": "arr_delay", "synthetic": "y", "field": "value", "sensors": "value", "road": "speed"}
"""The data sources that come with the package, and what each predicts."""
GENERATED_SOURCES = ("synthetic", "field", "sensors")
"""Sources that are drawn from the seed: they deal their own rows to their own agents."""
PLACED_SOURCES = ("field", "sensors")
"""Generated sources whose agents sit at places in the coordinates of the inputs."""
REFUSED_BY_SOURCE = {
    "field": {"test_count": "which is tested on a regular grid"},
    "sensors": {
        "test_count": "which is tested on a regular grid",
        "observations": "which draws a batch for each agent in every round",
        "first_agent_rows": "which draws a batch for each agent in every round",
    },
}
"""Keys of the section [data] that a generated source has no use for, and why."""
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".pq")

IMPORTANCE_STD = 0.1  # importance weights q(W)/p(W) need a density; at 0 there is none


class DataSettings(Settings):
    """Where the rows come from, which columns are used, and which agent observes which row."""

    source: Annotated[str, Names(lambda: tuple(SOURCE_TARGETS), TABLE_SUFFIXES)] = Field(
        description="a CSV or Parquet file, or a source that comes with the package"
    )
    target: str | None = Field(
        default=None, description="column to predict; must be named for a file, known for the package's own sources"
    )
    features: Columns | None = Field(default=None, description="input columns; default every other numeric column")
    agent: str | None = Field(
        default=None, description="column whose values name the agents; agents.count is then ignored"
    )
    partition: Literal["random", "kmeans", "dirichlet"] | None = Field(
        default=None,
        description="how rows are dealt to agents where no column names them: evenly at random (the default), by "
        "k-means clusters of the inputs, or in random order with shares from a flat Dirichlet distribution",
    )
    order: Literal["random", "file"] | None = Field(
        default=None,
        description="in which agents observe their rows: shuffled (the default), or as they stand in the file, with a "
        "pilot of the first rows: for data whose domain drifts",
    )
    test_fraction: float = Field(
        default=0.1, gt=0, lt=1, description="share of the rows held out; not used by generated sources"
    )
    test_count: Count | None = Field(default=None, description="number of rows held out, in place of test_fraction")
    standardize: bool = Field(
        default=True, description="scale inputs and target to zero mean and unit variance (pilot sample)"
    )
    observations: Count | None = Field(
        default=None,
        description="training rows to generate for all agents together (synthetic, field); default what the run uses",
    )
    first_agent_rows: Count | None = Field(
        default=None,
        description="training rows that the first agent keeps of its own; the others keep all of theirs",
    )

    @classmethod
    def completed(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Fill in the target of the package's own sources, and the random partition where rows must be dealt."""
        source = values.get("source")
        if values.get("target") is None and isinstance(source, str) and source in SOURCE_TARGETS:
            values["target"] = SOURCE_TARGETS[source]
        if values.get("agent") is None and values.get("partition") is None and source not in GENERATED_SOURCES:
            values["partition"] = "random"
        return values

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the keys that contradict one another or the source."""
        source, target, features = values.get("source"), values.get("target"), values.get("features") or ()
        found = []
        if values.get("agent") is not None and values.get("partition") is not None:
            found.append(("partition", "not together with data.agent, which already deals the rows: leave one out"))
        if target is not None and target in features:
            found.append(("features", f'the target "{target}" cannot be a feature as well'))
        if len(set(features)) < len(features):
            twice = sorted({name for name in features if list(features).count(name) > 1})
            found.append(("features", f"named more than once: {', '.join(twice)}"))
        if target is not None and target == values.get("agent"):
            found.append(("agent", f'the target "{target}" cannot name the agents as well'))
        if source is None:
            return found
        own = SOURCE_TARGETS.get(source)
        if own is None and "target" in values and target is None:
            found.append(("target", "missing; needed the name of the column to predict"))
        if own is not None and target not in (None, own):
            found.append(("target", f'needed "{own}", which is what "{source}" predicts; got "{target}"'))
        if source in GENERATED_SOURCES:
            refused = [key for key in ("agent", "partition", "features", "order") if values.get(key) is not None]
            found += [
                (key, f'not for "{source}", which makes its own agents and inputs: leave it out') for key in refused
            ]
        elif values.get("observations") is not None:
            found.append(("observations", f"only for {_either(GENERATED_SOURCES)}, which are generated: leave it out"))
        for key, why in REFUSED_BY_SOURCE.get(source, {}).items():
            if values.get(key) is not None:
                found.append((key, f'not for "{source}", {why}: leave it out'))
        return found


class AgentsSettings(Settings):
    """The agents and the model that each of them learns."""

    count: Count = Field(default=100, description="number of agents; ignored where data.agent names a column")
    basis: Literal["inducing", "rff"] = Field(
        default="inducing", description="what makes features of inputs: inducing inputs, or random Fourier features"
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
        description="learned together over the graph, held at their start, or learned by each agent alone",
    )
    lengthscale: Positive | Positives | Literal["pilot"] = Field(
        default="pilot",
        description="in scaled inputs, one or one per feature; the start where learned; from the pilot sample",
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
    inducing_choice: Literal["conditional-variance", "kmeans"] = Field(
        default="conditional-variance", description="how inducing inputs are chosen from the pilot sample"
    )
    pilot: int = Field(
        default=2000,
        ge=2,
        description="rows of the training data that everyone holds before the start: scaling, inducing inputs, "
        "starting values",
    )
    projection: Literal["diagonal", "full"] = Field(default="diagonal", description="form of the projection W")
    projection_std: float = Field(
        default=0.0, ge=0, description="standard deviation of the factorised Gaussian q(W); 0 is a point estimate"
    )
    importance_samples: Count = Field(default=20, description='samples of W that encoding = "importance" keeps')
    learning_rate: Positive = Field(default=0.02, description="step size on the log hyper-parameters")
    jitter: Positive = Field(
        default=1e-6, description="added to the unit-variance kernel matrix of the inducing inputs"
    )

    @classmethod
    def completed(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Give q(W) a width where importance weights need one."""
        if values.get("encoding") == "importance" and values.get("projection_std", 0.0) == 0:
            values["projection_std"] = IMPORTANCE_STD
        return values

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse an uncertain W where its closed forms do not hold, and keys that mean nothing to a basis."""
        if values.get("basis") == "rff":
            return fourier_conflicts(values)
        if problem := extension_problem(values):
            return [("inducing_most", problem)]
        if values.get("shared") == "latent" and values.get("coordinates") == "kernel":
            why = 'evidence about "latent" inducing points is in whitened coordinates: leave it out'
            return [("coordinates", f'"kernel" needs shared = "function"; {why}')]
        uncertain = (values.get("projection_std") or 0) > 0
        if uncertain and values.get("shared") == "function" and values.get("encoding") in ("transport", "stale"):
            why = "the closed forms of E[κκᵀ] under q(W) hold for inducing inputs in the standardized domain"
            return [("projection_std", f'above 0 it needs shared = "latent" or encoding = "importance": {why}')]
        return []


class RunSettings(Settings):
    """How long to run, and what to look at."""

    rounds: Count | Literal["all"] = Field(
        default=30, description='rounds of learning; "all" uses every training row once'
    )
    seed: int = Field(default=0, ge=0, description="everything random follows from it")
    precision: Literal["float64", "float32"] = Field(
        default="float64",
        description="of sums and messages; single precision halves memory, bytes and much of the time",
    )
    probes: Count = Field(default=20, description="agents whose predictions are evaluated and stored")
    checkpoint_minutes: float = Field(
        default=5.0,
        ge=0,
        description="minutes between two checkpoints, from which `coolgp resume` goes on; 0 for one after every round",
    )


class Scenario(BaseModel):
    """Everything that determines a run, resolved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="what the run folder is called after")
    data: DataSettings
    agents: AgentsSettings = AgentsSettings()
    network: NetworkSettings = NetworkSettings()
    fusion: FusionSettings = FusionSettings()
    run: RunSettings = RunSettings()

    def hash8(self) -> str:
        """Eight hexadecimal digits of the contents; the name is not part of them."""
        contents = json.dumps(self.model_dump(mode="json", exclude={"name"}), sort_keys=True)
        return hashlib.sha256(contents.encode()).hexdigest()[:8]

    def to_toml(self) -> str:
        """Every key with its value, as TOML that loads to an equal scenario; keys without a value are left out.

        >>> Scenario(name="one", data=DataSettings(source="airline")).to_toml().splitlines()[2:5]
        ['[data]', 'source = "airline"', 'target = "arr_delay"']
        """
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


SECTIONS: dict[str, type[Settings]] = {
    "data": DataSettings,
    "agents": AgentsSettings,
    "network": NetworkSettings,
    "fusion": FusionSettings,
    "run": RunSettings,
}


def _either(names: Iterable[str]) -> str:
    return " | ".join(f'"{name}"' for name in names)
