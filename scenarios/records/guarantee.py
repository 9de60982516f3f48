"""What a rule stated_guarantee on its network before a run, kept with it, and compared with what was seen after it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from coolgp.network.links.faults import Faults, faults_present
from coolgp.scenarios.base.arrays import Bools, Floats
from coolgp.scenarios.base.formatting import counted

__all__ = [
    "StatedGuarantee",
    "fault_words",
    "guarantee_words",
    "observed_words",
    "read_guarantee",
    "with_exchange",
]

FAR = 0.5
"""Distance from the exact sum above which a run should hear of it: a half of what agents contributed is missing."""


@dataclass(frozen=True)
class StatedGuarantee:
    """Contents of ``promise.json``.

    kind: exact, asymptotic or approximate, and why; rounds: communication rounds predicted to the tolerance where
    nothing fails, from the spectral gap where there is one; faults: what goes wrong on this network, in words.
    """

    rule: str
    agents: int
    links: int
    kind: str
    why: str
    rounds: int | None
    gap: float | None
    tolerance: float | None
    faults: tuple[str, ...]

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=2)


def read_guarantee(path: Path) -> StatedGuarantee:
    """The promise kept in a run folder. Raises ValueError where the file is not one."""
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        return StatedGuarantee(**contents | {"faults": tuple(contents["faults"])})
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise ValueError(f"{path} is not that of a run: {problem}") from problem


def guarantee_words(promise: StatedGuarantee) -> str:
    """The promise in a sentence or two."""
    network = f"{counted(promise.agents, 'agent')} and {counted(promise.links, 'link')}"
    text = f"{promise.rule} over {network} is {promise.kind}: {promise.why}."
    if promise.rounds is not None:
        gap = "" if promise.gap is None else f" (spectral gap {promise.gap:.2g})"
        target = "" if promise.gap is None else f" to {promise.tolerance:g}"
        text += f" Predicted{target}, where nothing fails: {_communicated(promise.rounds)}{gap}."
    if promise.faults:
        text += f" On this network {'; '.join(promise.faults)}."
    return text


def observed_words(promise: StatedGuarantee, metrics: Mapping[str, Floats]) -> str:
    """What was seen of communication rounds, and of the distance from the exact sum, by the columns of a run.

    Rounds of learning without an exchange (``fusion.every``) say nothing of the rule, and are left out.
    """
    rounds, error = metrics["communication_rounds"], metrics["fusion_error"]
    spanned = np.diff(metrics["round"], prepend=0.0)
    if not np.isfinite(rounds).any():
        return "What was seen is not known."
    heard = with_exchange(rounds)
    rounds, error = (rounds / spanned)[heard], error[heard]
    usual = float(np.nanmedian(rounds))
    when = "a round of learning" if heard.all() else f"each of {counted(len(rounds), 'exchange')}"
    if (spanned > 1).any():
        when = "a round of learning, on average"
    text = f"Seen: {_communicated(round(usual))} in {when}"
    if promise.rounds and promise.gap is not None:
        text += f", {usual / promise.rounds:.2g} of the prediction"
    if not np.isfinite(error).any():
        return f"{text}."
    text += f"; {error[-1]:.1g} from the exact sum at the end, {np.nanmax(error):.1g} at most."
    far = promise.kind != "approximate" and error[-1] > FAR
    return f"{text} That is far: take more communication rounds (fusion.rounds_per_step)." if far else text


def with_exchange(rounds: Floats) -> Bools:
    """Which rounds of learning ended with an exchange, by their communication rounds ``[R]``; all where none did.

    >>> with_exchange(np.array([0.0, 3.0, 0.0, 3.0])).tolist(), with_exchange(np.zeros(2)).tolist()
    ([False, True, False, True], [True, True])
    """
    heard: Bools = np.nan_to_num(rounds) > 0
    return heard if heard.any() else np.ones(len(rounds), dtype=bool)


def fault_words(faults: Faults) -> list[str]:
    """What goes wrong, in words; empty where nothing does.

    >>> fault_words(Faults(loss=0.2, burst=3))
    ['20 % of the messages are lost, in bursts of 3 communication rounds']
    """
    return [kind.words(faults) for kind in faults_present(faults).values()]


def _communicated(rounds: int) -> str:
    return counted(rounds, "communication round")
