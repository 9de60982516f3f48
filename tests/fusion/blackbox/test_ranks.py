"""CIGAR and COLBI on several ranks: the same bits as on one.

Run as a program on several ranks, this file saves what every case ends with into the folder that it is given.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.members import Members, asked
from coolgp.fusion.apart.registry import apart_rule_named
from coolgp.network.graphs.generate import generate
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import Faults
from coolgp.network.partition import partition
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

from tests.fusion.blackbox.panels import drawn, gaussians

AGENTS, QUERIES = 12, 5
GRAPH = generate("small-world", AGENTS, seed=2)
MEAN, STD = drawn(1, AGENTS, QUERIES)
CASES: list[dict[str, Any]] = [
    {},
    {"starts": "common", "via": "consensus"},
    {"step": "published", "estimator": "forward", "directions": "independent", "iterations": 4},
    {"step": "scale-free", "estimator": "antithetic", "iterations": 4, "starts": "common"},
    {"via": "gossip", "query_rounds": 20, "iterations": 3, "rounds": 50},
    {"rounds": 17},
    {"rounds": 30, "loss": 0.3},
    {"rule": "colbi", "uncertainty": "mixture"},
    {"rule": "colbi", "family": "sparse-gp", "via": "consensus", "inducing": 3},
    {"rule": "colbi", "rounds": 3, "loss": 0.3, "via": "push-sum"},
    {"rule": "colbi-parameters", "inducing": 3, "climb": 4},
    {"rule": "colbi-parameters", "inducing": 3, "rounds": 20, "via": "flood"},
]


def members(transport: Transport) -> Members:
    boxes = tuple(gaussians(MEAN, STD)[agent] for agent in transport.shard.agents)
    queries = np.arange(QUERIES, dtype=float)[:, None]
    bare = Members(Task(), tuple(box.expert for box in boxes), (), queries, queries, boxes=boxes, unlabelled=queries)
    return replace(bare, answers=asked(bare.experts, bare))


def ended(case: dict[str, Any], connected: Callable[[Any], Transport]) -> dict[str, Any]:
    settings = dict(case)
    rounds, faults = settings.pop("rounds", 0), Faults(loss=settings.pop("loss", 0.0))
    rule = apart_rule_named(settings.pop("rule", "cigar"), settings).fit(GRAPH, faults)
    transport = connected(rule.links(GRAPH))
    if faults.loss:
        transport = FaultyTransport(transport, Dynamics(GRAPH, faults, seed=3), faults, seed=3)
    group = members(transport)
    state = rule.init(group, transport)
    state = rule.exchange(state, group, transport, rounds) if rounds else rule.converge(state, group, transport)
    fused = rule.fused(state, group, transport)
    sent = transport.total(np.array([transport.meter.messages, transport.meter.bytes, fused.density_queries]))
    return {"answers": transport.gather(fused.answers), "sent": sent, "rounds": np.array(transport.meter.rounds)}


@pytest.mark.parametrize("ranks", [3])
def test_any_number_of_ranks_gives_the_same_bits(
    ranks: int, tmp_path: Path, on_ranks: Callable[..., CompletedProcess[str]]
) -> None:
    done = on_ranks(ranks, Path(__file__), tmp_path)
    assert done.returncode == 0, done.stderr
    for number, case in enumerate(CASES):
        with np.load(tmp_path / f"{number}.npz") as distributed:
            for name, values in ended(case, SerialTransport).items():
                np.testing.assert_array_equal(distributed[name], values, err_msg=f"{case} {name}")


def main(folder: str) -> None:
    from coolgp.network.mpi import MPITransport, world

    for number, case in enumerate(CASES):
        results = ended(case, lambda links: MPITransport(links, partition(links, world().size)))
        if results["answers"] is not None:
            np.savez(Path(folder) / f"{number}.npz", **results)


if __name__ == "__main__":
    main(sys.argv[1])
