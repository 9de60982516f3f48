"""Laws of programs and servers as experts: what they answer, and how each failure is told within its time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.formats.files import read_model_file, write_model_file
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.queries.failure import ExpertFailed
from coolgp.agents.experts.queries.server import Server

from tests.agents.experts.remote_models import HEAD, WELL, Answers, described, served

X = np.random.default_rng(0).normal(size=(7, 3))
SLOW = 0.4


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, type[Answers]]]:
    with served() as one:
        yield one


def program(folder: Path, code: str, classes: tuple[str, ...] = (), **keys: object) -> BlackBox:
    return BlackBox(expert_of(read_model_file(described(folder, code, **keys)), "program", classes or None))


def at(url: str, classes: tuple[str, ...] = (), **settings: object) -> BlackBox:
    return BlackBox(expert_of(Server(url=url, **settings), "server", classes or None))


def test_a_program_answers_as_csv_to_the_last_digit(tmp_path: Path) -> None:
    box = program(tmp_path, WELL)
    mean, std = box.predict(X)
    assert np.array_equal(mean, [sum(row) for row in X.tolist()])
    assert std.tolist() == [0.5] * 7
    assert box.used == 7


def test_a_server_answers_as_json_and_is_asked_for_each_row_once(server: tuple[str, type[Answers]]) -> None:
    url, answers = server
    answers.rows = 0
    box = at(f"{url}/sum")
    for _ in range(2):
        mean, std = box.predict(X[[0, 1, 1, 2]])
    assert np.array_equal(mean, X[[0, 1, 1, 2]].sum(axis=1))
    assert std.tolist() == [0.5] * 4
    assert box.used == answers.rows == 3


def test_classes_stand_in_the_order_of_who_asks(server: tuple[str, type[Answers]], tmp_path: Path) -> None:
    labels = ("no", "never", "yes")
    expected = [[0.25, 0.0, 0.75]] * 7
    assert at(f"{server[0]}/classes", labels).predict_proba(X).tolist() == expected
    code = f"{HEAD}print('yes,no')\nfor row in rows: print('0.75,0.25')\n"
    assert program(tmp_path, code, labels).predict_proba(X).tolist() == expected
    assert program(tmp_path, code, classes=["no", "yes"]).predict_proba(X).tolist() == [[0.25, 0.75]] * 7


def test_a_description_says_what_answers_lack(server: tuple[str, type[Answers]], tmp_path: Path) -> None:
    path = tmp_path / "expert.toml"
    path.write_text(f'url = "{server[0]}/mean"\nstd = 2\ninputs = 3\n')
    box = BlackBox(expert_of(read_model_file(path)))
    assert box.predict(X)[1].tolist() == [2.0] * 7
    with pytest.raises(ValueError, match=r"needed x \[N, 3\]; got shape \(7, 2\)"):
        box.predict(X[:, :2])


PROGRAMS = {
    "hangs": (f"{HEAD}time.sleep(60)", rf"gave no answer within {SLOW} s"),
    "never ends": (f"{WELL}sys.stdout.close()\nsys.stderr.close()\ntime.sleep(60)", rf"gave no answer within {SLOW} s"),
    "floods": ("while True: print('1' * 10**6)", r"answers more than 67,108,864 bytes|gave no answer"),
    "dies": (f"{HEAD}raise OSError('no model.bin')", r"ended with exit code 1: .*OSError: no model\.bin"),
    "is killed": ("import os\nos.kill(os.getpid(), 9)", "ended with signal 9"),
    "says nothing": ("", "needed a header and 7 rows of as many cells; got 0 lines"),
    "says less": ("print('mean')\nprint(1)", "needed a header and 7 rows .*; got 2 lines: mean"),
    "says words": (f"{HEAD}print('mean')\nfor row in rows: print('many')", "numbers in the column mean: .*'many'"),
    "says NaN": (f"{HEAD}print('mean')\nfor row in rows: print('nan')", "predicts what is not finite for 7 rows"),
    "has another column": (
        f"{HEAD}print('value')\nfor row in rows: print(1)",
        "needed an answer of mean, or of mean and std; got value",
    ),
    "says it twice": (
        f"{HEAD}print('mean,mean')\nfor row in rows: print('1,2')",
        "needed columns of different names; got mean,mean",
    ),
    "std of 0": (
        f"{HEAD}print('mean,std')\nfor row in rows: print('1,0')",
        "needed finite standard deviations above 0",
    ),
}


@pytest.mark.parametrize(("code", "words"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_that_fails_is_out_with_the_reason_within_its_time(code: str, words: str, tmp_path: Path) -> None:
    hangs = "no answer within" in words
    box = program(tmp_path, code, time_limit=SLOW if hangs else 25)
    started = monotonic()
    with pytest.raises(ExpertFailed, match=f"^program: .*{words}"):
        box.predict(X)
    assert monotonic() - started < 30
    assert box.used == 7


def test_what_a_program_started_is_killed_with_it(tmp_path: Path) -> None:
    code = (
        "import os, sys, time\n"
        "child = os.fork()\n"
        "if child: open('child', 'w').write(str(child))\n"
        "while True: time.sleep(1)\n"
    )
    with pytest.raises(ExpertFailed, match="gave no answer within 2 s"):
        program(tmp_path, code, time_limit=2).predict(X)
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not alive(child):
            break
        sleep(0.02)
    assert not alive(child)


def alive(process: int) -> bool:
    """Whether a process runs; one that ended and that nobody waited for does not."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_no_shell_reads_a_command(tmp_path: Path) -> None:
    with pytest.raises(ExpertFailed, match=r"program: model; touch trace cannot be started \(No such file"):
        program(tmp_path, "", command=["model; touch trace"]).predict(X)
    assert not (tmp_path / "trace").exists()


SERVERS = {
    "slow": rf"gave no answer within {SLOW} s",
    "drips": rf"gave no answer within {SLOW} s|answers too slowly",
    "flood": "answers more than 67,108,864 bytes",
    "broken": "answers 500 Internal Server Error: out of memory",
    "moved": "answers 307, a redirect to /sum, which is not followed",
    "text": "answers no JSON",
    "list": "needed a JSON object; got list",
    "words": "needed numbers for mean",
    "nan": "predicts what is not finite for 7 rows",
    "short": r"needed a mean for each of 7 rows; got shape \(1,\)",
    "classes": "needed an answer of mean, or of mean and std; got yes, no",
}
CLASS_SERVERS = {
    "foreign": "needed an answer of probabilities of the classes no, yes; got yes, maybe",
    "lie": "probabilities that sum to one; got a sum of 1.5",
    "unlabelled": "needed classes, a label for each of 2 probabilities; got None",
    "sum": "needed an answer of probabilities of the classes no, yes; got mean, std",
}


@pytest.mark.parametrize(
    ("path", "words", "classes"),
    [(*case, ()) for case in SERVERS.items()] + [(*case, ("no", "yes")) for case in CLASS_SERVERS.items()],
)
def test_a_server_that_fails_is_out_with_the_reason_and_asked_once(
    path: str, words: str, classes: tuple[str, ...], server: tuple[str, type[Answers]]
) -> None:
    url, answers = server
    answers.asked.clear()
    box = at(f"{url}/{path}", classes, time_limit=SLOW if "within" in words else 20)
    for _ in range(2):
        with pytest.raises(ExpertFailed, match=f"^server: .*{words}"):
            box.predict_proba(X) if classes else box.predict(X)
    for _ in range(250):  # a busy machine may hand it the request after the time limit
        if answers.asked:
            break
        sleep(0.02)
    assert answers.asked == [f"/{path}"]


def test_nobody_at_an_address_is_a_reason_and_proxies_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as (gone, _):
        pass
    with served() as (proxy, answers):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises(ExpertFailed, match=r"server: cannot be reached \(.*refused"):
            at(f"{gone}/sum").predict(X)
        assert not answers.asked


DESCRIPTIONS = {
    "nothing": ("", "needed either command, a list of a program and its arguments, or url, an address"),
    "both": ('command = ["a"]\nurl = "http://b"', "needed either command"),
    "shell": ('command = "model --fast"', "command: needed a list of texts, the program first"),
    "unknown": ('command = ["a"]\nretries = 3', "retries is no key of a description"),
    "time": ('command = ["a"]\ntime_limit = 0', "time_limit: needed seconds above 0"),
    "classes": ('command = ["a"]\nclasses = ["b", "b"]', "classes: needed a list of at least two different labels"),
    "inputs": ('command = ["a"]\ninputs = 1.5', "inputs: needed a whole number above 0"),
    "TOML": ("command", "is no readable TOML file"),
    "scheme": ('url = "file:///etc/passwd"', "needed an address such as http://localhost:8000/predict"),
}


@pytest.mark.parametrize(("text", "words"), DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_a_description_that_is_wrong_is_one_sentence(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "expert.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"^{path}: .*{words}"):
        read_model_file(path)


@pytest.mark.parametrize("url", ["ftp://host/model", "http://", "http://host:port/a", "://a"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=f"needed an address such as .*; got {url}"):
        read_model_file(url)


def test_no_model_is_written_as_a_description(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"models are not written as \.toml"):
        write_model_file(tmp_path / "a.toml", object())
