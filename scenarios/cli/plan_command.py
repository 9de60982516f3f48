"""``coolgp plan``: what a run needs, on this machine or on the nodes of a cluster, and a batch script for these."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coolgp.scenarios.cli.messages import check_agents, explained, say, show_table
from coolgp.scenarios.config.catalogue import scenario_named

if TYPE_CHECKING:
    from coolgp.scenarios.config.scenario import Scenario
    from coolgp.scenarios.planning.nodes import PlannedNodes

__all__ = ["PLAN_EXAMPLES", "plan"]

PLAN_EXAMPLES = (
    "Examples:  coolgp plan airline   |   coolgp plan study.toml --agents 1000000 --ranks 8   |   "
    "coolgp plan sensors --agents 200000 --set agents.inducing=16 --set run.precision=float32 --json   |   "
    "coolgp plan sensors --agents 1000000 --ranks 64 --ranks-per-node 16 --memory-per-node 64G   |   "
    "coolgp plan study.toml --ranks-per-node 16 --memory-per-node 64G --slurm study.sh"
)


def plan(
    scenario: Annotated[str, typer.Argument(help="A scenario's name (see `coolgp list`) or a TOML file.")],
    agents: Annotated[int | None, typer.Option(help="Number of agents: agents.count.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Any key of the scenario; repeatable."),
    ] = None,
    ranks: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="MPI ranks of the run; none is started. Default: 1, and on a cluster as many as fill the fewest "
            "nodes that it fits on.",
        ),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Bytes and seconds for a program.")] = False,
    ranks_per_node: Annotated[
        int | None, typer.Option(min=1, help="Plan for a cluster: so many ranks on each node.")
    ] = None,
    memory_per_node: Annotated[
        str | None, typer.Option(metavar="SIZE", help="What a node of the cluster has, such as 64G.")
    ] = None,
    cores_per_rank: Annotated[int, typer.Option(min=1, help="Cores of each rank on the cluster.")] = 1,
    gbits: Annotated[float, typer.Option(help="Gbit/s that a node of the cluster sends.")] = 10.0,
    slurm: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a batch script for SLURM, filled in; - prints it.")
    ] = None,
) -> None:
    """Say before a run what it needs: memory of each rank, bytes of a communication round, time; in seconds.

    With --ranks-per-node for a cluster: how many nodes, what crosses between them, and the share of time that takes.
    """
    with explained():
        overrides = [*([] if agents is None else [f"agents.count={agents}"]), *(set_ or [])]
        chosen = scenario_named(scenario, overrides)
        check_agents(chosen)
        for module in ("cli.follow_run", "plots.run_report"):  # all that a run loads counts
            import_module(f"coolgp.scenarios.{module}")
        if ranks_per_node is None:
            _refuse_alone({"--memory-per-node": memory_per_node, "--slurm": slurm})
            _plan_here(chosen, ranks or 1, json_=json_)
            return
        asked = Asked(ranks, ranks_per_node, cores_per_rank, memory_per_node, gbits)
        if slurm is None:
            _plan_nodes(chosen, asked, json_=json_)
        else:
            _write_script(chosen, asked, slurm, [scenario, *(part for key in overrides for part in ("--set", key))])


@dataclass(frozen=True)
class Asked:
    """What the command line says of a cluster; ranks and memory where it says them."""

    ranks: int | None
    ranks_per_node: int
    cores: int
    memory: str | None
    gbits: float


def _refuse_alone(given: dict[str, object]) -> None:
    """Refuse options that speak of a cluster where nothing else does. Raises ValueError."""
    for option, value in given.items():
        if value is not None:
            raise ValueError(f"{option} is for a cluster: say --ranks-per-node too, how many ranks share a node")


def _plan_here(scenario: Scenario, ranks: int, *, json_: bool) -> None:
    from coolgp.scenarios.planning.cluster import check_dealt
    from coolgp.scenarios.planning.duration import measure
    from coolgp.scenarios.planning.limits import loaded
    from coolgp.scenarios.planning.memory import estimate
    from coolgp.scenarios.planning.tables import as_json, tables

    dataset = loaded(scenario)
    needs = estimate(scenario, ranks, dataset)
    check_dealt(needs.shape.agents, ranks)
    duration = measure(scenario, needs, dataset)
    if json_:
        print(as_json(needs, duration))
        return
    for title, rows in tables(needs, duration).items():
        show_table(title, rows)


def _planned(scenario: Scenario, asked: Asked) -> PlannedNodes:
    from coolgp.scenarios.planning.cluster import Cluster, bytes_of
    from coolgp.scenarios.planning.nodes import plan_nodes

    memory = None if asked.memory is None else bytes_of(asked.memory, "--memory-per-node")
    cluster = Cluster(
        ranks=asked.ranks or 0,
        ranks_per_node=asked.ranks_per_node,
        cores=asked.cores,
        node_bytes=memory,
        gbits=asked.gbits,
    )
    return plan_nodes(scenario, cluster)


def _plan_nodes(scenario: Scenario, asked: Asked, *, json_: bool) -> None:
    from coolgp.scenarios.planning.cluster_tables import cluster_json, cluster_tables

    planned = _planned(scenario, asked)
    if json_:
        print(cluster_json(planned))
    else:
        for title, rows in cluster_tables(planned).items():
            show_table(title, rows)
    if planned.problem:
        say(f"warning: {planned.problem}")


def _write_script(scenario: Scenario, asked: Asked, path: Path, run: list[str]) -> None:
    from coolgp.scenarios.planning.slurm import script_of

    if path.exists():
        raise ValueError(f"{path}: there is such a file already: remove it, or take another name")
    planned = _planned(scenario, asked)
    if planned.problem:
        raise ValueError(f"no script is written: {planned.problem}")
    script = script_of(planned, scenario.name, run)
    if str(path) == "-":
        typer.echo(script, nl=False)
        return
    path.write_text(script, encoding="utf-8")
    print(f"{path}: {planned.words}; start it with: sbatch {path}")
