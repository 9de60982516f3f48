"""The report of a run: one HTML file that needs nothing else, made from the run folder alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.agents.encoding import TRUSTED_SAMPLES
from coolgp.fusion.registry import RULES
from coolgp.scenarios.base.files import write_whole
from coolgp.scenarios.base.formatting import counted, number, plus_minus, size_text, uncovered_words
from coolgp.scenarios.config.catalogue import about
from coolgp.scenarios.plots.drawing import not_drawn
from coolgp.scenarios.plots.html import embedded, rendered
from coolgp.scenarios.plots.profiles import spread_words
from coolgp.scenarios.plots.run_figures import FIGURES, draw_all
from coolgp.scenarios.records.guarantee import guarantee_words, observed_words
from coolgp.scenarios.records.run_folder import Columns, RunFolder

__all__ = ["headline", "write_report"]

SHOWN_ROUNDS = 12

SUMMED_BY = {
    "tree": "messages between neighbours on a spanning tree",
    "consensus": "repeated averaging between neighbours",
    "chebyshev": "averaging between neighbours, sped up by what was said before",
    "push-sum": "shares of sums and weights pushed on to neighbours",
    "gossip": "averaging by pairs of neighbours at random",
    "flood": "what each agent knows, passed on by all to all",
    "server": "reports to a central server and its answers",
    "central": "a server that pools what all agents know",
    "none": "no rule: the agents do not talk",
}
"""How rules that add up evidence go about it; other rules are called what they call themselves."""


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
        warnings=[*_warnings(folder), *not_drawn(folder, FIGURES)],
        tiles=_tiles(folder),
        figures=[(name, embedded(path), FIGURES[name].caption) for name, path in figures.items()],
        hyperparameters=_hyperparameter_rows(folder.hyperparameters),
        metrics=_metric_rows(folder.metrics),
        unit=f" ({folder.unit})" if folder.unit else "",
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
    pre, post = _error(folder, "pre"), _error(folder, "post")
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
    return f"{result}: {_gain(metrics)}{spread}. That took {counted(messages, 'message')}, {size_text(size)} in all."


def _unbroken(text: str) -> str:
    """Keep numbers and what belongs to them on one line."""
    return text.replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}").replace(" %", "\N{NO-BREAK SPACE}%")


def _error(folder: RunFolder, when: str) -> str:
    mean, std = (float(folder.metrics[f"rmse_{when}{part}"][-1]) for part in ("", "_std"))
    text = plus_minus(mean, std if len(folder.probes.agents) > 1 else math.nan)
    return f"{text} {folder.unit}".strip()


def _gain(metrics: Columns) -> str:
    before, after = (float(metrics[f"rmse_{when}"][-1]) for when in ("pre", "post"))
    if not (math.isfinite(before) and math.isfinite(after) and before > 0):
        return "the change is not known"
    share = 100 * (before - after) / before
    return f"{abs(share):.2g} % {'lower' if share >= 0 else 'higher'}"


def _spread(metrics: Columns) -> str:
    return spread_words(*(float(metrics[f"rmse_{when}_std"][-1]) for when in ("pre", "post")))


def _warnings(folder: RunFolder) -> list[str]:
    last = {name: float(column[-1]) for name, column in folder.hyperparameters.items()}
    few = uncovered_words(last.get("uncovered", 0.0), last.get("inducing", 0.0))
    return [*_weight_warnings(folder), *([f"{few}."] if few else [])]


def _weight_warnings(folder: RunFolder) -> list[str]:
    sizes = folder.hyperparameters.get("effective_sample_size", np.array([]))
    known = sizes[np.isfinite(sizes)]
    if not known.size or known.mean() >= TRUSTED_SAMPLES:
        return []
    return [
        f"The effective sample size of the importance weights is {known.mean():.2g} on average: they rest on about one"
        " of the samples of W, so that what was learned under the others is all but lost. Take a smaller"
        ' agents.projection_std, or encoding = "transport".'
    ]


def _tiles(folder: RunFolder) -> list[tuple[str, str, str]]:
    """Return value, name and note of each key figure."""
    metrics = folder.metrics
    last = {name: float(column[-1]) for name, column in metrics.items()}
    unit = f" {folder.unit}" if folder.unit else ""
    return [
        (_error(folder, "pre"), "RMSE before fusion", "an agent's own observations alone"),
        (_error(folder, "post"), "RMSE after fusion", _gain(metrics)),
        (number(last["nlpd_post"]), "NLPD after fusion", f"{number(last['nlpd_pre'])} before, in nats"),
        (f"{number(last['crps_post'])}{unit}", "CRPS after fusion", f"{number(last['crps_pre'])}{unit} before"),
        (number(last["coverage95_post"]), "coverage after fusion", _coverage_note(last)),
        (f"{number(last['disagreement'])}{unit}", "disagreement", "between predictions after fusion"),
        (size_text(np.nansum(metrics["bytes"])), "sent", f"{np.nansum(metrics['messages']):,.0f} messages"),
        (f"{folder.network.spoken_count:,}", "links used", f"of {folder.network.link_count:,} in the graph"),
        (f"{np.nansum(metrics['seconds']):.3g} s", "computing", f"{counted(folder.env.get('ranks') or 1, 'rank')}"),
    ]


def _coverage_note(last: Mapping[str, float]) -> str:
    others = (f"{number(last[f'coverage{percent}_post'])} inside {percent} %" for percent in (90, 50))
    return f"share inside 95 % intervals; {', '.join(others)}"


def _hyperparameter_rows(columns: Columns) -> list[tuple[str, str, str]]:
    names = [name for name in columns if name != "round" and not name.endswith("_std")]
    nothing = np.full(len(columns["round"]), np.nan)
    rows = []
    for name in names:
        known = np.flatnonzero(np.isfinite(columns[name]))
        if known.size:
            std = columns.get(f"{name}_std", nothing)
            ends = [plus_minus(float(columns[name][i]), float(std[i])) for i in known[[0, -1]]]
            rows.append((_named(name), ends[0], ends[1]))
    return rows


def _named(column: str) -> str:
    words = {"bound": "bound (nats per observation)", "inducing": "inducing inputs"}
    words["uncovered"] = "share of the round's inputs outside their coverage"
    if column.startswith("lengthscale_"):
        return f"length-scale of {column.removeprefix('lengthscale_')} (scaled input)"
    return words.get(column, column.replace("_", " "))


def _metric_rows(metrics: Columns) -> list[list[str]]:
    """Return the first, every k-th and the last round."""
    count = len(metrics["round"])
    chosen = sorted({*range(0, count, -(-count // SHOWN_ROUNDS)), count - 1})
    return [
        [
            f"{metrics['round'][i]:.0f}",
            f"{metrics['observations'][i]:,.0f}",
            *(plus_minus(float(metrics[f"rmse_{w}"][i]), float(metrics[f"rmse_{w}_std"][i])) for w in ("pre", "post")),
            *(number(float(metrics[name][i])) for name in ("nlpd_pre", "nlpd_post")),
            number(float(metrics["coverage95_post"][i])),
            number(float(metrics["disagreement"][i])),
            number(float(metrics["fusion_error"][i]), 2),
            number(float(metrics["communication_rounds"][i]), 12),
            number(float(metrics["messages"][i]), 12),
            size_text(float(metrics["bytes"][i])),
            number(float(metrics["seconds"][i])),
        ]
        for i in chosen
    ]


def _command(env: Mapping[str, Any]) -> str:
    return str(env.get("command") or "")


def _rule_words(name: str) -> str:
    """What a rule is, in a few words: those before the colon in its own description."""
    if name in SUMMED_BY or name not in RULES:
        return SUMMED_BY.get(name, name)
    words = (RULES[name].__doc__ or name).partition(":")[0]
    return f"{words[:1].lower()}{words[1:]}"
