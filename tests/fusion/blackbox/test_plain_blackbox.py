"""The loop that CIGAR is timed against does the same work: it ends at the same predictions."""

import sys

import numpy as np
import pytest

from tests.paths import ROOT

sys.path.append(str(ROOT))  # benchmarks is a folder beside the packages, and never installed

from benchmarks.measured import blackbox
from benchmarks.plain.blackbox import climbed


@pytest.mark.parametrize("step", ["published", "scale-free"])
def test_a_loop_over_agents_experts_and_draws_ends_where_cigar_does(step: str) -> None:
    mean, std = blackbox.drawn(1, 4, 6)
    group, inputs = blackbox.group_of(mean, std)
    ours = blackbox.by_coolgp(group, inputs, step, 7).answers
    loop = climbed(mean, std, 7, blackbox.DRAWS, blackbox.WIDTH, published=step == "published")
    np.testing.assert_allclose(ours, loop, rtol=1e-9, atol=1e-12)
