"""Laws of the ways in which rules match models over a graph."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Expert
from coolgp.agents.experts.models.base import LocalRows, labelled
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.experts.task import Task, with_network
from coolgp.fusion.apart.members import Fused, Members, asked
from coolgp.fusion.apart.registry import apart_rule_named
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.settings import Setting
from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.serial import SerialTransport

CLASSES = Task(("cat", "dog", "owl"))
RING, SMALL, SMALL_RING = (generate(*graph) for graph in (("ring", 5, 0), ("small-world", 6, 1), ("small-world", 5, 1)))
PRIOR = {"mass": 1.0, "noise_variance": 0.3, "prior_variance": 2.0}
WAYS = pytest.mark.parametrize("way", ["tree", "token"])


def network(seed: int, *hidden: int) -> Network:
    """Noisy copies of some of the units of one network, in any order."""
    rng, own = np.random.default_rng(0), np.random.default_rng(seed)
    sizes = [2, *(2 * width for width in hidden), 3]
    weights = [2.0 * rng.normal(size=shape) for shape in pairwise(sizes)]
    biases = [rng.normal(size=size) for size in sizes[1:]]
    picks = [np.arange(2), *(own.permutation(2 * width)[:width] for width in hidden), np.arange(3)]
    some = [matrix[np.ix_(*both)] for matrix, both in zip(weights, pairwise(picks), strict=True)]
    return Network(
        tuple(matrix + 0.1 * own.normal(size=matrix.shape) for matrix in some),
        tuple(bias[pick] for bias, pick in zip(biases, picks[1:], strict=True)),
        classes=np.arange(3),
    )


def classifiers(nets: list[Network]) -> Members:
    rng = np.random.default_rng(3)
    experts = tuple(labelled(net, f"expert {seed}", CLASSES) for seed, net in enumerate(nets))
    sizes = range(6, 6 + len(nets))
    rows = tuple(LocalRows(rng.normal(size=(n, 2)), rng.integers(2, size=n).astype(float)) for n in sizes)
    return answered(CLASSES, experts, rows, rng.normal(size=(7, 2)))


def answered(task: Task, experts: tuple[Expert, ...], rows: tuple[LocalRows, ...], queries: Any) -> Members:
    members = Members(task=task, experts=experts, rows=rows, queries=queries, answers=queries)
    return replace(members, answers=asked(experts, members))


def of_agents(members: Members, agents: np.ndarray) -> Members:
    experts, rows = (tuple(each[agent] for agent in agents) for each in (members.experts, members.rows))
    return replace(members, experts=experts, rows=rows, answers=members.answers[agents])


def fused(rule: str, members: Members, topology: Topology, rounds: int = 0, **options: Any) -> Fused:
    """What agents end with, in the order of their ids."""
    made = apart_rule_named(rule, options).fit(topology, PERFECT)
    transport = SerialTransport(made.links(topology))
    members = of_agents(members, transport.shard.agents)
    state = made.init(members, transport)
    state = made.exchange(state, members, transport, rounds) if rounds else made.converge(state, members, transport)
    result = made.fused(state, members, transport)
    order = np.argsort(transport.shard.agents)
    return replace(result, answers=result.answers[order], parameters=result.parameters[order])


@pytest.mark.parametrize("hidden", [(4,), (4, 3)])
@pytest.mark.parametrize("read_out", ["map", "mean", "split"])
def test_networks_merged_by_messages_are_those_merged_in_one_process(hidden: tuple[int, ...], read_out: str) -> None:
    members = classifiers([network(seed, *(width + seed % 2 for width in hidden)) for seed in range(6)])
    setting = Setting(PRIOR["mass"], PRIOR["noise_variance"], PRIOR["prior_variance"], read_out)
    counts = np.stack([rows.counts(3) for rows in members.rows])
    expected = PFNM(settings=(setting,), sweeps=2).fuse(
        [expert.parameters for expert in members.experts], class_counts=counts, graph=SMALL
    )
    found = fused("pfnm", members, SMALL, matching="tree", sweeps=2, read_out=read_out, **PRIOR)
    expert = with_network(members.experts[0], expected.network)
    assert found.parameters.tolist() == [expected.network.size] * 6
    np.testing.assert_allclose(found.answers, [asked([expert], members)[0]] * 6, atol=1e-10)


@WAYS
def test_owners_choose_among_all_priors_as_everybody_does_alone(way: str) -> None:
    """Where units are far apart all ways match alike, and the grid is the same."""
    members = classifiers([network(seed, 4) for seed in range(5)])
    alike = fused("pfnm", members, RING)
    found = fused("pfnm", members, RING, matching=way, sweeps=3)
    assert found.parameters[0] == alike.parameters[0]
    np.testing.assert_allclose(found.answers, alike.answers, atol=1e-8)


@WAYS
def test_permuted_copies_are_fused_to_the_same_function(way: str) -> None:
    one = network(1, 4)
    copies = []
    for order in [np.random.default_rng(seed).permutation(4) for seed in range(5)]:
        weights = one.weights[0][:, order], one.weights[1][order]
        copies.append(replace(one, weights=weights, biases=(one.biases[0][order], one.biases[1])))
    members = classifiers(copies)
    for topology in (RING, generate("star", 5, seed=0)):
        found = fused("pfnm", members, topology, matching=way, read_out="split", mass=1.0)
        np.testing.assert_allclose(found.answers, members.answers, atol=1e-10)
        assert found.parameters[0] == one.size


@WAYS
def test_until_units_are_matched_agents_predict_by_their_own_networks(way: str) -> None:
    members = classifiers([network(seed, 4) for seed in range(5)])
    options = {"matching": way, "read_out": "split", **PRIOR}
    np.testing.assert_array_equal(fused("pfnm", members, RING, rounds=8, **options).answers, members.answers)
    late = fused("pfnm", members, RING, rounds=100, **options)
    np.testing.assert_array_equal(late.answers, fused("pfnm", members, RING, **options).answers)


def test_an_output_layer_is_refitted_for_units_that_were_merged() -> None:
    members = classifiers([network(seed, 4) for seed in range(5)])
    plain, refitted = (fused("pfnm", members, RING, matching="tree", head=head, **PRIOR) for head in ("fused", "refit"))
    assert refitted.parameters[0] == plain.parameters[0]
    assert (refitted.answers != plain.answers).any()


@pytest.fixture(scope="module")
def gps() -> tuple[list[SparseGPRegressor], Members]:
    rng = np.random.default_rng(5)
    models, rows = [], []
    for place in range(5):
        x = np.column_stack([rng.uniform(place - 1.5, place + 1.5, 60), rng.uniform(-1, 1, 60)])
        y = np.sin(x[:, 0]) + 0.3 * x[:, 1] + 0.1 * rng.normal(size=60)
        models.append(SparseGPRegressor(n_inducing=7 + place % 2, random_state=place, max_iter=5).fit(x, y))
        rows.append(LocalRows(x, y))
    experts = tuple(expert_of(model) for model in models)
    return models, answered(Task(), experts, tuple(rows), rng.uniform(-1, 5, (9, 2)))


@pytest.mark.parametrize("form", ["evidence", "published"])
def test_inducing_inputs_merged_by_messages_are_those_merged_in_one_process(form: Any, gps: Any) -> None:
    models, members = gps
    expected = SPAHM(sweeps=0, noise_variance=0.05, prior_variance=1.0, learn=False).fuse(models, RING, form=form)
    found = fused("spahm", members, RING, matching="tree", sweeps=0, form=form, noise_variance=0.05)
    assert found.parameters.tolist() == [expected.model.size] * 5
    assert len(expected.counts) < sum(len(own) for own in expected.labels)
    mean, std = expected.predict(members.queries, return_std=True)
    np.testing.assert_allclose(found.answers, [np.stack([mean, std**2], axis=1)] * 5, rtol=1e-7)


@WAYS
@pytest.mark.parametrize("via", ["consensus", "server"])
def test_what_carries_the_evidence_does_not_change_what_matches(way: str, via: str, gps: Any) -> None:
    tree = fused("spahm", gps[1], SMALL_RING, matching=way)
    other = fused("spahm", gps[1], SMALL_RING, matching=way, via=via)
    assert (tree.parameters == other.parameters).all()
    np.testing.assert_allclose(other.answers, tree.answers, rtol=1e-7)


@pytest.mark.parametrize("rule", ["pfnm", "spahm"])
def test_where_not_all_models_fit_in_memory_the_message_names_a_way_that_does(
    rule: str, gps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = {"pfnm": classifiers([network(seed, 4) for seed in range(5)]), "spahm": gps[1]}[rule]
    monkeypatch.setattr("coolgp.fusion.sums.flood.MOST_BYTES", 1000)
    with pytest.raises(ValueError, match=r'take fusion\.matching = "tree" or "token"'):
        fused(rule, members, RING)
    assert np.isfinite(fused(rule, members, RING, matching="tree").answers).all()


@WAYS
@pytest.mark.parametrize("rule", ["pfnm", "spahm"])
def test_a_network_that_fails_is_refused_whatever_the_way(rule: str, way: str) -> None:
    with pytest.raises(ValueError, match="where nothing fails"):
        apart_rule_named(rule, {"matching": way}).fit(RING, Faults(loss=0.1))


@pytest.mark.parametrize("hidden", [(4,), (4, 3)])
def test_the_next_round_starts_from_the_labels_of_the_one_before(hidden: tuple[int, ...]) -> None:
    """Without walks the labels stay, and the network is that of the units which were trained on."""
    members = classifiers([network(seed, *hidden) for seed in range(5)])
    made = apart_rule_named("pfnm", {"matching": "tree", "sweeps": 0, "local_epochs": 1, **PRIOR}).fit(RING, PERFECT)
    transport = SerialTransport(made.links(RING))
    members = of_agents(members, transport.shard.agents)

    def trained_on(place: int, start: Network, epochs: int, round: int) -> Expert:
        moved = tuple(weights + 0.01 * (1 + place) for weights in start.weights)
        return labelled(replace(start, weights=moved), f"expert {place}", CLASSES)

    members = replace(members, trained_on=trained_on)
    first = made.converge(made.init(members, transport), members, transport)
    made.fused(first, members, transport)
    further = made.further(first, members, transport, 1)
    second = made.converge(made.again(first, further, transport), further, transport)
    found = made.fused(second, further, transport)
    networks = [expert.parameters for expert in further.experts]
    counts = np.stack([rows.counts(3) for rows in further.rows])
    earlier = first.result[0]
    assert [net.widths for net in networks] == [expert.parameters.widths for expert in members.experts]
    (expected,) = PFNM(settings=(earlier.setting,), sweeps=0).candidates(networks, counts, earlier.labels)
    expert = with_network(members.experts[0], expected.network)
    np.testing.assert_allclose(found.answers, [asked([expert], members)[0]] * 5, atol=1e-10)
