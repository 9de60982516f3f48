"""A run of models trained apart, put together: everything that can be wrong with its input is looked at here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Expert
from coolgp.agents.experts.models.base import LocalRows, TrainedModel, TrainsOn, kinds_of
from coolgp.agents.experts.models.registry import name_of
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.registry import apart_rule_named
from coolgp.fusion.apart.rule import ApartRule, ByQueries, LeavesOut, TrainsFurther
from coolgp.fusion.guarantee import Guarantee
from coolgp.network.graphs.schedule import Schedule
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.scenario import ExpertsScenario
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.experts import ExpertsSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.data.loading import load_rows
from coolgp.scenarios.data.scaler import Scaler
from coolgp.scenarios.experiments.apart.files import experts_of_files
from coolgp.scenarios.experiments.apart.queries import check_queries
from coolgp.scenarios.records.asked import boxed
from coolgp.scenarios.records.guarantee import StatedGuarantee, guarantee_words
from coolgp.scenarios.runs.guarantee import stated
from coolgp.scenarios.simulation.network import check_fixed_point, plan_graph

__all__ = ["Prepared", "kind_for", "prepare"]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What a run of models trained apart works with.

    kind: what is trained; boxes: models that were read from files, by agent, in place of it. scaler: between the
    units of the data and those that models are trained in. topology, schedule, faults, links: as of a `Plan`.
    """

    scenario: ExpertsScenario
    dataset: Dataset
    training: Dealt
    task: Task
    scaler: Scaler
    kind: TrainedModel | None
    boxes: tuple[BlackBox, ...]
    topology: Topology
    schedule: Schedule | None
    faults: Faults
    rule: ApartRule
    guarantee: Guarantee
    links: Topology

    def boxed(self, expert: Expert) -> BlackBox:
        """The expert as one that is only asked, with the caps of the scenario."""
        return boxed(self.scenario.experts, expert, by_queries=isinstance(self.rule, ByQueries))

    def rows(self, agent: int) -> LocalRows:
        """The training rows of an agent, by global id, in the units that models are trained in."""
        own = self.training.owner == agent
        return self._scaled(self.training.x[own], self.training.y[own])

    @property
    def kind_names(self) -> list[dict[str, object]]:
        """Of each agent the name of the kind of its model, where kinds differ; else nothing."""
        kinds = () if self.kind is None else kinds_of(self.kind)
        names = [name_of(kind) for kind in kinds]
        agents = range(len(self.dataset.agents))
        return [{"model": names[agent % len(names)]} if len(set(names)) > 1 else {} for agent in agents]

    @property
    def opening(self) -> str:
        """What the rule guarantees on this network, in words."""
        return guarantee_words(self.stated)

    @property
    def stated(self) -> StatedGuarantee:
        """What the rule guarantees on this network."""
        tolerance = getattr(getattr(self.rule, "carrier", None), "tolerance", None)
        return stated(self.scenario.fusion.rule, self.guarantee, tolerance, self.topology, self.faults)

    @property
    def all_rows(self) -> LocalRows:
        """Those of all agents."""
        return self._scaled(self.training.x, self.training.y)

    @property
    def labelled(self) -> LocalRows | None:
        """Rows that were set aside with their targets, in the units that models are trained in."""
        aside = self.dataset.aside
        return None if aside is None or not len(aside.y_labelled) else self._scaled(aside.x_labelled, aside.y_labelled)

    @property
    def unlabelled(self) -> Array | None:
        """Inputs ``[U, D]`` that were set aside without targets, in the units that models are trained in."""
        aside = self.dataset.aside
        return None if aside is None or not len(aside.x_unlabelled) else self.scaler.inputs(aside.x_unlabelled)

    def _scaled(self, x: Array, y: Array) -> LocalRows:
        return LocalRows(self.scaler.inputs(x), y if self.task.labels else self.scaler.target(y))


def prepare(scenario: ExpertsScenario) -> Prepared:
    """Load the data and plan the network. Raises ValueError for whatever does not fit, before any training."""
    experts, seed = scenario.experts, scenario.run.seed
    dataset = load_rows(scenario.data, AgentsSettings(count=experts.agents), RunSettings(seed=seed))
    training = dataset.training
    assert isinstance(training, Dealt)  # sources that draw in every round are refused
    task = Task(dataset.classes)
    kind = None if experts.files else kind_for(experts, task)
    topology, schedule, faults = plan_graph(scenario.network, dataset, scenario.run.rounds, seed)
    rule = _rule(scenario, task, kind, topology, faults)
    by_queries = isinstance(rule, ByQueries)
    failing = experts.at_least is not None and isinstance(rule, LeavesOut)
    boxes = experts_of_files(experts, dataset, task, partial(boxed, experts, by_queries=by_queries), failing=failing)
    check_queries(experts, rule, boxes, dataset)
    guarantee = rule.guarantee(topology, faults)
    check_fixed_point(scenario.fusion, faults, guarantee)
    return Prepared(
        scenario=scenario,
        dataset=dataset,
        training=training,
        task=task,
        scaler=_scaler(training, task, standardize=scenario.data.standardize and kind is not None),
        kind=kind,
        boxes=boxes,
        topology=topology,
        schedule=schedule,
        faults=faults,
        rule=rule,
        guarantee=guarantee,
        links=rule.links(topology),
    )


def kind_for(settings: ExpertsSettings, task: Task) -> TrainedModel:
    """The kind of model that settings name. Raises ConfigError where it does not learn the task."""
    kind: TrainedModel = settings.kind
    for each in kinds_of(kind):
        if task.name not in each.tasks:
            name = name_of(each)
            raise ConfigError(f'experts.model: "{name}" learns {" and ".join(each.tasks)}; the data are of {task.name}')
    return kind


def _rule(
    scenario: ExpertsScenario, task: Task, kind: TrainedModel | None, topology: Topology, faults: Faults
) -> ApartRule:
    name, given = scenario.fusion.rule, scenario.fusion.options
    seeded = {"seed": scenario.run.seed} if "seed" in (scenario.fusion.options_named(name) or {}) else {}
    rule = apart_rule_named(name, seeded | given)
    if isinstance(rule, TrainsFurther) and rule.local_epochs and not isinstance(kind, TrainsOn):
        raise ConfigError(
            "fusion.local_epochs: needs models whose training goes on from given weights: "
            f'experts.model = "mlp"; got "{"files" if kind is None else scenario.experts.model}"'
        )
    rule.check(task)
    return rule.fit(topology, faults)


def _scaler(training: Dealt, task: Task, *, standardize: bool) -> Scaler:
    """Scaling by the moments of all training rows, which are a sum over the agents that everybody has before."""
    width = training.x.shape[1]
    if not standardize:
        return Scaler(np.zeros(width), np.ones(width), 0.0, 1.0)
    spread = training.x.std(axis=0)
    x_scale = np.where(spread > 0, spread, 1.0)
    if task.labels:
        return Scaler(training.x.mean(axis=0), x_scale, 0.0, 1.0)
    y_scale = float(training.y.std()) or 1.0
    return Scaler(training.x.mean(axis=0), x_scale, float(training.y.mean()), y_scale)
