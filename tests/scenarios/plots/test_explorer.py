"""Laws of the interactive part of a report: it needs nothing else, says what the run's files say, and is drawn."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from coolgp.network.graphs.generate import generate
from coolgp.scenarios.plots.explorer import contents
from coolgp.scenarios.plots.explorer.contents import explored, explorer_words
from coolgp.scenarios.plots.run_report import write_report
from coolgp.scenarios.records.network import Network, pairs
from coolgp.scenarios.records.run_folder import RunFolder, read_run

Make = Callable[..., Path]
CHROMIUM = shutil.which("chromium")
NASTY = '</script><b title="x">é & \N{GRINNING FACE}'


def page(folder: RunFolder) -> str:
    return write_report(folder, {}).read_text(encoding="utf-8")


def inside(text: str) -> dict[str, list[float]]:
    found = re.search(r'<script type="application/json" id="explorer-contents">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    parsed: dict[str, list[float]] = json.loads(found[1], parse_constant=pytest.fail)  # NaN is no JSON
    return parsed


def grown(folder: RunFolder, kind: str, size: int) -> RunFolder:
    """The run on another network, of so many agents."""
    graph = generate(kind, size, 0)
    return replace(folder, network=Network(graph, graph, folder.network.probes))


def named(folder: RunFolder, name: str) -> RunFolder:
    """The run with another name for its first probe."""
    network, first = folder.network, int(folder.network.probes[0])
    names = tuple(name if i == first else old for i, old in enumerate(network.graph.names))
    return replace(folder, network=replace(network, graph=replace(network.graph, labels=names)))


def test_nothing_is_loaded_from_elsewhere(make: Make) -> None:
    text = page(read_run(make()))
    assert not re.search(r"https?:|//[a-z]|@import|\bfetch\b|XMLHttpRequest|\bimport\b|<link|<iframe|WebSocket", text)
    assert set(re.findall(r'(?:src|href)="([^"]{0,5})', text)) <= {"data:"}
    assert "default-src 'none'" in text
    assert len(text) < 60_000


def test_what_is_shown_is_what_the_files_say(make: Make) -> None:
    run = read_run(make(rounds=3, probes=4))
    run.probes.curve_pre[1, 2] = np.nan
    shown = inside(page(run))
    assert np.isnan(run.probes.curve_pre[1, 2])
    assert shown["pre"][1][2] is None  # type: ignore[index]
    np.testing.assert_allclose(np.array(shown["pre"], dtype=float), run.probes.curve_pre, rtol=1e-4)
    np.testing.assert_allclose(np.array(shown["post"], dtype=float), run.probes.curve_post, rtol=1e-4)
    assert [shown["agents"][i] for i in shown["probes"]] == list(run.probes.agents)  # type: ignore[call-overload]
    assert np.array(shown["links"]).reshape(-1, 2).tolist() == pairs(run.network.graph).tolist()
    values = {column["name"]: column["values"] for column in shown["columns"]}  # type: ignore[call-overload,index]
    np.testing.assert_allclose(values["messages sent"], run.metrics["messages"])


def test_a_name_cannot_leave_its_place(make: Make) -> None:
    shown = inside(page(named(read_run(make()), NASTY)))
    assert NASTY in shown["agents"]


@pytest.mark.parametrize("kind, size, drawn", [("ring", 2000, 2000), ("random-tree", 9000, None), ("ring", 9000, 0)])
def test_of_a_large_network_a_sample_is_drawn_or_nothing_and_words_say_so(
    kind: str, size: int, drawn: int | None, make: Make
) -> None:
    run = grown(read_run(make()), kind, size)
    run = replace(run, network=replace(run.network, probes=np.array([5, size // 2])))
    shown, words = explored(run), explorer_words(run)
    count = len(shown["agents"]) if shown else 0
    assert count <= contents.MOST_AGENTS
    if drawn is not None:
        assert count == drawn
    assert (f"{size:,}" in words) is (count < size)
    if not shown:
        assert words in unescape(page(run))


def test_many_links_and_rounds_are_thinned_and_the_last_round_stays(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "MOST_LINKS", 40)
    monkeypatch.setattr(contents, "MOST_VALUES", 20)
    run = read_run(make(rounds=7, probes=8))
    shown = explored(run)
    assert shown is not None
    assert len(shown["links"]) <= 80
    assert sum(shown["degrees"]) == 2 * run.network.graph.edge_count
    assert shown["rounds"] == [1, 4, 7]
    assert "a part is drawn" in explorer_words(run)
    assert "Of 7 evaluated rounds 3" in explorer_words(run)


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_in_a_browser_pointing_and_sliding_show_agents_and_rounds(make: Make) -> None:
    run = named(read_run(make(rounds=4, probes=5)), NASTY)
    path = write_report(run, {})
    act = """<script>
        addEventListener("error", (event) => document.title = "error " + event.message);
        const slider = document.getElementById("explorer-round"), graph = document.getElementById("explorer-graph");
        slider.value = 1;
        slider.dispatchEvent(new Event("input"));
        const box = graph.querySelector("circle.probe").getBoundingClientRect();
        const place = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
        graph.dispatchEvent(new PointerEvent("pointermove", place));
    </script>"""
    path.write_text(path.read_text(encoding="utf-8").replace("</body>", f"{act}</body>"), encoding="utf-8")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={path.parent}/profile"]
    done = subprocess.run([*command, "--dump-dom", path.as_uri()], capture_output=True, timeout=60, check=True)
    text = done.stdout.decode()
    assert "<title>error" not in text
    assert '<section id="explorer">' in text
    assert text.count("<circle") == run.network.graph.size
    told = re.search(r'id="explorer-told"[^>]*>(.*?)</p>', text, re.DOTALL)
    assert told is not None
    lines = unescape(told[1]).split("\n")
    assert lines[0] == f"Agent {NASTY}"
    errors = [rows[1, 0] for rows in (run.probes.rmse_pre, run.probes.rmse_post)]
    assert [float(n) for n in re.findall(r"([\d.]+)[^\d.]+(?:before|after)", lines[1])] == pytest.approx(
        errors, rel=1e-3
    )
    first = int(run.network.probes[0])
    degree = int(np.diff(run.network.graph.indptr)[first])
    assert lines[2].startswith(f"{degree} neighbour")
    seen = re.search(r"observations seen by all agents</td><td>([\d,]+)", text)
    assert seen is not None
    assert float(seen[1].replace(",", "")) == run.metrics["observations"][1]
