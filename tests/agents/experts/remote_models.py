"""Programs and a server that answer queries, well or in some wrong way: for tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import sleep

import numpy as np

HEAD = "import csv, sys, time\nrows = [[float(c) for c in line] for line in list(csv.reader(sys.stdin))[1:]]\n"
WELL = f"{HEAD}print('mean,std')\nfor row in rows: print(repr(sum(row)) + ',0.5')\n"
"""A program that answers the sum of a row."""


def described(folder: Path, code: str, **keys: object) -> Path:
    """The description of a program that is this Python code."""
    folder.mkdir(exist_ok=True)
    (folder / "model.py").write_text(code)
    lines = {"command": [sys.executable, "-I", "-S", "model.py"], **keys}
    path = folder / "expert.toml"
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items()))
    return path


class Answers(BaseHTTPRequestHandler):
    """Sums of rows at /sum, and whatever can go wrong elsewhere."""

    rows = 0
    asked: list[str]

    def do_POST(self) -> None:
        x = np.array(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["inputs"])
        type(self).rows += len(x)
        self.asked.append(self.path)
        getattr(self, f"answer_{self.path.strip('/').replace('-', '_')}")(x)

    def do_GET(self) -> None:
        self.asked.append(f"GET {self.path}")
        self.say(405, b"")

    def say(self, status: int, content: object, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def answer_sum(self, x: np.ndarray) -> None:
        self.say(200, {"mean": x.sum(axis=1).tolist(), "std": [0.5] * len(x)})

    def answer_mean(self, x: np.ndarray) -> None:
        self.say(200, {"mean": x.sum(axis=1).tolist()})

    def answer_classes(self, x: np.ndarray) -> None:
        self.say(200, {"probabilities": [[0.75, 0.25]] * len(x), "classes": ["yes", "no"]})

    def answer_foreign(self, x: np.ndarray) -> None:
        self.say(200, {"probabilities": [[0.75, 0.25]] * len(x), "classes": ["yes", "maybe"]})

    def answer_lie(self, x: np.ndarray) -> None:
        self.say(200, {"probabilities": [[0.75, 0.75]] * len(x), "classes": ["yes", "no"]})

    def answer_unlabelled(self, x: np.ndarray) -> None:
        self.say(200, {"probabilities": [[0.75, 0.25]] * len(x)})

    def answer_nan(self, x: np.ndarray) -> None:
        self.say(200, {"mean": [float("nan")] * len(x)})

    def answer_short(self, x: np.ndarray) -> None:
        self.say(200, {"mean": [1.0]})

    def answer_text(self, x: np.ndarray) -> None:
        self.say(200, b"<html>hello")

    def answer_list(self, x: np.ndarray) -> None:
        self.say(200, [1.0])

    def answer_words(self, x: np.ndarray) -> None:
        self.say(200, {"mean": ["many"] * len(x)})

    def answer_broken(self, x: np.ndarray) -> None:
        self.say(500, b"out of\n memory")

    def answer_moved(self, x: np.ndarray) -> None:
        self.say(307, b"", Location="/sum")

    def answer_slow(self, x: np.ndarray) -> None:
        sleep(1.0)

    def answer_drips(self, x: np.ndarray) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(20):
            self.wfile.write(b" ")
            self.wfile.flush()
            sleep(0.05)

    def answer_flood(self, x: np.ndarray) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(65):
            self.wfile.write(bytes(2**20))


@contextmanager
def served() -> Iterator[tuple[str, type[Answers]]]:
    """The address of a server on this machine, and who answers there."""

    class Own(Answers):
        asked: list[str] = []  # noqa: RUF012  one for each server

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *request: object) -> None:
            """Whoever asked has gone."""

    server = Quiet(("127.0.0.1", 0), Own)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", Own
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
