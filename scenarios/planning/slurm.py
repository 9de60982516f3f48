"""A batch script for SLURM, filled in for a planned run."""

from __future__ import annotations

import math
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import jinja2

from coolgp.scenarios.planning.cluster import Cluster
from coolgp.scenarios.planning.nodes import PlannedNodes

__all__ = ["memory_text", "program", "script_of", "slurm_script", "time_text"]

GIBIBYTE, QUARTER = 2**30, 900
ROOM, LONGER = 1.5, 2.0
"""So many times the memory and the seconds of the estimate are asked for."""
UNKNOWN = 2 * 3600.0
"""Seconds that are asked for where nobody knows how long the run takes."""


def slurm_script(cluster: Cluster, *, name: str, arguments: Sequence[str], program: str, memory: str, time: str) -> str:
    """The script. arguments: of ``coolgp run`` but for its folder; program: the path of ``coolgp`` on the cluster.

    memory, time: as SLURM takes them.
    """
    beside = jinja2.FileSystemLoader(Path(__file__).parent)
    templates = jinja2.Environment(
        loader=beside,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # a shell script, quoted by shlex
    )
    words = " ".join(shlex.quote(argument) for argument in arguments)
    return templates.get_template("slurm.sh.j2").render(
        cluster=cluster, name=name, arguments=words, program=program, memory=memory, time=time
    )


def script_of(planned: PlannedNodes, name: str, run: Sequence[str]) -> str:
    """The script for what was planned. run: arguments of ``coolgp run``, of which a file is named by its whole path."""
    on = planned.on
    path = Path(run[0])
    return slurm_script(
        on.cluster,
        name=re.sub(r"[^\w.-]+", "-", name),
        arguments=[str(path.absolute()) if path.is_file() else run[0], *run[1:]],
        program=program(),
        memory=memory_text(on.node_bytes, on.cluster.node_bytes),
        time=time_text(planned.duration.seconds if planned.duration.known else None),
    )


def program() -> str:
    """The path of the command that runs now, else of the one on the path."""
    beside = shutil.which("coolgp", path=str(Path(sys.executable).parent)) or shutil.which("coolgp")
    return shlex.quote(beside or "coolgp")


def memory_text(needed: float, node_bytes: float | None) -> str:
    """Memory of a node to ask for: half as much again as it needs, as far as a node has it.

    >>> memory_text(3.1 * 2**30, None), memory_text(3.1 * 2**30, 4 * 2**30)
    ('5G', '4096M')
    """
    asked = math.ceil(ROOM * needed / GIBIBYTE)
    return f"{asked}G" if node_bytes is None or asked * GIBIBYTE <= node_bytes else f"{int(node_bytes / 2**20)}M"


def time_text(seconds: float | None) -> str:
    """The time to ask for: twice the estimate, in quarters of an hour; two hours where there is no estimate.

    >>> time_text(60.0), time_text(30 * 3600.0), time_text(None)
    ('00:15:00', '2-12:00:00', '02:00:00')
    """
    quarters = math.ceil((UNKNOWN if seconds is None else LONGER * seconds) / QUARTER)
    days, rest = divmod(quarters * QUARTER, 86400)
    clock = f"{rest // 3600:02}:{rest % 3600 // 60:02}:00"
    return f"{days}-{clock}" if days else clock
