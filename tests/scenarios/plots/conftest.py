"""What the tests of figures and reports share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from coolgp.scenarios.plots.style import STYLE

from tests.scenarios.plots.made_runs import write_run


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Write a run of given settings; its folder."""
    return partial(write_run, tmp_path)


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw coarsely, in a third of the time."""
    monkeypatch.setitem(STYLE, "savefig.dpi", 50)
