"""The command line: one command a benchmark, and ``report``, which writes docs/performance.md from their JSON alone.

Modules that load NumPy are imported inside the commands, once BLAS is held to one thread.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.threads import pin_blas

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
NAMES = {
    "update": "agents that take in batches: m = 50, 100, 200; B = 1, 20, 32; float64 and float32",
    "predict": "mean and variance at 1, 32 and 1,000 queries",
    "consensus": "rounds of averaging: N = 1,000 and 10,000; P = 1,000 and 5,150; and what other simulators can start",
    "tree": "an exact sum at every agent along a spanning tree: N = 1,000, 10,000, 100,000",
    "airline": "the whole scenario, from loaded data to report, by parts, on one core and on two",
    "scale": "10^3 to 10^6 agents, each size in processes of its own: seconds, bytes, memory",
    "ranks": "strong and weak scaling from 1 rank to 2, overlap, and the same bits on 4",
    "plan": "memory and time that `coolgp plan` says, beside what three runs take",
}
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

    found = import_module(f"benchmarks.{name}").measure(quick)
    result = conclude(name, f"python -m benchmarks {name}{' --quick' if quick else ''}", quick, found)
    show(result)
    target = out or (None if quick else RESULTS / f"{name}.json")
    if target:
        write(result, target)
        print(f"written: {target}", file=sys.stderr)


def _add(name: str, words: str) -> None:
    @app.command(name, help=f"Measure {words}.", epilog=f"Example:  python -m benchmarks {name} --quick")
    def one(quick: Quick = False, out: Out = None) -> None:
        measure(name, quick, out)


for each, words in NAMES.items():
    _add(each, words)


@app.command("all")
def every(quick: Quick = False) -> None:
    """Run all of them, one after another, and write the report."""
    for name in NAMES:
        measure(name, quick, None)
    if not quick:
        report()


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
