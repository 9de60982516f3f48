"""The command line, called in this process."""

from __future__ import annotations

from typer.testing import CliRunner

from coolgp.scenarios.cli.app import app


def coolgp_says(*arguments: object, code: int = 0) -> str:
    """What a command says, in one line; it has to end with this exit code."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())
