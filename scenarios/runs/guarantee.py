"""The guarantee of a run, from its simulation: how near the rule comes to the exact sum on this network."""

from __future__ import annotations

from coolgp.fusion.guarantee import Guarantee
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.scenarios.records.guarantee import StatedGuarantee, fault_words
from coolgp.scenarios.simulation.state import Simulation

__all__ = ["stated", "stated_guarantee"]


def stated_guarantee(simulation: Simulation) -> StatedGuarantee:
    """The guarantee, with the network and the faults that it is about."""
    tolerance = getattr(simulation.rule, "tolerance", None)
    name, guarantee = simulation.scenario.fusion.rule, simulation.guarantee
    return stated(name, guarantee, tolerance, simulation.topology, simulation.faults)


def stated(
    rule: str, guarantee: Guarantee, tolerance: float | None, topology: Topology, faults: Faults
) -> StatedGuarantee:
    """The guarantee of a rule, by name, on this network; tolerance: to which its rounds are predicted."""
    return StatedGuarantee(
        rule=rule,
        agents=topology.size,
        links=topology.edge_count,
        kind=guarantee.kind,
        why=guarantee.why,
        rounds=guarantee.rounds,
        gap=guarantee.gap,
        tolerance=tolerance,
        faults=tuple(fault_words(faults)),
    )
