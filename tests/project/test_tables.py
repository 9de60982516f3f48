"""One table each: what is known of a rule, a kernel, a source or a graph stands in its record, not beside its name."""

import ast
import inspect
from collections.abc import Iterator

import pytest

from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.likelihoods.registry import LIKELIHOODS
from coolgp.fusion.registry import RULES
from coolgp.network.graphs.generate import GENERATORS
from coolgp.scenarios.config.scenario import SCENARIOS
from coolgp.scenarios.config.sections.network import GRAPHS, NetworkSettings
from coolgp.scenarios.config.sources import SOURCES

from tests.paths import ROOT

NAMES = {*RULES, *KERNELS, *LIKELIHOODS, *SOURCES, *GRAPHS, *SCENARIOS} - {"rounds"}
OTHER_MEANINGS = {"geometric": "delays", "gpoe": "uncertainty"}
"""Names that are also values of another key: a comparison with these may stand beside that key."""


def comparisons(source: str) -> Iterator[str]:
    """Every comparison with a name of a table, or with several of them, as it is written."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            constants = (part for side in (node.left, *node.comparators) for part in ast.walk(side))
            texts = {part.value for part in constants if isinstance(part, ast.Constant)} & NAMES
            written = ast.unparse(node)
            if any(OTHER_MEANINGS.get(str(text), written + "?") not in written for text in texts):
                yield written
        if isinstance(node, ast.MatchValue) and isinstance(node.value, ast.Constant) and node.value.value in NAMES:
            yield f"case {ast.unparse(node)}"


@pytest.mark.parametrize("package", ["agents", "network", "fusion", "scenarios"])
def test_no_code_asks_for_a_name_of_a_table(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    asked = {str(path.relative_to(ROOT)): list(comparisons(path.read_text(encoding="utf-8"))) for path in files}
    assert {path: found for path, found in asked.items() if found} == {}


@pytest.mark.parametrize(
    "source",
    [
        'if scenario.fusion.rule == "tree": pass',
        'x = source in ("field", "sensors")',
        'y = "matern52" != kernel',
        'match topology:\n    case "small-world": pass',
    ],
)
def test_such_a_comparison_is_seen(source: str) -> None:
    assert list(comparisons(source))


def test_the_settings_name_the_graphs_that_there_are_and_their_parameters() -> None:
    assert list(GRAPHS) == list(GENERATORS)
    for name, draw in GENERATORS.items():
        options = NetworkSettings(topology=name, degree=4).graph_options
        assert set(options) <= set(inspect.signature(draw).parameters), name
