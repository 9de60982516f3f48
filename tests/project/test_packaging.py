"""What is installed is what is in the repository."""

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.paths import ROOT

FOLDERS = ("agents", "network", "fusion", "scenarios")
LINKS = ".links/coolgp"
"""The root package: its own files, and a symlink to each of the four folders."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git tracks: what earlier builds left beside the sources must not help or harm."""
    copy = tmp_path_factory.mktemp("source")
    for name in tracked(LINKS, *FOLDERS, "pyproject.toml", "README.md", "LICENSE"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name, follow_symlinks=False)
    return copy


def tracked(*paths: str) -> list[str]:
    listing = ["git", "ls-files", *paths]
    return subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()


def expected() -> set[str]:
    """Files of the package as they are installed: those of the four folders and those of the root package itself."""
    own = [name.removeprefix(".links/") for name in tracked(LINKS) if not (ROOT / name).is_symlink()]
    return {*own, *(f"coolgp/{name}" for name in tracked(*FOLDERS))}


def test_the_wheel_holds_every_tracked_file_of_the_package_and_nothing_else(source: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("coolgp-*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == expected()


def test_the_source_distribution_holds_every_tracked_file_of_the_package(source: Path, tmp_path: Path) -> None:
    program = f"from setuptools import build_meta; build_meta.build_sdist({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", program], cwd=source, check=True, capture_output=True)
    (archive,) = tmp_path.glob("coolgp-*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {name.removeprefix(".links/") for name in names if name.startswith(f"{LINKS}/")} >= expected()


def test_the_lowest_versions_that_are_tried_are_those_that_are_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    pinned = (ROOT / ".ci/lowest.txt").read_text().split()
    lowest = dict(line.split("==") for line in pinned)
    for name, _, floor in (item.partition(">=") for item in declared):
        digits = lowest[name].split(".")
        assert digits[: len(floor.split("."))] == floor.split("."), name
        assert set(digits[len(floor.split(".")) :]) <= {"0"}, name
    assert len(lowest) == len(declared)
