"""The documentation says what the code does. As a program this file writes the table of promises anew."""

import re
import sys
from pathlib import Path

import pytest

from coolgp.fusion.registry import RULES, SUM_RULES, rule_named
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import Absence, Faults

from tests.paths import ROOT

NETWORKS = ROOT / "docs" / "networks.md"
COMMITTEES = ROOT / "docs" / "rules.md"
COLUMNS = {
    "nothing fails": Faults(),
    "loss": Faults(loss=0.3),
    "delay, bandwidth": Faults(delay=2, bandwidth=1000),
    "churn": Faults(away=(Absence(3, 1, 2),)),
    "moving links": Faults(moving=True),
    "one-way links": Faults(one_way=0.5),
    "a liar": Faults(byzantine=1),
}


def promises() -> str:
    """What each rule promises under each kind of fault, as a Markdown table."""
    graph = generate("small-world", 20, seed=0)
    lines = [f"| rule | {' | '.join(COLUMNS)} |", "| --- |" + " --- |" * len(COLUMNS)]
    for name in SUM_RULES:
        kinds = [rule_named(name).fit(graph, faults).guarantee(graph, faults).kind for faults in COLUMNS.values()]
        lines.append(f"| `{name}` | {' | '.join(kinds)} |")
    return "\n".join(lines) + "\n"


def test_the_table_of_promises_is_what_the_rules_promise() -> None:
    assert promises() in NETWORKS.read_text(encoding="utf-8"), f"write it anew: python {Path(__file__).name}"


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_explained(rule: str) -> None:
    assert f"- `{rule}`" in (NETWORKS if rule in SUM_RULES else COMMITTEES).read_text(encoding="utf-8")


if __name__ == "__main__":
    text = NETWORKS.read_text(encoding="utf-8")
    table = re.compile(r"\| rule \|.*?\n(?=\n)", re.DOTALL)
    NETWORKS.write_text(table.sub(promises(), text, count=1), encoding="utf-8")
    sys.exit()
