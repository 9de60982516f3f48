"""The loop that matching is timed against does the same work: it finds the same labels."""

import sys

import pytest

from tests.paths import ROOT

sys.path.append(str(ROOT))  # benchmarks is a folder beside the packages, and never installed

from coolgp.fusion.matching.studies.simulated import drawn_copies

from benchmarks.measured import matching
from tests.fusion.matching.problems import partition_of

SIZES = pytest.mark.parametrize(("groups", "atoms", "dimensions", "sweeps"), [(4, 8, 6, 2), (8, 20, 15, 4)])


@SIZES
def test_a_loop_over_vectors_finds_the_labels_of_spahm(groups: int, atoms: int, dimensions: int, sweeps: int) -> None:
    copies = drawn_copies(1, groups, 2.0, atoms, dimensions).groups
    ours, loop = matching.spahm_labels(copies, sweeps), matching.plain_spahm(copies, sweeps)
    assert partition_of(ours) == partition_of(loop)


@SIZES
def test_a_loop_over_units_finds_the_labels_of_pfnm(groups: int, atoms: int, dimensions: int, sweeps: int) -> None:
    networks, counts = matching.copies_of_units(1, groups, atoms, dimensions)
    ours, loop = matching.pfnm_labels(networks, counts, sweeps), matching.plain_pfnm(networks, counts, sweeps)
    assert partition_of(ours) == partition_of(loop)
