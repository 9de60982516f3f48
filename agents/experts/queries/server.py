"""A server that answers queries: rows as JSON to one address, answers as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.formats.format import library
from coolgp.agents.experts.queries.failure import within
from coolgp.agents.experts.queries.remote import MOST_BYTES, RemoteModel

__all__ = ["Server", "is_address", "server_at", "shown_address"]

QUOTED = 200
"""Letters of an error's text that are repeated."""


@dataclass(frozen=True, kw_only=True)
class Server(RemoteModel):
    """A model behind an address: ``POST {"inputs": [[...], ...]}``, a list of numbers for each row.

    It answers 200 and ``{"mean": [...]}`` or ``{"mean": [...], "std": [...]}``, or, of a classifier,
    ``{"probabilities": [[...], ...], "classes": [...]}``, with an entry for each row, in their order. Nothing is asked
    twice, no redirect is followed, proxies of the environment are not used, and no answer of more than 64 MiB is read.
    """

    url: str

    def columns(self, x: Array) -> Mapping[str, Array]:
        """See `RemoteModel`."""
        answer = within(self.limit, self._posted, json.dumps({"inputs": x.tolist()}, allow_nan=False))
        return _columns(answer)

    def _posted(self, content: str) -> Any:
        httpx = library("httpx", "http")
        deadline = monotonic() + self.limit
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
        try:
            with (
                httpx.Client(trust_env=False, follow_redirects=False, timeout=self.limit) as client,
                client.stream("POST", self.url, content=content, headers=headers) as response,
            ):
                body = _body(response, deadline)
                return _answer(response, body)
        except httpx.TimeoutException:
            raise TimeoutError(f"gave no answer within {self.limit:g} s") from None
        except httpx.HTTPError as problem:
            raise ValueError(f"cannot be reached ({problem or type(problem).__name__})") from problem


def is_address(path: object) -> bool:
    """Whether a text is an address and not a path.

    >>> is_address("http://localhost:8000/predict"), is_address("models/a.onnx")
    (True, False)
    """
    return "://" in str(path)


def shown_address(url: str) -> str:
    """An address without user, password and query, for messages.

    >>> shown_address("https://me:secret@host:81/predict?key=1")
    'https://host:81/predict'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def server_at(url: str, **settings: Any) -> Server:
    """The server at an address. Raises ValueError for one that is not of http or https, or without httpx."""
    library("httpx", "http")
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(f"needed an address such as http://localhost:8000/predict, of http or https; got {url}")
    return Server(url=url, **settings)


def _body(response: Any, deadline: float) -> bytearray:
    body = bytearray()
    for piece in response.iter_raw():
        body += piece
        if len(body) > MOST_BYTES:
            raise ValueError(f"answers more than {MOST_BYTES:,} bytes")
        if monotonic() > deadline:
            raise TimeoutError("answers too slowly")
    return body


def _answer(response: Any, body: bytearray) -> Any:
    if response.is_redirect:
        to = response.headers.get("location", "elsewhere")
        raise ValueError(f"answers {response.status_code}, a redirect to {to}, which is not followed: name it instead")
    if response.status_code != 200:
        said = " ".join(body[:4000].decode(errors="replace").split())[:QUOTED]
        raise ValueError(f"answers {response.status_code} {response.reason_phrase}{f': {said}' if said else ''}")
    try:
        return json.loads(body)
    except ValueError as problem:
        raise ValueError(f"answers no JSON ({problem})") from problem


def _columns(answer: Any) -> dict[str, Array]:
    """The columns of an answer."""
    if not isinstance(answer, dict):
        raise ValueError(f"needed a JSON object; got {type(answer).__name__}")
    if "probabilities" not in answer:
        return {name: _numbers(answer[name], name, 1) for name in ("mean", "std") if answer.get(name) is not None}
    shares = _numbers(answer["probabilities"], "probabilities", 2)
    classes = answer.get("classes")
    if not isinstance(classes, list) or len(classes) != shares.shape[1] or len(set(map(str, classes))) != len(classes):
        raise ValueError(f"needed classes, a label for each of {shares.shape[1]} probabilities; got {classes!r:.200}")
    return dict(zip(map(str, classes), shares.T, strict=True))


def _numbers(values: Any, name: str, axes: int) -> Array:
    try:
        numbers = np.asarray(values, dtype=float)
    except (ValueError, TypeError) as problem:
        raise ValueError(f"needed numbers for {name} ({problem})") from problem
    if numbers.ndim != axes:
        raise ValueError(f"needed {name} as a list of {'numbers' if axes == 1 else 'lists'}; got {numbers.ndim} axes")
    return numbers
