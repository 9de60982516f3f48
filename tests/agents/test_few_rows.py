"""Agents with fewer rows than inducing inputs are predicted from as many directions as they have rows."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents import prediction
from coolgp.agents.batches import Batch
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.model import Model
from coolgp.agents.prediction import Prediction, predict, predict_from_rows
from coolgp.agents.readout import _root
from coolgp.agents.statistics import Evidence

from tests.oracle import BASES, LAYOUTS, QUERIES, build_model, draw, informed, start

CLOSE = 1e-9


def known(model: Model, rows: int, *, alike: bool = False) -> tuple[np.ndarray, Evidence]:
    """Four agents: two with so many rows, one with none, one with many more; hyper-parameters ``θ [4, K]``."""
    few, many = draw(4, rows, 3, full=True), draw(4, 40, 4, full=True)
    mask = np.concatenate([few.mask * [[1], [1], [0], [1]], many.mask * [[0], [0], [0], [1]]], axis=1)
    batch = Batch(np.concatenate([few.x, many.x], axis=1), np.concatenate([few.y, many.y], axis=1), mask)
    theta = np.tile(start(model), (4, 1))
    if not alike:
        theta[1:] = start(model, (1.15, 0.87), signal=0.9, noise=0.1)
    return theta, model.encoding.evidence(model, theta, informed(model, start(model), batch).statistics)


def assert_alike(short: Prediction, long: Prediction, close: float) -> None:
    np.testing.assert_allclose(short.mean, long.mean, rtol=close, atol=close)
    np.testing.assert_allclose(short.variance, long.variance, rtol=close, atol=close)
    np.testing.assert_array_equal(short.noise_variance, long.noise_variance)


@pytest.mark.parametrize("rows", [1, 5, 8])
@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_short_way_predicts_what_the_long_one_does(basis, layout, alike, rows):
    model = build_model(basis, layout)
    theta, evidence = known(model, rows, alike=alike)
    assert_alike(predict_from_rows(model, theta, evidence, QUERIES), predict(model, theta, evidence, QUERIES), CLOSE)


@pytest.mark.parametrize("encoding", ["stale", "importance"])
def test_every_encoding_predicts_alike_by_both_ways(encoding):
    model = build_model("latent", encoding=encoding)
    theta, evidence = known(model, 5)
    assert_alike(predict_from_rows(model, theta, evidence, QUERIES), predict(model, theta, evidence, QUERIES), CLOSE)


def test_kernel_coordinates_lose_no_more_than_they_do_by_the_long_way():
    model = build_model()
    assert isinstance(model.basis, FunctionBasis)
    model = replace(model, basis=replace(model.basis, coordinates="kernel"))
    theta, evidence = known(model, 5)
    assert_alike(predict_from_rows(model, theta, evidence, QUERIES), predict(model, theta, evidence, QUERIES), 1e-6)


def test_sums_in_single_precision_have_no_more_directions_than_rows():
    model = build_model()
    theta, evidence = known(model, 5)
    single = replace(evidence, precision=evidence.precision.astype(np.float32))
    assert len(_root(single.precision[0])) == 5
    short, long = (way(model, theta, single, QUERIES) for way in (predict_from_rows, predict))
    assert_alike(short, long, 1e-4)


def test_few_rows_form_no_posterior_of_all_inducing_inputs(monkeypatch):
    """What the short way saves: without it the law above would hold too."""
    model = build_model()
    theta, evidence = known(model, 5)
    formed = []
    monkeypatch.setattr(prediction, "_formed", lambda model, theta, evidence: formed.append(evidence.count) or 1 / 0)
    predict_from_rows(model, theta[:3], evidence[:3], QUERIES)
    assert not formed
