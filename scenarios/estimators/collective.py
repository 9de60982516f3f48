"""COOL-GP as a scikit-learn estimator: agents learn in this process, and one of them predicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, overload

import networkx as nx
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from coolgp.agents.base.arrays import Array
from coolgp.network.graphs.interchange import from_networkx
from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.data.partitions import PARTITIONS
from coolgp.scenarios.estimators.groups import at_least_one, dealt, names_of, place_of, places_of
from coolgp.scenarios.estimators.sections import with_settings
from coolgp.scenarios.simulation.assembly import assemble, one_thread
from coolgp.scenarios.simulation.learning import begin
from coolgp.scenarios.simulation.rounds import learned_rounds
from coolgp.scenarios.simulation.state import RunState, Simulation

__all__ = ["CollectiveGPRegressor"]


@dataclass(frozen=True)
class _Learned:
    """What a fit leaves: the parts of the run, and its state."""

    simulation: Simulation
    run_state: RunState


class CollectiveGPRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Agents on a graph learn a sparse Gaussian process together, without a server; one of them predicts.

    ``fit`` deals the rows to agents, who observe them in batches and exchange messages with their neighbours after each
    batch (COOL-GP, AAAI 2019). With the rule "tree" every agent then predicts as a sparse Gaussian process of all rows.
    ``partial_fit`` lets the same agents observe more rows.

    Parameters
    ----------
    n_agents : int
        Agents among which rows are dealt at random, where neither `groups` nor a graph of networkx says who there is.
    n_inducing : int
        Inducing inputs M, common to all agents; as many as the first fit has distinct rows where these are fewer.
    kernel : str
        A name of ``coolgp.agents.KERNELS``: "se", "matern32" or "matern52".
    graph : str or networkx.Graph
        A kind of graph ("ring", "small-world", ...), or a graph whose nodes are the agents.
    rule : str
        A name of ``coolgp.fusion.RULES``: "tree", "consensus", "rbcm", ...
    hyperparameters : "collective", "fixed" or "local"
        Learned together, fixed at their start, or learned by each agent alone.
    batch_size : int
        Rows that an agent observes between two exchanges.
    forget : float
        What agents know counts by this share, above 0, after each batch: below 1 for functions that change.
    settings : mapping or None
        Any other key of a scenario, as ``{"network.loss": 0.1, "fusion.rounds_per_step": 5}``.
    random_state : int, RandomState or None
        Everything random follows from it.

    Attributes
    ----------
    agents_ : tuple of str
        The agents' names.
    guarantee_ : str
        What the rule guarantees on this network, in a sentence.
    n_rounds_ : int
        Rounds of learning so far.
    scenario_ : Scenario
        All settings, resolved.
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(-3, 3, size=(400, 1))
    >>> y = np.sin(x[:, 0]) + 0.1 * rng.normal(size=400)
    >>> model = CollectiveGPRegressor(n_agents=8, n_inducing=15, random_state=0).fit(x, y)
    >>> mean, std = model.predict(np.array([[0.5]]), return_std=True)
    >>> bool(abs(mean[0] - np.sin(0.5)) < 0.1), bool(0.05 < std[0] < 0.2), len(model.agents_)
    (True, True, 8)
    """

    def __init__(
        self,
        n_agents: int = 10,
        n_inducing: int = 100,
        kernel: str = "se",
        graph: str | nx.Graph[Any] = "small-world",
        rule: str = "tree",
        hyperparameters: str = "collective",
        batch_size: int = 20,
        forget: float = 1.0,
        settings: Mapping[str, Any] | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_agents = n_agents
        self.n_inducing = n_inducing
        self.kernel = kernel
        self.graph = graph
        self.rule = rule
        self.hyperparameters = hyperparameters
        self.batch_size = batch_size
        self.forget = forget
        self.settings = settings
        self.random_state = random_state

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Let agents learn from X ``[n, D]`` and y ``[n]``, from the start; groups ``[n]``: the agent of each row.

        Raises ValueError where settings, graph and groups do not fit together, with every problem at once.
        """
        X, y = self._validated(X, y, reset=True)
        names, owner = self._dealt(X, names_of(groups, X))
        with one_thread():
            simulation = self._assembled(_dataset(X, y, owner, names, self._features()))
            self._learn(simulation, begin(simulation))
        return self

    def partial_fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Let the same agents learn from more rows; the first call is that of ``fit``.

        Raises ValueError for groups that the first call had no agent for.
        """
        if not hasattr(self, "_learned"):
            return self.fit(X, y, groups)
        X, y = self._validated(X, y, reset=False)
        before = self._learned
        labels, turn, known = names_of(groups, X), before.run_state.turn, self.agents_
        owner = self._at_random(X, len(known), turn) if labels is None else places_of(labels, known, "agents")
        dataset = replace(before.simulation.dataset, training=Dealt(X, y, owner))
        with one_thread():
            self._learn(replace(before.simulation, dataset=dataset), before.run_state)
        return self

    @overload
    def predict(self, X: Any, return_std: Literal[False] = False, agent: str | None = None) -> Array: ...
    @overload
    def predict(self, X: Any, return_std: Literal[True], agent: str | None = None) -> tuple[Array, Array]: ...
    def predict(self, X: Any, return_std: bool = False, agent: str | None = None) -> Array | tuple[Array, Array]:
        """Mean ``[Q]`` at X ``[Q, D]``; with return_std also the standard deviation ``[Q]`` of an observation there.

        agent: the name of the agent that predicts, the first by default. Raises ValueError for another name.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        simulation, known = self._learned.simulation, self._learned.run_state
        asked = 0 if agent is None else place_of(agent, self.agents_, "agent")
        row = np.flatnonzero(simulation.transport.shard.agents == asked)
        scaler = simulation.shared_start.scaler
        with one_thread():
            answer = simulation.rule.predict(
                known.state, known.population, row, scaler.inputs(X), simulation.transport
            ).checked()
        mean: Array = scaler.mean(answer.mean)[0]
        if not return_std:
            return mean
        return mean, np.sqrt(scaler.variance(answer.variance + answer.noise_variance[:, None])[0])

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Floats, Floats]:
        checked = validate_data(self, X, y, y_numeric=True, dtype=np.float64, ensure_min_samples=2, reset=reset)
        return checked[0], np.asarray(checked[1], dtype=np.float64)

    def _features(self) -> tuple[str, ...]:
        named = getattr(self, "feature_names_in_", None)
        return tuple(f"x{place}" for place in range(self.n_features_in_)) if named is None else tuple(named)

    def _dealt(self, X: Floats, labels: tuple[str, ...] | None) -> tuple[Sequence[str], Ints]:
        """The agents' names, and the agent ``[n]`` of each row."""
        self._seed = int(check_random_state(self.random_state).randint(2**31))
        count = at_least_one("n_agents", self.n_agents)
        return dealt(labels, self.graph, count, "agents", lambda agents: self._at_random(X, agents, 0))

    def _at_random(self, X: Floats, agents: int, turn: int) -> Ints:
        """Rows dealt out in turn, to as many agents as there are rows where these are fewer."""
        return PARTITIONS["random"](X, min(agents, len(X)), self._seed + turn)

    def _assembled(self, dataset: Dataset) -> Simulation:
        if isinstance(self.graph, nx.Graph):
            return assemble(self._resolved(dataset, {}), dataset, from_networkx(self.graph))
        return assemble(self._resolved(dataset, {"topology": self.graph}), dataset)

    def _resolved(self, dataset: Dataset, network: dict[str, Any]) -> Scenario:
        """The scenario of these parameters. Raises ConfigError with every problem."""
        assert isinstance(dataset.training, Dealt)
        distinct = len(np.unique(dataset.training.x, axis=0))
        sections: dict[str, dict[str, Any]] = {
            "data": {"source": "synthetic"},
            "agents": {
                "count": len(dataset.agents),
                "inducing": min(at_least_one("n_inducing", self.n_inducing), distinct),
                "kernel": self.kernel,
                "hyperparameters": self.hyperparameters,
                "batch_size": self.batch_size,
                "forget": self.forget,
            },
            "network": network,
            "fusion": {"rule": self.rule},
            "run": {"rounds": "all", "seed": self._seed},
        }
        return resolve(with_settings(sections, self.settings), type(self).__name__)

    def _learn(self, simulation: Simulation, run_state: RunState) -> None:
        """All rounds that the agents' rows last for."""
        first, size = run_state.turn, simulation.scenario.agents.batch_size
        training, scaler = simulation.dataset.training, simulation.shared_start.scaler
        stream = training.stream(simulation.transport.shard, scaler, size, self._seed + first)
        simulation = _lasting(simulation, first - (-(training.most or 0) // size))
        for _, _, after, _ in learned_rounds(simulation, lambda turn: stream.batch(turn - first), run_state):
            run_state = after
        self._learned = _Learned(_without_rows(simulation), run_state)
        self.agents_, self.n_rounds_ = tuple(simulation.dataset.agents), run_state.turn
        self.guarantee_ = f"{simulation.guarantee.kind}: {simulation.guarantee.why}"
        self.scenario_ = simulation.scenario


def _without_rows(simulation: Simulation) -> Simulation:
    """The simulation once all rows are in the agents' sums: an estimator keeps none."""
    dataset = simulation.dataset
    nothing = _dataset(dataset.x_test, dataset.y_test, np.zeros(0, np.int64), dataset.agents, dataset.features)
    return replace(simulation, dataset=nothing)


def _lasting(simulation: Simulation, rounds: int) -> Simulation:
    """The simulation with so many rounds in all."""
    scenario = simulation.scenario
    run = scenario.run.model_copy(update={"rounds": rounds})
    return replace(simulation, scenario=scenario.model_copy(update={"run": run}))


def _dataset(X: Floats, y: Floats, owner: Ints, names: Sequence[str], features: tuple[str, ...]) -> Dataset:
    """Training rows alone."""
    nothing = np.zeros((0, X.shape[1]))
    return Dataset(Dealt(X, y, owner), nothing, nothing[:, 0], features, "y", names)
