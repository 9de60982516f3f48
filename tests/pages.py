"""Pages of the documentation as programs: what they run, and what they say comes out."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from pathlib import Path

from typer.testing import CliRunner

from coolgp.scenarios.cli.app import app

__all__ = ["differs", "run_page", "written_anew"]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPEN = "...\n"
_VARIES = {
    r"took [\d.]+ s, of which learning and fusion [\d.]+ s": "took ... s, of which learning and fusion ... s",
    r"\b\de-1\d\b": "...",
    r"( [kMG]?B) +[\d.]+ *$": r"\1 ...",
    r" +$": "",
}
_FILE = re.compile(r"# file: (.+)\n")
_NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")
_PART = re.compile(rf"(\.\.\.|(?<![\w.]){_NUMBER.pattern}(?![\w.]))")
ROUNDED, NEAR = 0.03, 0.005
"""By how much a number with decimals may differ from what a page says: a share of it, and so much besides."""


def run_page(page: Path) -> list[tuple[str, str, str | None]]:
    """Run the blocks of a page in their order, in the working folder: what was run, what came out, what the page says.

    Blocks of Python share their names. Of `bash` the lines that start with `coolgp` are run. What comes out is said
    in a block of `text` right after, where "..." stands for anything. A block whose first line is `# file: NAME` is
    written to that file.
    """
    names: dict[str, object] = {"__name__": "page"}
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    done = []
    for place, (language, code) in enumerate(blocks):
        if named := _FILE.match(code):
            Path(named[1]).write_text(code[named.end() :], encoding="utf-8")
            continue
        if language not in _RUNS:
            continue
        following = blocks[place + 1] if place + 1 < len(blocks) else ("", "")
        done.append((code, _RUNS[language](code, names), following[1] if following[0] == "text" else None))
    return done


def differs(came: str, said: str | None) -> bool:
    """Whether what came out is not what a page says; of a block without words after it anything may come.

    Spaces do not count, "..." stands for anything, and numbers may differ by what other processors round.

    >>> differs("RMSE 0.501 in 3.2 s", "RMSE 0.50 in ... s"), differs("RMSE 0.61", "RMSE 0.50"), differs("a", "b")
    (False, True, True)
    """
    if said is None:
        return False
    parts = _PART.split(" ".join(said.split()))
    pattern = "".join(_pattern(part) for part in parts)
    found = re.fullmatch(pattern, " ".join(came.split()), re.DOTALL)
    numbers = [float(part) for part in parts if _NUMBER.fullmatch(part)]
    return found is None or not all(
        abs(float(group) - number) <= ROUNDED * abs(number) + NEAR
        for group, number in zip(found.groups(), numbers, strict=True)
    )


def _pattern(part: str) -> str:
    if part == "...":
        return ".*?"
    return f"({_NUMBER.pattern})" if _NUMBER.fullmatch(part) else re.escape(part)


def written_anew(page: Path) -> str:
    """The text of a page with what comes out of it now, but for what it leaves open with "..." beside words."""
    text = page.read_text(encoding="utf-8")
    for code, came, said in run_page(page):
        if differs(came, said) or said == OPEN:
            head, mark, tail = text.partition(code)
            text = head + mark + tail.replace(f"```text\n{said}```", f"```text\n{_open(came)}```", 1)
    return text


def _open(came: str) -> str:
    """What came out, with "..." for seconds and for what rounding leaves."""
    for varies, words in _VARIES.items():
        came = re.sub(varies, words, came, flags=re.MULTILINE)
    return came


def _python(code: str, names: dict[str, object]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, names)
    return out.getvalue()


def _commands(code: str, names: dict[str, object]) -> str:
    out = []
    sys.path.append(os.getcwd())  # as the console script does, for rules of the user's own
    for line in code.replace("\\\n", " ").splitlines():
        if line.startswith("coolgp "):
            ran = CliRunner().invoke(app, shlex.split(line, comments=True)[1:], catch_exceptions=False)
            assert ran.exit_code == 0, f"{line}: {ran.output}"
            out.append(ran.stdout)
    sys.path.pop()
    return "".join(out)


_RUNS = {"python": _python, "bash": _commands}


if __name__ == "__main__":
    import shutil
    import tempfile

    import matplotlib

    from tests.paths import ROOT

    matplotlib.use("Agg")

    for path in [Path(given).resolve() for given in sys.argv[1:]]:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            path.write_text(written_anew(path), encoding="utf-8")
            for picture in Path(folder).glob("tutorial-*.png"):
                shutil.copy(picture, ROOT / "docs" / "figures")
