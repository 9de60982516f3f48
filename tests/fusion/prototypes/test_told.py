"""Records of experts, handed on over a graph: each part of it knows what a centre with its experts would.

Run as a program on several ranks, this file saves what every agent predicts into the folder that it is given.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Classifier
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.fusion.prototypes.fusion import TaskAgnosticFusion
from coolgp.fusion.prototypes.messages.told import told_experts
from coolgp.network.graphs.topology import Topology, from_edges
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import Faults
from coolgp.network.partition import partition
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

from tests.fusion.prototypes.digits import IMAGES, LABELS

OWN = ((2, 3), (4, 5), (6, 7), (3, 8), (5, 9))
"""Classes of each expert; the new task has the others."""
PARTS = ((0, 2, 4), (1, 3))
GRAPH = from_edges(np.array([0, 2, 1]), np.array([2, 4, 3]), len(OWN))
ROUNDS = 2
POOL, QUERIES = IMAGES[:300], IMAGES[1000:1010]
CLASSES = np.arange(2, 10)
EXAMPLES = np.concatenate([np.flatnonzero(digit == LABELS)[-2:] for digit in (0, 1)])
METHODS = {"background": {}, "embedding": {"epochs": 2, "steps": 2, "joint_epochs": 1, "concepts": 50, "styles": 4}}


def boxes() -> list[BlackBox]:
    rows = [np.flatnonzero(np.isin(LABELS, own))[-60:] for own in OWN]
    models = [LogisticRegression(max_iter=200).fit(IMAGES[own], LABELS[own]) for own in rows]
    return [BlackBox(expert_of(model, f"expert {number}")) for number, model in enumerate(models)]


def predicted(experts: tuple[BlackBox, ...], method: str = "background") -> np.ndarray:
    fitted = TaskAgnosticFusion(method, seed=1, **METHODS[method]).fit(experts, POOL)  # type: ignore[arg-type]
    return fitted.adapt(IMAGES[EXAMPLES], LABELS[EXAMPLES]).predict_proba(QUERIES)


def told(transport: Transport, rounds: int = ROUNDS) -> list[tuple[BlackBox, ...]]:
    every = boxes()
    return told_experts([every[agent] for agent in transport.shard.agents], CLASSES, POOL, transport, rounds)


@pytest.mark.parametrize("method", METHODS)
def test_each_part_of_a_graph_is_a_centre_of_its_own_experts_to_the_bit(method: str) -> None:
    transport = SerialTransport(GRAPH)
    by_agent = dict(zip(transport.shard.agents.tolist(), told(transport), strict=True))
    for part in PARTS:
        central = predicted(tuple(boxes()[owner] for owner in part), method)
        for agent in part:
            assert [box.name for box in by_agent[agent]] == [f"expert {owner}" for owner in part]
        np.testing.assert_array_equal(predicted(by_agent[part[-1]], method), central)


def test_what_is_lost_is_told_again_and_before_that_fewer_are_known() -> None:
    faults = Faults(loss=0.4)
    channel = FaultyTransport(SerialTransport(GRAPH), Dynamics(GRAPH, faults, seed=0), faults, seed=0)
    known = [[box.name for box in each] for each in told(channel, 40)]
    assert known == [[box.name for box in each] for each in told(SerialTransport(GRAPH))]
    assert [len(each) for each in told(SerialTransport(GRAPH), 0)] == [1] * len(OWN)


def test_an_expert_that_fails_is_known_to_nobody() -> None:
    def fails(x: np.ndarray) -> np.ndarray:
        raise RuntimeError("gone")

    every, transport = boxes(), SerialTransport(GRAPH)
    every[2] = BlackBox(Classifier("broken", fails, np.array([6, 7])))
    with pytest.warns(UserWarning, match="broken: .*gone"):
        known = told_experts([every[agent] for agent in transport.shard.agents], CLASSES, POOL, transport, ROUNDS)
    places = transport.shard.agents.tolist()
    assert [box.name for box in known[places.index(0)]] == ["expert 0", "expert 4"]


def test_a_record_answers_about_the_pool_alone() -> None:
    box = told(SerialTransport(GRAPH))[0][0]
    np.testing.assert_array_equal(box.predict_proba(POOL[3:5]), boxes()[int(box.name[-1])].predict_proba(POOL)[3:5])
    with pytest.raises(ValueError, match="known by its answers about the pool alone"):
        box.predict_proba(QUERIES)


def all_predictions(connected: Callable[[Topology], Transport]) -> np.ndarray | None:
    transport = connected(GRAPH)
    return transport.gather(np.stack([predicted(each) for each in told(transport)]))


def test_ranks_tell_the_same_to_the_bit(tmp_path: Path, on_ranks: Callable[..., CompletedProcess[str]]) -> None:
    done = on_ranks(2, Path(__file__), tmp_path / "told.npy")
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "told.npy"), all_predictions(SerialTransport))


def main(path: str) -> None:
    from coolgp.network.mpi import MPITransport, world

    predictions = all_predictions(lambda links: MPITransport(links, partition(links, world().size)))
    if predictions is not None:
        np.save(path, predictions)


if __name__ == "__main__":
    main(sys.argv[1])
