"""The documentation says what the code does. ``python -m tests.project.test_docs`` writes its tables anew."""

import re
import sys
from collections.abc import Iterable
from itertools import groupby

import pytest

from coolgp.fusion.registry import RULES, SUM_RULES, rule_named
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import Absence, Faults
from coolgp.scenarios.metrics.column import HYPERPARAMETERS, METRICS, TARGET, TRAFFIC, Column
from coolgp.scenarios.metrics.columns import COLUMNS
from coolgp.scenarios.planning.cluster import Cluster
from coolgp.scenarios.planning.slurm import slurm_script
from coolgp.scenarios.plots.run_figures import FIGURES

from tests.paths import ROOT

CLUSTER = ROOT / "docs" / "cluster.md"
NETWORKS = ROOT / "docs" / "networks.md"
RUN_FOLDER = ROOT / "docs" / "run-folder.md"
COMMITTEES = ROOT / "docs" / "rules.md"
FAULTS = {
    "nothing fails": Faults(),
    "loss": Faults(loss=0.3),
    "delay, bandwidth": Faults(delay=2, bandwidth=1000),
    "churn": Faults(away=(Absence(3, 1, 2),)),
    "moving links": Faults(moving=True),
    "one-way links": Faults(one_way=0.5),
    "byzantine agents": Faults(byzantine=1),
}


def guarantees() -> str:
    """What each rule guarantees under each kind of fault, as a Markdown table."""
    graph = generate("small-world", 20, seed=0)
    lines = [f"| rule | {' | '.join(FAULTS)} |", "| --- |" + " --- |" * len(FAULTS)]
    for name in SUM_RULES:
        kinds = [rule_named(name).fit(graph, faults).guarantee(graph, faults).kind for faults in FAULTS.values()]
        lines.append(f"| `{name}` | {' | '.join(kinds)} |")
    return "\n".join(lines) + "\n"


def test_the_table_of_guarantees_is_what_the_rules_state() -> None:
    assert guarantees() in NETWORKS.read_text(encoding="utf-8"), "write it anew: python -m tests.project.test_docs"


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_explained(rule: str) -> None:
    assert f"- `{rule}`" in (NETWORKS if rule in SUM_RULES else COMMITTEES).read_text(encoding="utf-8")


def column_table(columns: Iterable[Column]) -> str:
    """What columns mean, as a Markdown table; neighbours with one meaning share a row."""
    lines = ["| column | meaning | unit | better | of a run | since |", "| --- |" + " --- |" * 5]
    described = ((c.meaning, c.unit, c.better, "sum" if c.summed else "last", c.since, c) for c in columns)
    for (meaning, unit, better, value, since), group in groupby(described, key=lambda entry: entry[:5]):
        names = ", ".join(f"`{name}`" for *_, column in group for name in _names(column))
        unit = "of the target" if unit == TARGET else unit
        lines.append(f"| {names} | {meaning} | {unit} | {better} | {value} | {since} |")
    return "\n".join(lines) + "\n"


def _names(column: Column) -> list[str]:
    return [column.name, f"{column.name}_std"] if column.spread else [column.name]


def figure_table() -> str:
    """What each figure of a run shows, as a Markdown table."""
    rows = (f"| `{name}.png` | {drawing.caption} | {drawing.when} |" for name, drawing in FIGURES.items())
    return "\n".join(["| figure | what it shows | drawn |", "| --- | --- | --- |", *rows]) + "\n"


def run_folder_tables() -> dict[str, str]:
    """The tables of docs/run-folder.md, by the heading or comment that they follow."""
    of = {file: [c for c in COLUMNS.values() if file in c.files] for file in (METRICS, HYPERPARAMETERS, TRAFFIC)}
    of["other kinds"] = [c for c in COLUMNS.values() if not c.files]
    return {name: column_table(columns) for name, columns in of.items()} | {"figures": figure_table()}


@pytest.mark.parametrize("name", run_folder_tables())
def test_the_tables_of_a_run_folder_are_those_of_the_code(name: str) -> None:
    table = f"<!-- table: {name} -->\n{run_folder_tables()[name]}"
    assert table in RUN_FOLDER.read_text(encoding="utf-8"), "write it anew: python -m tests.project.test_docs"


def batch_script() -> str:
    """The script of docs/cluster.md, by the heading that it follows."""
    script = slurm_script(
        Cluster(ranks=64, ranks_per_node=16),
        name="study",
        arguments=["study.toml"],
        program="~/coolgp/bin/coolgp",
        memory="20G",
        time="02:00:00",
    )
    return f"<!-- script: slurm -->\n```shell\n{script}```\n"


def test_the_batch_script_is_the_one_that_is_written() -> None:
    assert batch_script() in CLUSTER.read_text(encoding="utf-8"), "write it anew: python -m tests.project.test_docs"


if __name__ == "__main__":
    text = CLUSTER.read_text(encoding="utf-8")
    script = re.compile(r"<!-- script: slurm -->\n```shell\n.*?```\n", re.DOTALL)
    CLUSTER.write_text(script.sub(lambda _: batch_script(), text), encoding="utf-8")
    text = NETWORKS.read_text(encoding="utf-8")
    table = re.compile(r"\| rule \|.*?\n(?=\n)", re.DOTALL)
    NETWORKS.write_text(table.sub(guarantees(), text, count=1), encoding="utf-8")
    text = RUN_FOLDER.read_text(encoding="utf-8")
    for name, new in run_folder_tables().items():
        text = re.sub(rf"(<!-- table: {re.escape(name)} -->\n)(\|.*\n)*", lambda mark, new=new: mark[1] + new, text)
    RUN_FOLDER.write_text(text, encoding="utf-8")
    sys.exit()
