"""The output of `coolgp plan` for a cluster, as words or JSON: its nodes, what crosses between them, other numbers."""

from __future__ import annotations

import json

from coolgp.scenarios.base.formatting import counted, percent, size_text
from coolgp.scenarios.planning.cluster import OnNodes
from coolgp.scenarios.planning.limits import memory_table
from coolgp.scenarios.planning.nodes import PlannedNodes
from coolgp.scenarios.planning.tables import contents, message_rows, seconds_text, time_rows

__all__ = ["cluster_json", "cluster_tables"]


def cluster_tables(planned: PlannedNodes) -> dict[str, list[tuple[str, str]]]:
    """Tables by title, as rows of a name and what is to be said of it."""
    on = planned.on
    return {
        "Nodes": _nodes(on),
        "Memory": [*memory_table(on.needs), *_room(on)],
        "Messages": [*message_rows(on.needs), *_crossing(on)],
        "Time, where a core is like one of this machine's": [*time_rows(planned.duration), *_round(on)],
        "By number of nodes": [_line(other) for other in planned.others],
    }


def cluster_json(planned: PlannedNodes) -> str:
    """The same for a program: bytes and seconds."""
    on, others = planned.on, {"by_nodes": [_numbers(other) for other in planned.others]}
    return json.dumps(contents(on.needs, planned.duration) | _numbers(on) | others, indent=2)


def _numbers(on: OnNodes) -> dict[str, object]:
    crosses, needs = on.crossing, on.needs
    return {
        "nodes": on.cluster.nodes,
        "ranks": on.cluster.ranks,
        "ranks_per_node": on.cluster.ranks_per_node,
        "fits": on.fits,
        "node_bytes": round(on.node_bytes),
        "bytes_between_ranks": round(crosses.ranks * needs.exchange_bytes),
        "bytes_between_nodes": round(crosses.nodes * needs.exchange_bytes),
        "messages_between_ranks": round(crosses.ranks * needs.shape.messages),
        "messages_between_nodes": round(crosses.nodes * needs.shape.messages),
        "seconds_working_a_round": on.working,
        "seconds_sending_a_round": on.sending,
        "share_sending": on.share,
    }


def _nodes(on: OnNodes) -> list[tuple[str, str]]:
    cluster, agents = on.cluster, on.needs.shape.agents
    return [
        ("nodes", f"{cluster.nodes:,}, with up to {counted(cluster.ranks_per_node, 'rank')} each"),
        ("ranks", f"{cluster.ranks:,}, with {counted(cluster.cores, 'core')} each"),
        ("agents", f"{agents:,}: {-(-agents // cluster.ranks):,} on a rank"),
    ]


def _room(on: OnNodes) -> list[tuple[str, str]]:
    verdict = {True: "fits", False: "would not fit", None: ""}[on.fits]
    known = on.cluster.node_bytes
    has = "give --memory-per-node to see whether it fits" if known is None else f"{size_text(known)}: {verdict}"
    return [("each node, at the peak", size_text(on.node_bytes)), ("each node has", has)]


def _crossing(on: OnNodes) -> list[tuple[str, str]]:
    crosses = on.crossing
    return [
        ("of these between ranks", _crossing_words(on, crosses.ranks, crosses.once_ranks)),
        ("and between nodes", _crossing_words(on, crosses.nodes, crosses.once_nodes)),
        ("neighbours of a rank", f"{counted(crosses.partners, 'other rank')} at most"),
    ]


def _crossing_words(on: OnNodes, share: float, once: float) -> str:
    """once: the share where a row goes to each rank once, as rules that average send it while nothing fails."""
    sent = on.needs.exchange_bytes
    least = f", or {size_text(once * sent)} where a row goes to a rank once" if once < share else ""
    return f"{share * on.needs.shape.messages:,.0f} messages ({percent(share)}), {size_text(share * sent)}{least}"


def _round(on: OnNodes) -> list[tuple[str, str]]:
    gbits = f"at {on.cluster.gbits:g} Gbit/s"
    if on.sending is None or on.share is None:
        return [("a communication round", f"up to {_fine(on.each)} of sending, {gbits}")]
    return [
        ("a round of learning", f"{_fine(on.working)} of work, up to {_fine(on.sending)} of sending {gbits}"),
        ("of it sending", f"up to {percent(on.share)}, waiting for slower ranks not counted"),
    ]


def _fine(seconds: float) -> str:
    """A time that may be short."""
    return seconds_text(seconds) if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _line(on: OnNodes) -> tuple[str, str]:
    """What a run needs and takes on some number of nodes, in columns."""
    seconds = "–" if on.sending is None else _fine(on.working + on.sending)
    share = "–" if on.share is None else percent(on.share)
    fits = {True: "", None: "", False: "  would not fit"}[on.fits]
    sizes = f"{on.cluster.ranks:>6,} ranks  {size_text(on.node_bytes):>8} a node  "
    return f"{on.cluster.nodes:,}", f"{sizes}{seconds:>9} a round  {share:>6} of it sending{fits}"
