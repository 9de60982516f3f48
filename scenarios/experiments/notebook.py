"""How far a run is, in a notebook: one output that is redrawn, by the IPython that runs there; elsewhere nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from html import escape
from time import perf_counter
from typing import Any

from coolgp.scenarios.experiments.kind import Stage

__all__ = ["Redrawn", "notebook_progress"]

EVERY_SECONDS = 0.2


def notebook_progress() -> Callable[[Stage], None]:
    """What shows stages in the notebook that this process belongs to; nothing where it belongs to none."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    if shell is None or getattr(shell, "kernel", None) is None:
        return lambda stage: None
    from IPython.display import display  # it is there, but no dependency

    return Redrawn(display)


class Redrawn:
    """A bar with words that takes the place of the one before. display: IPython's function of that name."""

    def __init__(self, display: Callable[..., Any]) -> None:
        self.display, self.handle, self.last = display, None, float("-inf")

    def __call__(self, stage: Stage) -> None:
        """Show a stage, unless it follows another at once and is not the last."""
        now = perf_counter()
        if now - self.last < EVERY_SECONDS and stage.done < stage.total:
            return
        self.last = now
        words = f"{stage.unit} {stage.done}/{stage.total}: {stage.words}"
        bar = f'<progress value="{stage.done}" max="{stage.total}"></progress> {escape(words)}'
        output = {"text/html": bar, "text/plain": words}
        if self.handle is None:
            self.handle = self.display(output, raw=True, display_id=True)
        else:
            self.handle.update(output, raw=True)
