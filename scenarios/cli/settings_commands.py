"""``coolgp init``, ``keys``, ``show`` and ``export``: a file to start from, what can be set, and what is set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from coolgp.scenarios.base.files import write_whole
from coolgp.scenarios.cli.messages import explained
from coolgp.scenarios.config.catalogue import catalogue, scenario_named
from coolgp.scenarios.config.scenario import DEFAULT_KIND, Scenario

__all__ = ["EXPORT_EXAMPLES", "INIT_EXAMPLES", "KEYS_EXAMPLES", "SHOW_EXAMPLES", "export", "init", "keys", "show"]

INIT_EXAMPLES = (
    "Examples:  coolgp init rows.csv   |   coolgp init rows.csv --target level --agent station --out study.toml"
)

KEYS_EXAMPLES = (
    "Examples:  coolgp keys   |   coolgp keys agents   |   coolgp keys fusion.rule   |   "
    "coolgp keys experts --kind experts"
)
SHOW_EXAMPLES = "Examples:  coolgp show field   |   coolgp show study.toml --set run.seed=3"
EXPORT_EXAMPLES = (
    "Examples:  coolgp export field > mine.toml   |   coolgp export study.toml --set agents.inducing=200 > larger.toml"
)

ScenarioArgument = Annotated[str, typer.Argument(help="A scenario's name (see `coolgp list`) or a TOML file.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Any key of the scenario; repeatable."),
]


def init(
    table: Annotated[Path, typer.Argument(help="A CSV or Parquet file of rows.")],
    target: Annotated[str | None, typer.Option(help="The column to predict. Default: the last one of numbers.")] = None,
    agent: Annotated[str | None, typer.Option(help="The column that names the agent of each row.")] = None,
    out: Annotated[Path | None, typer.Option(help="The scenario. Default: the table's name with .toml.")] = None,
) -> None:
    """Look at a table and write a commented scenario that suits it: columns, agents, sizes."""
    with explained():
        from coolgp.scenarios.data.first_look import first_look, first_scenario  # reads tables

        out = out or Path(table.stem + ".toml")
        if out.exists():
            raise ValueError(f"{out} exists: choose another file by --out")
        text = first_scenario(first_look(table), target, agent, folder=out.parent)
        write_whole(out, text.encode())
    typer.echo(text, nl=False)
    typer.echo(f"written: {out}\nnext: coolgp run {out}")


def keys(
    section: Annotated[str | None, typer.Argument(help="A section, or one section.key; all where left out.")] = None,
    kind: Annotated[str, typer.Option(help="The kind of scenario (see `coolgp list`).")] = DEFAULT_KIND,
) -> None:
    """Explain the keys of scenarios: what each means, what it takes, and what it is where nobody gives it."""
    with explained():
        from coolgp.scenarios.config.explained_keys import explained_keys  # loads all rules, whose options are keys

        chosen = explained_keys(section, kind)
    console = Console(soft_wrap=True, highlight=False)
    for place, key in enumerate(chosen):
        if place == 0 or key.section != chosen[place - 1].section:
            console.print(f"[bold]{escape(f'[{key.section}]')}[/bold]")
        owners = f" (of {', '.join(key.owners)})" if key.owners else ""
        console.print(f"[bold]{escape(key.key)}[/bold] = {escape(key.default)}{escape(owners)}")
        for words in (key.meaning, f"takes {key.allowed}"):
            console.print(escape(f"    {words}"))


def show(scenario: ScenarioArgument, set_: Overrides = None) -> None:
    """Print all settings of a scenario, with where each comes from: a file and its line, --set, or the default."""
    with explained():
        from coolgp.scenarios.config.explained_keys import origins

        chosen = scenario_named(scenario, set_ or [])
        _print(chosen, origins(chosen, scenario, set_ or []))


def export(scenario: ScenarioArgument, set_: Overrides = None) -> None:
    """Print a scenario as a TOML file to change and run, with what each key means."""
    with explained():
        from coolgp.scenarios.config.explained_keys import explained_keys

        chosen = scenario_named(scenario, set_ or [])
        varied = catalogue()[scenario].grid if scenario in catalogue() else None
        if varied is not None:
            typer.echo(f"# {scenario} varies {', '.join(varied)}, which this file does not: see coolgp sweep --help")
        _print(chosen, {key.dotted: key.meaning for key in explained_keys(kind=chosen.kind)})


def _print(scenario: Scenario, remarks: dict[str, str]) -> None:
    from coolgp.scenarios.config.explained_keys import annotated

    typer.echo(annotated(scenario.to_toml(), remarks), nl=False)
