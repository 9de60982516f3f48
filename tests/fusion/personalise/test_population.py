"""A population learned from owners' evidence, beside dense Gaussian formulas on their rows."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from coolgp.agents.base.arrays import Array
from coolgp.agents.statistics import Evidence
from coolgp.fusion.matching.core.over_graph import summed
from coolgp.fusion.personalise.learning import learn
from coolgp.fusion.personalise.population import Population, maximised, moment_rows, moment_sum
from coolgp.network.graphs.given import checked_graph

from tests.fusion.personalise.tasks import NOISE, World, alike, world


def populations(size: int, rng: np.random.Generator) -> Population:
    root = rng.normal(size=(size, size))
    return Population(rng.normal(size=size), root @ root.T / size + 0.1 * np.eye(size))


def many(here: World, spread: float = 0.2, owners: int = 12) -> Evidence:
    return here.evidence([here.rows(weights, 30) for weights in alike(here, owners, spread)])


def test_posterior_and_evidence_equal_those_of_the_dense_gaussian() -> None:
    here = world(0)
    tasks = [here.rows(weights, 12) for weights in alike(here, 3, 0.5)]
    evidence = here.evidence(tasks)
    prior, other = populations(8, here.rng), Population.standard(8)

    means, covariances = prior.posterior(evidence)
    gain = prior.log_evidence(evidence) - other.log_evidence(evidence)
    for task, (x, y) in enumerate(tasks):
        phi = here.features(x)
        inverse = np.linalg.inv(phi @ prior.covariance @ phi.T + NOISE**2 * np.eye(len(y)))
        across = prior.covariance @ phi.T @ inverse
        np.testing.assert_allclose(means[task], prior.mean + across @ (y - phi @ prior.mean), atol=1e-9)
        np.testing.assert_allclose(covariances[task], prior.covariance - across @ phi @ prior.covariance, atol=1e-9)
        dense = [
            multivariate_normal(phi @ p.mean, phi @ p.covariance @ phi.T + NOISE**2 * np.eye(len(y))).logpdf(y)
            for p in (prior, other)
        ]
        assert gain[task] == pytest.approx(dense[0] - dense[1], abs=1e-7)


def test_a_step_is_the_formula_of_em() -> None:
    here = world(1)
    evidence, prior, shrinkage = many(here), populations(8, here.rng), 3.0
    means, covariances = prior.posterior(evidence)
    mean = means.sum(0) / (len(means) + 0.5)
    scatter = covariances.sum(0) + (means - mean).T @ (means - mean)
    step = maximised(moment_rows((prior,), evidence).sum(0), 8, shrinkage)
    np.testing.assert_allclose(step.mean, mean, atol=1e-12)
    np.testing.assert_allclose(
        step.covariance, (scatter + shrinkage * np.eye(8)) / (len(means) + shrinkage), atol=1e-10
    )


def test_a_sum_in_one_place_is_that_of_the_rows_of_its_members() -> None:
    here = world(1)
    evidence, prior, members = many(here), populations(8, here.rng), np.array([0, 3, 7])
    expected = moment_rows((prior,), evidence[members]).sum(0)
    np.testing.assert_allclose(moment_sum(prior, evidence, members), expected, atol=1e-12)


def test_a_population_learned_over_a_tree_is_that_learned_in_one_place() -> None:
    evidence = many(world(2))
    topology = checked_graph(nx.random_labeled_tree(12, seed=3), 12)

    def total(rows: Array) -> Array:
        return np.broadcast_to(summed(rows, topology), rows.shape)

    central, decentral = learn(evidence), learn(evidence, total=total)
    assert central.shrinkages == decentral.shrinkages
    for name in ("mean", "covariance"):
        expected = getattr(central.populations[0], name)
        np.testing.assert_allclose(getattr(decentral.populations[0], name), expected, atol=1e-9)


def test_owners_whose_sums_differ_learn_one_population_each() -> None:
    evidence = many(world(2))
    apart = learn(evidence, total=lambda rows: rows.sum(0) + np.zeros_like(rows))
    assert len(apart.populations) == 12
    together = learn(evidence).populations[0]
    for own in apart.populations:
        np.testing.assert_allclose(own.covariance, together.covariance, atol=1e-9)


def test_tasks_that_share_nothing_are_shrunk_and_tasks_alike_are_not() -> None:
    here = world(4)
    unrelated, same = learn(many(here, spread=1.0, owners=40)), learn(many(here, spread=0.0, owners=40))
    assert unrelated.shrinkages[0] >= 50 * same.shrinkages[0]
    assert np.trace(same.populations[0].covariance) < 0.2 * np.trace(unrelated.populations[0].covariance)


def test_without_evidence_the_population_stays_what_a_gp_says() -> None:
    nothing = Evidence(np.zeros((6, 8, 8)), np.zeros((6, 8)), np.zeros(6), np.zeros(6))
    learned = learn(nothing).populations[0]
    np.testing.assert_allclose(learned.mean, 0.0, atol=1e-12)
    np.testing.assert_allclose(learned.covariance, np.eye(8), atol=1e-9)
