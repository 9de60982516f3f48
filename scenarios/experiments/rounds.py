"""The loop of rounds as a kind of scenario: agents observe, exchange and are evaluated, round after round."""

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
from coolgp.scenarios.runs.drawn import draw_run
from coolgp.scenarios.runs.guarantee import stated_guarantee
from coolgp.scenarios.runs.prepare import Prepared, prepare, prepare_resume
from coolgp.scenarios.runs.removal import remove_run
from coolgp.scenarios.runs.run import complete
from coolgp.scenarios.simulation.initialisation import SharedStart
from coolgp.scenarios.simulation.state import Record

__all__ = ["ROUNDS", "Rounds", "RoundsJob", "shown_rounds"]


@dataclass(frozen=True)
class Rounds:
    """The loop of rounds; fields and methods as in :class:`coolgp.scenarios.experiments.kind.Kind`."""

    name: str = DEFAULT_KIND
    words: str = "many agents learn and fuse, round after round (the default)"
    scenario: type[Scenario] = Scenario
    one_process: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the table of columns that are written into ``metrics.csv``."""
        return tuple(header(METRICS))

    def start(self, scenario: Scenario, folder: Path, options: Options) -> RoundsJob:
        """Load the data and assemble the simulation."""
        return _job(
            prepare(
                scenario,
                folder,
                overwrite=options.overwrite,
                figures=options.figures,
                anyway=options.anyway,
                watch=_searching(options),
            ),
            folder,
        )

    def resume(self, folder: Path, options: Options) -> RoundsJob:
        """Assemble the simulation where the last checkpoint left it."""
        watch = _searching(options)
        return _job(prepare_resume(folder, figures=options.figures, anyway=options.anyway, watch=watch), folder)

    def draw(self, folder: Path) -> list[Path]:
        """Draw all figures and write the report, from the tables alone."""
        return draw_run(folder)

    def clear(self, folder: Path) -> None:
        """Remove a run, and nothing else, from its folder."""
        remove_run(folder)


ROUNDS = Rounds()


@dataclass
class RoundsJob:
    """The rounds that are about to start. opening: the rule's guarantee. last: the record of the last round."""

    prepared: Prepared
    folder: Path
    opening: str = ""
    last: Record | None = None

    def go(self, watcher: Watcher) -> None:
        """Go through the rounds. Collective."""
        records = complete(self.prepared, shown_rounds(watcher.show), watcher.warn)
        self.last = records[-1] if records else None

    def closing(self) -> list[str]:
        """Errors before and after fusion, what was sent, what was seen of the guarantee, and what to look out for."""
        if self.last is None:
            return []
        scenario, columns = self.prepared.simulation.scenario, read_metrics(self.folder)
        report, shared_start = self.folder / "report.html", self.prepared.simulation.shared_start
        return [
            *_summary(scenario.name, columns, perf_counter() - self.prepared.started),
            observed_words(stated_guarantee(self.prepared.simulation), columns),
            *filter(None, [shared_start.words, scenario.agents.forgetting]),
            *_own_inputs(scenario, self.last),
            *_moved(shared_start, scenario, self.last),
            *_forged(self.folder),
            *_warnings(scenario, self.last),
            *(f"warning: {note}" for note in shared_start.notes),
            f"report: {report}" if report.exists() else f"run folder: {self.folder}",
        ]


def _job(prepared: Prepared, folder: Path) -> RoundsJob:
    root = launched_rank() == 0
    return RoundsJob(prepared, folder, guarantee_words(stated_guarantee(prepared.simulation)) if root else "")


def _searching(options: Options) -> Callable[[int, int], None]:
    """What shows how far the search for the shared start is."""

    def watch(done: int, total: int) -> None:
        options.show(Stage(done, total, "searching hyper-parameters and inducing inputs", unit="iteration"))

    return watch


def shown_rounds(show: Callable[[Stage], None]) -> Callable[[Record, dict[str, float]], None]:
    """What shows a record and its row as a stage of the run."""

    def watch(record: Record, row: dict[str, float]) -> None:
        words = (
            f"RMSE {row['rmse_pre']:.4g} before, {row['rmse_post']:.4g} after fusion, "
            f"{size_text(record.sent.bytes)} in {record.sent.messages:,} messages"
        )
        seconds = record.seconds + (record.probed.seconds if record.probed else 0.0)
        done, total, steps = record.round, record.rounds, record.spanned
        show(Stage(done=done, total=total, words=words, steps=steps, seconds=seconds, numbers=row))

    return watch


def _summary(name: str, columns: Columns, seconds: float) -> list[str]:
    sent, learning = size_text(np.sum(columns["bytes"])), np.sum(columns["seconds"])
    rounds, observations = columns["round"][-1], columns["observations"][-1]
    return [
        f"{name}: {observations:,.0f} observations in {rounds:.0f} rounds, {sent} sent between agents",
        f"RMSE before fusion  {_spread(columns, 'pre')}  (mean ± std over probe agents)",
        f"RMSE after fusion   {_spread(columns, 'post')}",
        f"took {seconds:.1f} s, of which learning and fusion {learning:.1f} s",
    ]


def _spread(columns: Columns, when: str) -> str:
    mean, std = columns[f"rmse_{when}"][-1], columns[f"rmse_{when}_std"][-1]
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
    columns = numbers(folder / HYPERPARAMETERS)
    words = forged_words(columns["forged"].tolist()) if "forged" in columns else ""
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
