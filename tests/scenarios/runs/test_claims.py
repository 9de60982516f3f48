"""A folder is one process's before anything is written there, and default names never collide."""

from __future__ import annotations

import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import pytest

from coolgp.scenarios.base import lock
from coolgp.scenarios.base.files import forget_half, write_whole
from coolgp.scenarios.base.lock import claimed, claimed_file, is_free
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.runs.folder import check_folder, default_folder
from coolgp.scenarios.runs.prepare import prepare

SMALL = resolve({"data": {"source": "field"}}, "claimed", ["agents.count=3", "agents.inducing=6", "run.rounds=1"])
MANY = 8
T = TypeVar("T")


def at_once(act: Callable[[int], T]) -> list[T]:
    """What each of many threads gets that act at the same moment."""
    barrier = Barrier(MANY)

    def one(number: int) -> T:
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(one, range(MANY)))


@pytest.fixture(params=["locks", "no locks"])
def _locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "no locks":
        monkeypatch.setattr(lock, "fcntl", None)


@pytest.mark.usefixtures("_locks")
def test_of_many_at_once_one_gets_the_folder(tmp_path: Path) -> None:
    done = Barrier(MANY)

    def claim(number: int) -> bool:
        try:
            with claimed(tmp_path / "runs" / "same"):
                done.wait()
                return True
        except ValueError:
            done.wait()
            return False

    assert sum(at_once(claim)) == 1
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("_locks")
def test_the_second_preparation_of_a_folder_is_refused_and_the_next_is_not(tmp_path: Path) -> None:
    first = prepare(SMALL, tmp_path / "run")
    with pytest.raises(ValueError, match="another process"):
        prepare(SMALL, tmp_path / "run", overwrite=True)
    assert not is_free(tmp_path / "run")
    first.locks.close()
    assert not (tmp_path / "run").exists()
    prepare(SMALL, tmp_path / "run").locks.close()


def test_a_preparation_that_is_dropped_lets_go(tmp_path: Path) -> None:
    prepare(SMALL, tmp_path / "run")
    gc.collect()
    assert is_free(tmp_path / "run")


def test_what_is_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    lone = resolve({"data": {"source": str(tmp_path / "t.csv"), "target": "y"}}, "lone")
    (tmp_path / "t.csv").write_text("x,y\n1,2\n")
    with pytest.raises(ValueError, match="rows"):
        prepare(lone, tmp_path / "deep" / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_a_claim_that_was_left_says_nothing_of_what_a_folder_holds(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    check_folder(tmp_path, overwrite=False)
    assert is_free(tmp_path)


def test_default_names_never_collide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = Barrier(MANY)

    def name(number: int) -> Path:
        with default_folder(SMALL) as folder:
            done.wait()
            return folder

    assert len(set(at_once(name))) == MANY
    assert list(tmp_path.iterdir()) == []


def test_of_many_writers_of_a_file_one_is_the_last_and_nothing_is_left(tmp_path: Path) -> None:
    texts = [bytes([65 + number]) * 300_000 for number in range(MANY)]
    at_once(lambda number: write_whole(tmp_path / "t.csv", texts[number]))
    assert (tmp_path / "t.csv").read_bytes() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_a_file_that_another_is_about_to_write_is_refused(tmp_path: Path) -> None:
    again = claimed_file(tmp_path / "c.png")
    with claimed_file(tmp_path / "c.png"), pytest.raises(ValueError, match=r"c\.png: another process"):
        again.__enter__()
    assert list(tmp_path.iterdir()) == []


def test_only_halves_are_forgotten(tmp_path: Path) -> None:
    others = [".config.toml.swp", ".config.toml.bak-12345678", "config.toml"]
    for name in (*others, ".config.toml", ".config.toml.77-0123abcd"):
        (tmp_path / name).touch()
    forget_half(tmp_path / "config.toml")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)
