"""What the report of a run that matches sets of vectors says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from coolgp.fusion.matching.studies.copies import AUTHORS, CopiesStudy
from coolgp.scenarios.base.formatting import counted, number, plus_minus
from coolgp.scenarios.config.scenario import VectorsScenario
from coolgp.scenarios.experiments.report import ExperimentFolder, Findings, ResultTable
from coolgp.scenarios.metrics.matched_columns import METHOD_WORDS
from coolgp.scenarios.metrics.words import described, metric_words
from coolgp.scenarios.plots.vectors import read_draws, scores

__all__ = ["findings"]

OWN = "spahm"
"""The method that is compared with the others."""
SAME = 1e-9
CLEARLY = "Better and worse: the differences on the same draws have a mean of more than two standard errors."
PAPER_STATES = (
    ("local models", 0.28, 0.16),
    ("k-means matching, k = 12", 0.45, 0.25),
    ("SPAHM", 0.48, 0.30),
    ("one HDP-HMM of all sequences", 0.50, 0.40),
)
"""The paper's figure 4: share of steps with the true state, adjusted Rand index."""
Draws = Sequence[dict[str, Any]]


def findings(folder: ExperimentFolder) -> Findings:
    """The main measure of SPAHM and of the best baseline at each noise, tables of all, and published numbers."""
    scenario, draws = folder.config, read_draws(folder.path / "draws.csv")
    study = scenario.vectors.study
    measure, noises = study.measures[0], scenario.vectors.noise
    distances = ", ".join(_value(draws, OWN, measure, noise) for noise in noises)
    count = study.measures[-1]
    number_found = ", ".join(number(float(scores(draws, OWN, count, noise).mean())) for noise in noises)
    used = ", ".join(dict.fromkeys(number(float(value)) for value in folder.metrics["used"]))
    return Findings(
        f"{counted(study.groups, 'group')}, {counted(scenario.run.repeats, 'draw')} at each noise: with a "
        f"{study.level} of {', '.join(f'{noise:g}' for noise in noises)}, SPAHM's "
        f"{_words(measure)} is {distances}, with {number_found} {count} where there are {used} {study.truth}.",
        (*(_table(draws, study, noise) for noise in noises), *_published(scenario, draws)),
        (*(_beside(draws, study, noise) for noise in noises), CLEARLY, *study.remarks),
    )


def _table(draws: Draws, study: Any, noise: float) -> ResultTable:
    header = ["", *(_words(measure) for measure in study.measures), "seconds"]
    rows = [
        [METHOD_WORDS[method], *(_value(draws, method, measure, noise) for measure in (*study.measures, "seconds"))]
        for method in study.methods
    ]
    return ResultTable(
        f"Noise {noise:g}", header, rows, "Means and standard deviations over draws; seconds are of the method alone."
    )


def _beside(draws: Draws, study: Any, noise: float) -> str:
    """Which methods are clearly better and worse than SPAHM at a noise, by the first measure."""
    measure = study.measures[0]
    column, own = described(f"{measure}_{OWN}"), scores(draws, OWN, measure, noise)
    sign = 1 if column is not None and column.better == "higher" else -1
    better, worse, alike = list[str](), list[str](), list[str]()
    for method in study.methods:
        values = scores(draws, method, measure, noise)
        gains = sign * (values - own)
        clear = abs(gains.mean()) > 2 * gains.std() / np.sqrt(len(gains)) + SAME
        group = alike if not clear else better if gains.mean() > 0 else worse
        if method != OWN:
            group.append(f"{METHOD_WORDS[method]} ({number(float(values.mean()))})")
    groups = (("better", better), ("worse", worse), ("not clearly different", alike))
    clauses = "; ".join(f"{words}: {', '.join(methods)}" for words, methods in groups if methods)
    return f"At noise {noise:g}, against SPAHM's {_words(measure)} of {number(float(own.mean()))}: {clauses}."


def _published(scenario: VectorsScenario, draws: Draws) -> list[ResultTable]:
    """What others found, beside what was found here."""
    measure = scenario.vectors.study.measures[0]
    return PUBLISHED[measure](scenario, draws) if measure in PUBLISHED else []


def _of_copies(scenario: VectorsScenario, draws: Draws) -> list[ResultTable]:
    """The authors' simulation, where the settings are theirs."""
    noises = [noise for noise in scenario.vectors.noise if noise in AUTHORS]
    return [_authors(draws, noises)] if noises and scenario.vectors.study == CopiesStudy() else []


def _of_states(scenario: VectorsScenario, draws: Draws) -> list[ResultTable]:
    """The paper's, of other data."""
    return [_paper_states()]


def _authors(draws: Draws, noises: Sequence[float]) -> ResultTable:
    rows = []
    for noise in noises:
        mean, spread, atoms = AUTHORS[noise]
        here = [_value(draws, method, "hausdorff", noise) for method in (OWN, "published")]
        atoms_here = number(float(scores(draws, OWN, "atoms", noise).mean()))
        rows.append([f"{noise:g}", plus_minus(mean, spread), *here, number(atoms), atoms_here])
    return ResultTable(
        "Beside the authors' code",
        ["noise", "Hausdorff, authors", "here", "here, published settings", "atoms, authors", "here"],
        rows,
        "The authors' code was run on 10 draws of its own, with 47.8 atoms in the mean; draws here differ. "
        "The distance is the symmetric Hausdorff distance of both. It is the noise that a lone copy has, about "
        "noise × √dimensions, and not an error of matching: an atom of one group alone cannot be known better.",
    )


def _paper_states() -> ResultTable:
    rows = [[words, number(agreement), number(index)] for words, agreement, index in PAPER_STATES]
    return ResultTable(
        "In the paper, on other data",
        ["", "share of steps with the true state", "adjusted Rand index"],
        rows,
        "Two people's motion capture, three sequences each, 12 channels; local models are sticky "
        "HDP-HMMs, which choose their number of states (9 and 13; 14 after matching). The data do not come with a "
        "package: here sequences are drawn, and local models are Gaussian HMMs with a given number of states.",
    )


def _value(draws: Draws, method: str, measure: str, noise: float) -> str:
    values = scores(draws, method, measure, noise)
    return plus_minus(float(np.mean(values)), float(np.std(values)))


def _words(measure: str) -> str:
    return metric_words(f"{measure}_{OWN}").removesuffix(f", {METHOD_WORDS[OWN]}")


PUBLISHED: dict[str, Callable[[VectorsScenario, Draws], list[ResultTable]]] = {
    "hausdorff": _of_copies,
    "rand": _of_states,
}
"""Tables of numbers that others published, by the main measure of a study."""
