"""Models that are only asked: how often, how many may fail, and who is left out of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from coolgp.agents.experts.queries.black_box import QUERIES, BlackBox
from coolgp.fusion.apart.left_out import LeftOut, TooFewExperts, left_out
from coolgp.fusion.apart.members import Members
from coolgp.fusion.apart.rule import ApartRule, AsksAtInputs, ByQueries, LeavesOut
from coolgp.network.transport import Transport
from coolgp.scenarios.base.errors import ConfigError, FoundByAll
from coolgp.scenarios.base.files import write_table
from coolgp.scenarios.config.sections.experts import ExpertsSettings
from coolgp.scenarios.data.dataset import Dataset

__all__ = ["LEFT_OUT", "Absences", "check_queries"]

LEFT_OUT = "left-out.csv"
"""In the run folder: the models that failed, each with the reason; there where some did."""


def check_queries(experts: ExpertsSettings, rule: ApartRule, boxes: Sequence[BlackBox], dataset: Dataset) -> None:
    """Refuse caps that test rows and inputs set aside exceed, more models than there are, and too few such inputs.

    Raises ConfigError.
    """
    agents, rows = len(dataset.agents), len(np.unique(dataset.x_test, axis=0))
    problems = []
    if experts.at_least is not None and experts.at_least > agents:
        problems.append(f"experts.at_least: needed at most {agents}, the number of agents; got {experts.at_least}")
    if experts.at_least is not None and not isinstance(rule, LeavesOut):
        problems.append("experts.at_least: the rule needs the models of all agents: leave it out")
    caps = [box.queries for box in boxes] or [experts.queries or (QUERIES if isinstance(rule, ByQueries) else None)]
    inputs = 0 if dataset.aside is None else len(dataset.aside.x_unlabelled)
    asked = min(inputs, rule.inputs or inputs) if isinstance(rule, AsksAtInputs) else 0
    least = min((cap for cap in caps if cap is not None), default=rows + asked)
    if least < rows + asked:
        besides = f" and of {asked} inputs set aside" if asked else ""
        needed = f"needed at least {rows + asked}, one for each different test row{besides}"
        problems.append(f"experts.queries: {needed}; got {least}")
    if isinstance(rule, AsksAtInputs) and inputs < rule.least_inputs:
        problems.append(
            f"data.unlabelled_count: needed at least {rule.least_inputs}, inputs that everybody knows, at which models "
            f"are asked; got {inputs}"
        )
    if problems:
        raise ConfigError(*problems)


class Absences:
    """Who is left out of a run so far; the root warns of each and keeps a table."""

    def __init__(self, transport: Transport, rule: ApartRule, folder: Path, warn: Callable[[str], None]) -> None:
        self.transport, self.rule, self.folder, self.warn = transport, rule, folder, warn
        self.known: tuple[LeftOut, ...] = ()

    def __call__(self, members: Members) -> int:
        """How many are out by now. Raises FoundByAll where too few are left, or the rule needs all. Collective."""
        try:
            out = left_out(members, self.transport)
        except TooFewExperts as problem:
            raise FoundByAll(str(problem)) from problem
        if self.transport.root and out != self.known:
            for each in out:
                if each not in self.known:
                    self.warn(f"left out: {each.name}: {each.reason}")
            write_table(
                self.folder / LEFT_OUT,
                [{"agent": each.agent, "model": each.name, "reason": each.reason} for each in out],
            )
        self.known = out
        return len(out)
