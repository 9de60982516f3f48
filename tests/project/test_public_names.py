"""What is promised is what ``dir()`` shows, and what the README and the documentation import from."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import pytest

import coolgp

ROOT = Path(coolgp.__file__).resolve().parents[2]
PACKAGES = ("coolgp", "coolgp.agents", "coolgp.network", "coolgp.fusion", "coolgp.scenarios")
ROOMS = [
    ".".join(("coolgp", *stub.relative_to(ROOT).parts[:-1]))
    for folder in ("agents", "network", "fusion", "scenarios")
    for stub in sorted((ROOT / folder).glob("*/**/__init__.pyi"))
]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/tutorial").glob("*.md")))


@pytest.mark.parametrize("name", [*PACKAGES, *ROOMS])
def test_every_name_that_a_package_shows_is_there(name: str) -> None:
    package = import_module(name)
    assert dir(package) == sorted(package.__all__)
    assert all(getattr(package, shown) is not None for shown in dir(package))


@pytest.mark.parametrize("name", [*PACKAGES, *ROOMS])
def test_no_name_that_a_package_shows_hides_one_of_its_modules(name: str) -> None:
    package = import_module(name)
    modules = {module.name for module in iter_modules(package.__path__)}
    assert all(isinstance(getattr(package, shown), ModuleType) for shown in modules & set(dir(package)))


def test_the_root_offers_what_a_user_needs() -> None:
    assert {"run", "load_scenario", "load_model", "resume", "__version__"} <= set(dir(coolgp))
    assert {"CollectiveGPRegressor", "PFNM", "SPAHM", "SparseGPRegressor"} <= set(dir(coolgp))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        coolgp.nothing_of_this_name  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_root_imports_no_part_of_it() -> None:
    program = "import sys, coolgp; print([name for name in sys.modules if name.startswith(('coolgp.', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_of_rounds_loads_nothing_that_only_figures_and_models_trained_apart_need() -> None:
    program = (
        "import sys\n"
        "from coolgp.scenarios.cli.app import app\n"
        "from coolgp.scenarios.cli import follow_run\n"
        "from coolgp.scenarios.experiments import rounds, run\n"
        "print([name for name in ('matplotlib', 'sklearn', 'pandas', 'scipy.stats', 'jinja2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


OWN_FILE = re.compile(r"^```python\n# (?:agents|fusion|network|scenarios)/\S+\.py.*?^```", re.DOTALL | re.MULTILINE)
"""A file of the package, as a page shows it: like its neighbours it imports from modules."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_documentation_uses_public_names_alone(page: Path) -> None:
    text = OWN_FILE.sub("", page.read_text(encoding="utf-8"))
    for package, names in re.findall(r"^from (coolgp[\w.]*) import ([\w, ]+)$", text, re.MULTILINE):
        assert package in PACKAGES, f"{package} is not a public package"
        assert set(names.replace(" ", "").split(",")) <= set(dir(import_module(package)))
    for dotted in re.findall(r"\b(coolgp(?:\.\w+)+)\(", text):
        package, _, name = dotted.rpartition(".")
        module: ModuleType = import_module(package)
        assert package in PACKAGES, f"{package} is not a public package"
        assert name in dir(module), f"{dotted} is not a public name"


def test_the_command_line_starts_from_the_package() -> None:
    command = [sys.executable, "-m", "coolgp", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "coolgp run" in done.stdout
