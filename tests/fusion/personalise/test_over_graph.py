"""A population that owners learn by speaking to their neighbours, beside the one that is learned in one place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from coolgp.agents.statistics import Evidence
from coolgp.fusion.personalise.learning import Learned, learn
from coolgp.fusion.personalise.over_graph import OverGraph
from coolgp.fusion.sums.carrier import RepeatedSums
from coolgp.network.graphs.generate import generate
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import Faults
from coolgp.network.serial import SerialTransport

from tests.fusion.personalise.tasks import alike, world

OWNERS = 12
GRAPH = generate("small-world", OWNERS, seed=1)


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    here = world(3)
    return here.evidence([here.rows(weights, 30) for weights in alike(here, OWNERS, 0.2)])


def over(loss: float, **settings: Any) -> OverGraph:
    faults = Faults(loss=loss)
    rule = RepeatedSums(**settings).fit(GRAPH, faults)
    inner = SerialTransport(rule.links(GRAPH))
    return OverGraph(rule, FaultyTransport(inner, Dynamics(GRAPH, faults, seed=2), faults, seed=2) if loss else inner)


def errors(learned: Learned, central: Learned) -> list[float]:
    """Of every owner, the largest error of mean and covariance."""
    (true,) = central.populations
    return [
        max(np.abs(own.mean - true.mean).max(), np.abs(own.covariance - true.covariance).max())
        for own in learned.populations
    ]


@pytest.mark.parametrize("via", ["tree", "consensus", "flood", "central"])
@pytest.mark.parametrize("loss", [0.0, 0.3])
def test_exact_sums_give_every_owner_the_central_population(via: str, loss: float, evidence: Evidence) -> None:
    if loss and via == "consensus":
        pytest.skip("drifts under loss, and is refused")
    learned, central = over(loss, via=via).learn(evidence), learn(evidence)
    assert max(errors(learned, central)) < 1e-9
    assert set(learned.shrinkages) == set(central.shrinkages)
    for place in range(OWNERS):
        own = learned.of(place)
        assert len(own.populations) == len(own.shrinkages) == len(own.pools) == 1
        np.testing.assert_allclose(own.pooled.mean, central.pooled.mean, atol=1e-9)


def test_sums_that_lose_messages_leave_owners_near_it_and_apart(evidence: Evidence) -> None:
    central = learn(evidence)
    found = errors(over(0.1, via="consensus", query_rounds=60).learn(evidence), central)
    assert len(found) == OWNERS
    assert 1e-6 < max(found) < 0.5 * np.abs(central.populations[0].covariance).max()
    with pytest.raises(ValueError, match="query_rounds: needed a number"):
        over(0.1, via="consensus")


def test_each_owner_starts_newcomers_with_its_own(evidence: Evidence) -> None:
    learned = over(0.0, via="consensus", query_rounds=2).learn(evidence)
    assert learned.of(4).populations == (learned.populations[4],)
    assert learned.of(4).pools == (learned.pools[4],)
    assert np.abs(learned.of(4).pooled.mean - learned.of(5).pooled.mean).max() > 1e-6
