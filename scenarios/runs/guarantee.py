"""The guarantee of a run, from its simulation: how near the rule comes to the exact sum on this network."""

from __future__ import annotations

from coolgp.scenarios.records.guarantee import StatedGuarantee, fault_words
from coolgp.scenarios.simulation.state import Simulation

__all__ = ["stated_guarantee"]


def stated_guarantee(simulation: Simulation) -> StatedGuarantee:
    """The guarantee, with the network and the faults that it is about."""
    guarantee, topology = simulation.guarantee, simulation.topology
    return StatedGuarantee(
        rule=simulation.scenario.fusion.rule,
        agents=topology.size,
        links=topology.edge_count,
        kind=guarantee.kind,
        why=guarantee.why,
        rounds=guarantee.rounds,
        gap=guarantee.gap,
        tolerance=getattr(simulation.rule, "tolerance", None),
        faults=tuple(fault_words(simulation.faults)),
    )
