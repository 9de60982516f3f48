"""The guarantee of a run, from its simulation: what the rule says of this network before the first message."""

from __future__ import annotations

from coolgp.scenarios.records.guarantee import StatedGuarantee, fault_words
from coolgp.scenarios.simulation.rounds import Simulation

__all__ = ["stated_guarantee"]


def stated_guarantee(simulation: Simulation) -> StatedGuarantee:
    """What is known before the first message."""
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
