"""How the code is laid out: no cycle of imports anywhere, short chains, and no folder with too many modules."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import networkx as nx
import pytest

from tests.paths import ROOT

PACKAGE, MOST = ("agents", "network", "fusion", "scenarios"), 20
FILES = {
    name.removesuffix(".__init__"): path
    for folder in (*PACKAGE, "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    for name in [".".join(path.relative_to(ROOT).with_suffix("").parts)]
}


def imports(name: str, *, inside: bool) -> Iterator[str]:
    """Modules that a module imports; inside: also those that its functions import."""

    def statements(nodes: Iterable[ast.AST]) -> Iterator[ast.ImportFrom]:
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                yield node
            elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                continue
            elif inside or not isinstance(node, ast.FunctionDef):
                yield from statements(ast.iter_child_nodes(node))

    for statement in statements(ast.parse(FILES[name].read_text(encoding="utf-8")).body):
        origin = (statement.module or "").removeprefix("coolgp.")
        for imported in statement.names:
            candidates = (f"{origin}.{imported.name}", origin)
            yield from [candidate for candidate in candidates if candidate in FILES and candidate != name][:1]


def graph(*, inside: bool) -> "nx.DiGraph[str]":
    return nx.DiGraph((name, other) for name in FILES for other in imports(name, inside=inside))


def test_no_modules_import_one_another_in_a_circle_not_even_in_functions() -> None:
    circles = [sorted(group) for group in nx.strongly_connected_components(graph(inside=True)) if len(group) > 1]
    assert circles == []


def test_the_longest_chain_of_imports_is_short() -> None:
    assert len(nx.dag_longest_path(graph(inside=False))) <= MOST


@pytest.mark.parametrize("folder", [*PACKAGE, "benchmarks", "tests"])
def test_no_folder_has_more_modules_than_a_person_oversees(folder: str) -> None:
    counts = Counter(path.parent for path in Path(ROOT / folder).rglob("*.py"))
    assert {str(place.relative_to(ROOT)): count for place, count in counts.items() if count > MOST} == {}
