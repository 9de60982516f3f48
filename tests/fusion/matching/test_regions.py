"""The study of sparse Gaussian processes on regions of a field: its draws, and what it has to show."""

import numpy as np

from coolgp.fusion.matching.studies.regions import drawn_regions, regions_study


def test_cells_are_disjoint_and_overlapping_regions_are_full() -> None:
    assert all(len(x) == 50 for x, _ in drawn_regions(0, regions=5, rows=50).rows)
    cells = drawn_regions(0, regions=5, rows=50, overlap=False).rows
    centres = np.stack([x.mean(axis=0) for x, _ in cells])
    assert np.linalg.norm(centres[:, None] - centres, axis=2)[np.triu_indices(5, 1)].min() > 0.05


def test_evidence_through_matched_inputs_beats_all_pairs_together() -> None:
    of = {error.method: error for error in regions_study(seeds=[0], regions=10, rows=250, lengthscale=0.4)}
    assert of["evidence, matched inputs"].rmse < 0.95 * of["all pairs"].rmse
    assert of["evidence, matched inputs"].inducing < 0.7 * of["all pairs"].inducing
    assert of["matched pairs, as published"].rmse < of["k-means of pairs"].rmse
    assert of["matched pairs, as published"].rmse < of["local models"].rmse / 2
    assert of["all rows, in the matched inputs"].rmse < of["evidence, matched inputs"].rmse
