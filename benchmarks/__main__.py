"""The command line: one command a benchmark, and ``report``, which writes docs/performance.md from their JSON alone.

Modules that load NumPy are imported inside the commands, once BLAS is held to one thread.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.registry import BENCHMARKS
from benchmarks.threads import pin_blas

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
EXAMPLES = "Examples:  python -m benchmarks update --quick   |   python -m benchmarks report"

TITLE = "Benchmarks of coolgp beside the machine's limits, other libraries and a plain NumPy loop."
app = typer.Typer(no_args_is_help=True, add_completion=False, help=TITLE, epilog=EXAMPLES)
Quick = Annotated[bool, typer.Option("--quick", help="Tiny sizes, to see that it works; stored only where --out says.")]
Out = Annotated[Path | None, typer.Option(help="JSON file to write. Default: benchmarks/results/NAME.json.")]


def measure(name: str, quick: bool, out: Path | None) -> None:
    """Measure the limits and one benchmark, print its table, write its JSON."""
    pin_blas()
    from benchmarks.results import conclude, write
    from benchmarks.table import show

    measurement = import_module(f"benchmarks.measured.{name}").measure(quick)
    result = conclude(name, f"python -m benchmarks {name}{' --quick' if quick else ''}", quick, measurement)
    show(result)
    target = out or (None if quick else RESULTS / f"{name}.json")
    if target:
        write(result, target)
        print(f"written: {target}", file=sys.stderr)


def _add(name: str, words: str) -> None:
    @app.command(name, help=f"Measure {words}.", epilog=f"Example:  python -m benchmarks {name} --quick")
    def one(quick: Quick = False, out: Out = None) -> None:
        measure(name, quick, out)


for each, words in BENCHMARKS.items():
    _add(each, words)


@app.command("all")
def every(quick: Quick = False) -> None:
    """Run all of them, one after another, and write the report."""
    for name in BENCHMARKS:
        measure(name, quick, None)
    if not quick:
        report()


@app.command(epilog="Example:  python -m benchmarks accuracy --inducing 100 --seeds 2")
def accuracy(
    quick: Quick = False,
    data: Annotated[list[str] | None, typer.Option(help="A set of data; all by default. Can be repeated.")] = None,
    inducing: Annotated[list[int] | None, typer.Option(help="M; 100 and 500 by default. Can be repeated.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Draws of each set.")] = 5,
    cells: Annotated[Path, typer.Option(help="File with a line for each cell.")] = RESULTS / "accuracy.jsonl",
    page: Annotated[Path, typer.Option(help="Page to write.")] = ROOT / "docs" / "accuracy.md",
) -> None:
    """Compare fused models with central ones, compute the cells that are missing, and write accuracy.md."""
    pin_blas()
    from benchmarks.accuracy.run import accuracy_page

    say = partial(print, file=sys.stderr, flush=True)
    print(f"written: {accuracy_page(data, inducing, seeds, quick, cells, page, say)}", file=sys.stderr)


@app.command(epilog="Example:  python -m benchmarks learning --data road --seeds 2")
def learning(
    quick: Quick = False,
    data: Annotated[list[str] | None, typer.Option(help="A stream; all by default. Can be repeated.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Draws of each stream.")] = 5,
    first: Annotated[int, typer.Option(min=0, help="The first of these seeds.")] = 0,
    cells: Annotated[Path, typer.Option(help="File with a line for each run.")] = RESULTS / "learning.jsonl",
    page: Annotated[Path, typer.Option(help="Page whose table is written.")] = ROOT / "docs" / "learning.md",
) -> None:
    """Compare modes of learning with fixed hyper-parameters, and write the table of learning.md."""
    pin_blas()
    from benchmarks.learning.run import learning_page

    say = partial(print, file=sys.stderr, flush=True)
    written = learning_page(data, range(first, first + seeds), quick, cells, page, say)
    print(f"written: {written}", file=sys.stderr)


@app.command()
def report(
    results: Annotated[Path, typer.Option(help="Folder with the JSON files.")] = RESULTS,
    docs: Annotated[Path, typer.Option(help="Folder to write performance.md and figures/ into.")] = ROOT / "docs",
) -> None:
    """Write performance.md and its figures from the JSON files alone."""
    from benchmarks.report import write_report

    print(f"written: {write_report(results, docs)}", file=sys.stderr)


if __name__ == "__main__":
    app()
