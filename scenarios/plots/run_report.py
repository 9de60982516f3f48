"""The report of a run: one HTML file that needs nothing else, made from the run folder alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.agents.encoding import TRUSTED_SAMPLES
from coolgp.fusion.registry import RULES
from coolgp.scenarios.base.files import write_whole
from coolgp.scenarios.base.formatting import counted, forged_words, size_text, uncovered_words
from coolgp.scenarios.config.catalogue import about
from coolgp.scenarios.plots.drawing import not_drawn
from coolgp.scenarios.plots.explorer.contents import explored, explorer_words
from coolgp.scenarios.plots.html import embedded, rendered
from coolgp.scenarios.plots.profiles import spread_words
from coolgp.scenarios.plots.run_figures import FIGURES, draw_all
from coolgp.scenarios.plots.run_tables import (
    change_words,
    final_values,
    hyperparameter_rows,
    key_figures,
    rmse_text,
    rounds_table,
    subset_words,
)
from coolgp.scenarios.records.guarantee import guarantee_words, observed_words
from coolgp.scenarios.records.run_folder import RunFolder
from coolgp.scenarios.records.tables import Columns

__all__ = ["headline", "write_report"]


def write_report(folder: RunFolder, figures: Mapping[str, Path] | None = None) -> Path:
    """Write report.html into the run's folder, the file replaced whole, and return its path.

    `figures` are those that `draw_all` returned; they are drawn where none are given.
    """
    figures = draw_all(folder) if figures is None else figures
    page = rendered(
        "run_report.html.j2",
        folder=folder,
        config=folder.config,
        env=folder.env,
        headline=_unbroken(headline(folder)),
        about=about(folder.config.name, folder.config.data.source),
        guarantee=guarantee_words(folder.guarantee),
        observed=observed_words(folder.guarantee, folder.metrics),
        start="; ".join(filter(None, [folder.env.get("start", ""), folder.config.agents.forgetting])),
        warnings=[
            *folder.env.get("data_notes", ()),
            *folder.env.get("start_notes", ()),
            *_warnings(folder),
            *not_drawn(folder, FIGURES),
        ],
        tiles=key_figures(folder),
        explorer=explored(folder),
        explorer_words=explorer_words(folder),
        figures=[(name, embedded(path), FIGURES[name].caption) for name, path in figures.items()],
        hyperparameters=hyperparameter_rows(folder.hyperparameters),
        rounds=rounds_table(folder.metrics, folder.unit),
        tested=subset_words(folder.metrics),
        columns=final_values(folder.metrics, folder.unit),
        one_process=False,
        command=_command(folder.env),
        rule=_rule_words(folder.config.fusion.rule),
        toml=folder.config.to_toml(),
    )
    path = folder.path / "report.html"
    write_whole(path, page)
    return path


def headline(folder: RunFolder) -> str:
    """Say in two sentences what the run showed."""
    metrics, probes = folder.metrics, len(folder.probes.agents)
    pre, post = rmse_text(folder, "pre"), rmse_text(folder, "post")
    over = f" (mean ± standard deviation over {probes} agents)" if probes > 1 else " (one agent)"
    result = (
        f"{folder.network.agents:,} agents made {metrics['observations'][-1]:,.0f} observations in "
        f"{counted(metrics['round'][-1], 'round')}. Alone, an agent predicts {folder.target} with an RMSE of {pre}"
        f"{over}; after fusion {post}"
    )
    messages, size = np.nansum(metrics["messages"]), np.nansum(metrics["bytes"])
    if not messages:
        return f"{result}. No message was sent, so nothing was fused."
    spread = f", and the spread over agents is {_spread(metrics)}" if probes > 1 else ""
    cost = f"That took {counted(messages, 'message')}, {size_text(size)} in all."
    return f"{result}: {change_words(metrics)}{spread}. {cost}"


def _unbroken(text: str) -> str:
    """Keep numbers and what belongs to them on one line."""
    return text.replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}").replace(" %", "\N{NO-BREAK SPACE}%")


def _spread(metrics: Columns) -> str:
    return spread_words(*(float(metrics[f"rmse_{when}_std"][-1]) for when in ("pre", "post")))


def _warnings(folder: RunFolder) -> list[str]:
    last = {name: float(column[-1]) for name, column in folder.hyperparameters.items()}
    uncovered = uncovered_words(last.get("uncovered", 0.0), last.get("inducing", 0.0))
    false = forged_words(folder.hyperparameters.get("forged", np.array([])).tolist())
    return [*_weight_warnings(folder), *(f"{words[:1].upper()}{words[1:]}." for words in (false, uncovered) if words)]


def _weight_warnings(folder: RunFolder) -> list[str]:
    sizes = folder.hyperparameters.get("effective_sample_size", np.array([]))
    sizes = sizes[np.isfinite(sizes)]
    if not sizes.size or sizes.mean() >= TRUSTED_SAMPLES:
        return []
    return [
        f"The effective sample size of the importance weights is {sizes.mean():.2g} on average: they rest on about one"
        " of the samples of W, so that what was learned under the others is all but lost. Take a smaller"
        ' agents.projection_std, or encoding = "transport".'
    ]


def _command(env: Mapping[str, Any]) -> str:
    return str(env.get("command") or "")


def _rule_words(name: str) -> str:
    """What a rule is: the words before the colon in its own description."""
    if name not in RULES:
        return name
    words = (RULES[name].__doc__ or name).splitlines()[0].partition(":")[0].rstrip(".")
    return f"{words[:1].lower()}{words[1:]}"
