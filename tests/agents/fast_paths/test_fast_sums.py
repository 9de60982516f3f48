"""Packed sums and folding against a plain loop over rows."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.encoding import Transport
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.model import Model
from coolgp.agents.parameters import Layout
from coolgp.agents.population import FOLD_ROWS, fold, observe
from coolgp.agents.statistics import Evidence

from tests.agents.fast_paths.plain import AGENTS, CLOSE, ENCODINGS, FOLDED, ROWS, Plain, at, plain_evidence, settings
from tests.agents.test_statistics import assert_equal
from tests.oracle import BASES, JITTER, LAYOUTS, build_model, draw, start


@pytest.mark.parametrize("alike", [True, False], ids=["agreeing", "differing"])
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ENCODINGS)
class TestSums:
    """Whatever the basis, layout and encoding; agents with one setting, or each with its own."""

    def test_sums_are_those_of_a_plain_loop(self, encoding, layout, basis, alike):
        model, batches = build_model(basis, layout, encoding), [draw(AGENTS, ROWS, seed) for seed in range(3)]
        theta = settings(model, alike=alike)
        population = at(model, theta)
        for batch in batches:
            population = observe(population, batch)
        expected = plain_evidence(model, theta, *batches)
        assert_equal(population.evidence(), expected, CLOSE[encoding])
        assert_equal(fold(population).evidence(), expected, CLOSE[encoding])

    def test_it_does_not_matter_when_batches_are_folded(self, encoding, layout, basis, alike):
        """Batches of one row and of many, folded after some of them, after each, or all at once."""
        model, rows = build_model(basis, layout, encoding), draw(AGENTS, 30)
        theta = settings(model, alike=alike)
        cuts = {
            "single rows": (range(1, 30), range(30)),
            "ragged": ((1, 2, 9, 10, 25), (2, 4)),
            "at once": ((), ()),
            "at the end": ((3, 17), ()),
        }
        expected = fold(observe(at(model, theta), rows)).evidence()
        bound = 1e-10 if encoding == "importance" else FOLDED  # some of its draws of W make K ill-conditioned
        for name, (places, folds) in cuts.items():
            population, edges = at(model, theta), [0, *places, 30]
            for turn, (low, high) in enumerate(pairwise(edges)):
                batch = Batch(rows.x[:, low:high], rows.y[:, low:high], rows.mask[:, low:high])
                population = observe(population, batch)
                population = fold(population) if turn in folds else population
            assert population.waiting or name == "single rows", name
            assert_equal(population.evidence(), expected, bound)
            assert_equal(fold(population).evidence(), expected, bound)


def test_many_rows_are_folded_by_themselves():
    model = build_model()
    population = at(model, settings(model, alike=True))
    for turn in range(FOLD_ROWS):
        assert len(population.waiting) == turn
        population = observe(population, draw(AGENTS, 1, turn, full=True))
    assert not population.waiting
    np.testing.assert_array_equal(population.statistics.count, np.full(AGENTS, float(FOLD_ROWS)))


@pytest.mark.parametrize("size", [60, 450])
def test_sums_of_an_agent_do_not_depend_on_who_shares_its_block(size):
    model = wide_model(size)
    home = start(model)
    assert model.geometry(home[None]).home.all()
    theta = np.stack([home, home + 0.1, home, home - 0.1])  # features of those at home come of a triangular product
    batch = draw(len(theta), ROWS)
    together = model.encoding.encode(model, theta, batch).rows
    alone = [model.encoding.encode(model, theta[[k]], batch[[k]]).rows[0] for k in range(len(theta))]
    np.testing.assert_array_equal(together, alone)


def wide_model(size: int) -> Model:
    """So many inducing inputs in the plane, whitened."""
    inputs, layout = np.random.default_rng(8).uniform(-2, 2, (size, 2)), Layout(2)
    reference = layout.projection(layout.pack(np.array([0.8, 1.1]), 1.3, 0.05))
    return Model(layout, FunctionBasis(inputs, reference, JITTER), Transport())


def test_reading_what_waits_changes_nothing():
    model = build_model()
    population = observe(at(model, settings(model, alike=False)), draw(AGENTS, ROWS))
    before = population.statistics.rows.copy()
    first, some = population.packed(slice(None)), population.packed(np.array([2, 0]))
    np.testing.assert_array_equal(population.packed(slice(None)), first)
    np.testing.assert_array_equal(some, first[[2, 0]])
    np.testing.assert_array_equal(population.statistics.rows, before)


@pytest.mark.parametrize("encoding", ["transport", "stale"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_sums_of_an_uncertain_projection_are_those_of_its_moments(layout, encoding):
    shape = replace(build_model("latent", layout).layout, uncertain=True)
    model = Model(shape, build_model("latent").basis, build_model("latent", layout, encoding).encoding)
    theta, batch = settings(model, alike=False), draw(AGENTS, ROWS)
    agents = [Plain(model, own).scaled(Plain(model, own).expected([batch], i)) for i, own in enumerate(theta)]
    expected = Evidence(*(np.stack(field) for field in zip(*agents, strict=True)))
    assert_equal(fold(observe(at(model, theta), batch)).evidence(), expected, CLOSE[encoding])
