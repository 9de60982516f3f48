"""How large a run fits on this machine: the refusal of what would not fit, with the table of what it needs."""

from __future__ import annotations

from dataclasses import dataclass

from coolgp.fusion.registry import rule_named
from coolgp.fusion.rule import FusionRule
from coolgp.network.graphs.topology import Topology
from coolgp.network.launcher import local_size
from coolgp.scenarios.base.formatting import size_text
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sections.fusion import FusionSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.planning.machine import available_bytes, resident_bytes
from coolgp.scenarios.planning.memory import Estimate, estimate
from coolgp.scenarios.simulation.network import Plan

__all__ = ["Admitted", "NoRoom", "admit", "loaded", "memory_table", "shortfall", "smaller"]

SINGLE = ('run.precision = "float32"',)


class NoRoom(ValueError):
    """A run that needs more memory than there is."""


@dataclass(frozen=True)
class Admitted:
    """A run that fits. dataset: its rows where they had to be read; network: its own, where it was planned to see."""

    dataset: Dataset | None
    network: Plan | None = None


def admit(
    scenario: Scenario, ranks: int, dataset: Dataset | None, topology: Topology | None, *, anyway: bool
) -> Admitted:
    """Admit a run that fits into what this machine has left, or that is to be tried ``anyway``.

    Takes some 10 ms, before anything large is made. dataset, topology: as of :func:`estimate`. Raises NoRoom, with the
    table and what would help.
    """
    rows = loaded(scenario, dataset)
    if anyway:
        return Admitted(rows)
    needs = estimate(scenario, ranks, rows, topology)
    local = min(ranks, local_size())
    missing = shortfall(needs, local, local)
    if missing > 0:
        lines = [f"{name:<28}{size:>10}" for name, size in memory_table(needs)]
        advice = _advice(scenario.fusion, scenario.run, needs)
        raise NoRoom("\n".join([f"{scenario.name} would not fit: {_more(needs, missing)}", *lines, advice]))
    return Admitted(rows, needs.shape.network.plan if needs.shape.exact else None)


def loaded(scenario: Scenario, dataset: Dataset | None = None) -> Dataset | None:
    """The rows where they must be read to know how many they are; None where they are generated, and not given."""
    return load(scenario) if dataset is None and not source_named(scenario.data.source).generated else dataset


def shortfall(needs: Estimate, ranks: int, started: int = 1) -> float:
    """Bytes that are missing on this machine for so many ranks of the run, of which some have started; or below 0."""
    return ranks * needs.peak.bytes - started * resident_bytes() - available_bytes()


def memory_table(needs: Estimate) -> list[tuple[str, str]]:
    """What each rank needs at the peak, by parts, and then in all."""
    rows = [(name, size_text(size)) for name, size in needs.peak.parts.items()]
    return [*rows, ("each rank, at the peak", size_text(needs.peak.bytes)), ("while", needs.peak.name)]


def _more(needs: Estimate, missing: float) -> str:
    ranks = f"each of {needs.ranks} ranks" if needs.ranks > 1 else "it"
    return f"{ranks} needs {size_text(needs.peak.bytes)} at the peak, {size_text(missing)} more than this machine has"


def _advice(fusion: FusionSettings, run: RunSettings, needs: Estimate) -> str:
    ways = smaller(run)
    default, network = FusionSettings(), needs.shape.network.plan
    fitted = rule_named(default.rule).fit(network.topology, network.faults)
    if fusion.rule != default.rule and _rule_rows(fitted, network) < _rule_rows(network.rule, network):
        ways.append(f'fusion.rule = "{default.rule}"')
    return f"take {', '.join(ways)}, or more machines; --anyway (in Python anyway=True) tries it as it is"


def smaller(run: RunSettings) -> list[str]:
    """Ways to make a run smaller, whatever its rule."""
    return ["fewer agents (agents.count)", "a smaller agents.inducing", *SINGLE * (run.precision == "float64")]


def _rule_rows(rule: FusionRule, network: Plan) -> float:
    """Rows that a fitted rule has in memory on a network, on its way to the fixed point."""
    rows = rule.guarantee(network.topology, network.faults).settling
    return rows.count(network.topology.size, len(rule.links(network.topology).indices))
