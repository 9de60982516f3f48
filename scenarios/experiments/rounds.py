"""Loops of rounds as kinds of scenario: agents observe, exchange and are evaluated, round after round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from coolgp.agents.encoding import TRUSTED_SAMPLES
from coolgp.agents.features.basis import FunctionBasis
from coolgp.network.launcher import launched_rank
from coolgp.scenarios.base.formatting import forged_words, size_text, uncovered_words
from coolgp.scenarios.config.scenario import DEFAULT_KIND, Scenario
from coolgp.scenarios.experiments.kind import Options, Stage, Watcher
from coolgp.scenarios.metrics.column import HYPERPARAMETERS, METRICS
from coolgp.scenarios.metrics.rows import header
from coolgp.scenarios.records.guarantee import guarantee_words, observed_words
from coolgp.scenarios.records.run_folder import read_metrics
from coolgp.scenarios.records.tables import Columns, numbers
from coolgp.scenarios.runs.go import Row, Watch
from coolgp.scenarios.runs.guarantee import stated_guarantee
from coolgp.scenarios.runs.prepare import Prepared, prepare, prepare_resume
from coolgp.scenarios.runs.run import NUMBERS, Output, complete
from coolgp.scenarios.runs.tabled import Tabled, TabledNumbers
from coolgp.scenarios.simulation.initialisation import SharedStart
from coolgp.scenarios.simulation.state import Record

__all__ = ["ROUNDS", "Rounds", "RoundsJob", "shown_rounds", "spread_words"]


def _errors(row: Row) -> str:
    return f"RMSE {row['rmse_pre']:.4g} before, {row['rmse_post']:.4g} after fusion"


def _spreads(columns: Columns) -> list[str]:
    return [
        f"RMSE before fusion  {spread_words(columns, 'rmse_pre')}  (mean ± std over probe agents)",
        f"RMSE after fusion   {spread_words(columns, 'rmse_post')}",
    ]


@dataclass(frozen=True)
class Rounds:
    """A loop of rounds; fields and methods as in :class:`coolgp.scenarios.experiments.kind.Kind`, and:

    tabled: records as tables. output: what becomes of the folder. scores: those of a line of ``metrics.csv`` in words,
    while the rounds go. ended: those of the last one, in lines.
    """

    name: str = DEFAULT_KIND
    words: str = "many agents learn and fuse, round after round (the default)"
    scenario: type[Scenario] = Scenario
    columns: tuple[str, ...] = tuple(header(METRICS))
    tabled: type[Tabled] = TabledNumbers
    output: Output = NUMBERS
    scores: Callable[[Row], str] = _errors
    ended: Callable[[Columns], list[str]] = _spreads
    one_process: str = ""

    def start(self, scenario: Scenario, folder: Path, options: Options) -> RoundsJob:
        """Load the data and assemble the simulation."""
        return self._job(
            prepare(
                scenario,
                folder,
                overwrite=options.overwrite,
                figures=options.figures,
                anyway=options.anyway,
                watch=_searching(options),
                tabled=self.tabled,
            )
        )

    def resume(self, folder: Path, options: Options) -> RoundsJob:
        """Assemble the simulation where the last checkpoint left it."""
        watch, figures = _searching(options), options.figures
        return self._job(
            prepare_resume(folder, figures=figures, anyway=options.anyway, watch=watch, tabled=self.tabled)
        )

    def draw(self, folder: Path) -> list[Path]:
        """Draw all figures and write the report, from the tables alone."""
        return self.output.draw(folder)

    def clear(self, folder: Path) -> None:
        """Remove a run, and nothing else, from its folder."""
        self.output.clear(folder)

    def _job(self, prepared: Prepared) -> RoundsJob:
        opening = guarantee_words(stated_guarantee(prepared.simulation)) if launched_rank() == 0 else ""
        return RoundsJob(self, prepared, opening)


ROUNDS = Rounds()


@dataclass
class RoundsJob:
    """The rounds that are about to start. opening: the rule's guarantee. last: the record of the last round."""

    kind: Rounds
    prepared: Prepared
    opening: str = ""
    last: Record | None = None

    def go(self, watcher: Watcher) -> None:
        """Go through the rounds. Collective."""
        records = complete(self.prepared, shown_rounds(watcher.show, self.kind.scores), watcher.warn, self.kind.output)
        self.last = records[-1] if records else None

    def closing(self) -> list[str]:
        """Scores before and after fusion, what was sent, what was seen of the guarantee, and what to look out for."""
        folder, simulation = self.prepared.folder, self.prepared.simulation
        if self.last is None or folder is None:
            return []
        scenario, shared_start, columns = simulation.scenario, simulation.shared_start, read_metrics(folder)
        report, seconds = folder / "report.html", perf_counter() - self.prepared.started
        return [
            _learned(scenario.name, columns),
            *self.kind.ended(columns),
            f"took {seconds:.1f} s, of which learning and fusion {np.sum(columns['seconds']):.1f} s",
            observed_words(stated_guarantee(simulation), columns),
            *filter(None, [shared_start.words, scenario.agents.forgetting]),
            *_own_inputs(scenario, self.last),
            *_moved(shared_start, scenario, self.last),
            *_forged(folder),
            *_warnings(scenario, self.last),
            *(f"warning: {note}" for note in shared_start.notes),
            f"report: {report}" if report.exists() else f"run folder: {folder}",
        ]


def _searching(options: Options) -> Callable[[int, int], None]:
    """What shows how far the search for the shared start is."""

    def watch(done: int, total: int) -> None:
        options.show(Stage(done, total, "searching hyper-parameters and inducing inputs", unit="iteration"))

    return watch


def shown_rounds(show: Callable[[Stage], None], scores: Callable[[Row], str] = _errors) -> Watch:
    """What shows a record and its row as a stage of the run; scores: of the row, in words."""

    def watch(record: Record, row: Row) -> None:
        words = f"{scores(row)}, {size_text(record.sent.bytes)} in {record.sent.messages:,} messages"
        seconds = record.seconds + (record.probed.seconds if record.probed else 0.0)
        done, total, steps = record.round, record.rounds, record.spanned
        show(Stage(done=done, total=total, words=words, steps=steps, seconds=seconds, numbers=row))

    return watch


def _learned(name: str, columns: Columns) -> str:
    sent, rounds, observations = size_text(np.sum(columns["bytes"])), columns["round"][-1], columns["observations"][-1]
    return f"{name}: {observations:,.0f} observations in {rounds:.0f} rounds, {sent} sent between agents"


def spread_words(columns: Columns, name: str) -> str:
    """A score in the last round: its mean over probes, and standard deviation."""
    mean, std = columns[name][-1], columns[f"{name}_std"][-1]
    return f"{mean:.4g} ± {std if std > 1e-9 * mean else 0.0:.2g}"


def _own_inputs(scenario: Scenario, last: Record) -> list[str]:
    """How many inducing inputs agents chose, and how many they have in common, where these are not the same."""
    if scenario.agents.inducing_choice != "own" or last.probed is None:
        return []
    own, common = scenario.agents.inducing, last.probed.basis.size
    return [f"Inducing inputs: {own} of each agent's own, matched in {common} common ones, which messages are about."]


def _moved(shared_start: SharedStart, scenario: Scenario, last: Record) -> list[str]:
    """How far inducing inputs moved, where they could."""
    if not scenario.agents.learn_inducing or last.probed is None:
        return []
    basis, lengthscale = last.probed.basis, shared_start.model.layout.lengthscale(shared_start.start)
    assert isinstance(basis, FunctionBasis)
    away = float(np.sqrt(np.square((basis.inducing - shared_start.inducing_inputs) / lengthscale).mean()))
    return [f"Inducing inputs: moved by {away:.3g} lengthscales (root mean square over inputs) since the start."]


def _forged(folder: Path) -> list[str]:
    """That false messages were taken in, where it was seen."""
    tables = [numbers(path) for path in (folder / HYPERPARAMETERS, folder / METRICS) if path.is_file()]
    words = "".join(forged_words(columns["forged"].tolist()) for columns in tables if "forged" in columns)
    return [f"warning: {words}"] * bool(words)


def _warnings(scenario: Scenario, last: Record) -> list[str]:
    if last.probed is None:
        return []
    size = float(last.probed.sample_size.mean())
    few_samples = (
        f"warning: the importance weights have an effective sample size of {size:.2f} of "
        f'{scenario.agents.importance_samples}: old batches count for little; take encoding = "transport"'
    )
    uncovered = uncovered_words(float(last.probed.uncovered.mean()), last.probed.basis.size)
    return [few_samples] * (size < TRUSTED_SAMPLES) + [f"note: {uncovered}"] * bool(uncovered)
