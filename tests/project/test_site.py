"""The reference of the site has every public name, key and command, each with something to say of it."""

import sys
from importlib import import_module
from inspect import isclass, isfunction, ismodule

import pytest
from typer.main import get_command

from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.explained_keys import explained_keys
from coolgp.scenarios.config.scenario import SCENARIOS

from tests.paths import ROOT

sys.path.append(str(ROOT / "docs"))
made = import_module("made")


@pytest.mark.parametrize("package", made.PACKAGES)
def test_every_public_name_is_described(package: str) -> None:
    page, module = made.names_page(), import_module(package)
    for name in dir(module):
        thing = getattr(module, name)
        if not ismodule(thing) and not name.startswith("__"):
            assert f"{package}.{name}" in page
            assert thing.__doc__ or not (isclass(thing) or isfunction(thing))


def test_every_key_stands_in_its_table() -> None:
    page = made.keys_page()
    for kind in SCENARIOS:
        for key in explained_keys(kind=kind):
            assert f"| `{key.key}`{made.of_what(key)} | `{key.default}` |" in page


def test_every_command_is_there() -> None:
    page = made.commands_page()
    assert all(f"## coolgp {name}\n" in page for name in get_command(app).commands)
    assert "--ranks" in page
