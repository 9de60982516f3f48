"""The simulated study of SPAHM: its draws, its score, and what it has to show."""

import numpy as np
import pytest

from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.fusion.matching.studies.copies import CopiesStudy
from coolgp.fusion.matching.studies.simulated import drawn_copies, estimated, hausdorff, points


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_the_study_finds_the_atoms_that_are_used_and_their_noise(noise: float) -> None:
    draw = CopiesStudy().drawn(noise, 0, SPAHM())
    assert set(draw.outcomes) == set(CopiesStudy().methods)
    for method in ("spahm", "published"):
        measures = draw.outcomes[method].measures
        assert measures["atoms"] == draw.used
        assert measures["hausdorff"] <= 1.5 * noise * np.sqrt(50)
    assert draw.facts["noise_found"] == pytest.approx(noise, rel=0.015)
    assert draw.outcomes["spahm"].measures["hausdorff"] < draw.outcomes["all"].measures["hausdorff"]
    assert draw.matched["atoms"].shape == (draw.used, 50)


def test_vectors_estimated_from_points_lie_by_the_true_ones() -> None:
    copies = drawn_copies(3, groups=3, noise=0.5, atoms=8, dimensions=10)
    centres = estimated(copies, points(copies, 3, size=400), 3)
    assert [own.shape for own in centres.groups] == [own.shape for own in copies.groups]
    nearest = [
        np.linalg.norm(a[:, None] - b, axis=2).min(axis=1) for a, b in zip(copies.groups, centres.groups, strict=True)
    ]
    assert np.median(np.concatenate(nearest)) < 0.2


def test_the_hausdorff_distance_is_symmetric_and_0_of_equal_sets() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(5, 3)), rng.normal(size=(7, 3))
    assert hausdorff(first, second) == pytest.approx(hausdorff(second, first), rel=1e-12)
    assert hausdorff(first, first[::-1]) == pytest.approx(0, abs=1e-7)


def test_draws_are_those_of_their_seed_alone() -> None:
    first, second, other = drawn_copies(1), drawn_copies(1), drawn_copies(2)
    np.testing.assert_array_equal(first.groups[0], second.groups[0])
    assert first.atoms.shape != other.atoms.shape or (first.atoms != other.atoms).any()
