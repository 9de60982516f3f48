"""The guarantee of a fusion rule on its network: stated before a run, stored, compared with what was observed."""

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
    "GUARANTEE",
    "GUARANTEE_BEFORE",
    "StatedGuarantee",
    "fault_words",
    "guarantee_path",
    "guarantee_words",
    "observed_words",
    "read_guarantee",
    "with_exchange",
]

GUARANTEE, GUARANTEE_BEFORE = "guarantee.json", "promise.json"
"""The file of a run folder, and what it was called before."""
TOO_FAR = 0.5
"""Relative distance from the exact sum that calls for a warning: half of what agents contributed is missing."""


@dataclass(frozen=True)
class StatedGuarantee:
    """Contents of ``guarantee.json``.

    kind: exact, asymptotic or approximate, and why. rounds: communication rounds predicted to reach the tolerance
    where nothing fails, from the spectral gap where there is one. faults: what goes wrong on this network, in words.
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


def guarantee_path(folder: Path) -> Path:
    """The file with the guarantee in a run folder of any version."""
    before = folder / GUARANTEE_BEFORE
    return before if before.is_file() and not (folder / GUARANTEE).is_file() else folder / GUARANTEE


def read_guarantee(folder: Path) -> StatedGuarantee:
    """Read the guarantee from a run folder of any version. Raises ValueError where its file is not one."""
    path = guarantee_path(folder)
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        return StatedGuarantee(**contents | {"faults": tuple(contents["faults"])})
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise ValueError(f"{path} is not that of a run: {problem}") from problem


def guarantee_words(guarantee: StatedGuarantee) -> str:
    """The guarantee in a sentence or two."""
    network = f"{counted(guarantee.agents, 'agent')} and {counted(guarantee.links, 'link')}"
    text = f"{guarantee.rule} over {network} is {guarantee.kind}: {guarantee.why}."
    if guarantee.rounds is not None:
        gap = "" if guarantee.gap is None else f" (spectral gap {guarantee.gap:.2g})"
        target = "" if guarantee.gap is None else f" to {guarantee.tolerance:g}"
        text += f" Predicted{target}, where nothing fails: {_communicated(guarantee.rounds)}{gap}."
    if guarantee.faults:
        text += f" On this network {'; '.join(guarantee.faults)}."
    return text


def observed_words(guarantee: StatedGuarantee, metrics: Mapping[str, Floats]) -> str:
    """The communication rounds and the distances from the exact sum that a run observed, by its columns ``[R]``.

    Rounds of learning without an exchange (``fusion.every``) say nothing of the rule, and are left out.
    """
    rounds, error = metrics["communication_rounds"], metrics["fusion_error"]
    spanned = np.diff(metrics["round"], prepend=0.0)
    if not np.isfinite(rounds).any():
        return "Communication rounds were not recorded."
    exchanged = with_exchange(rounds)
    rounds, error = (rounds / spanned)[exchanged], error[exchanged]
    usual = float(np.nanmedian(rounds))
    when = "a round of learning" if exchanged.all() else f"each of {counted(len(rounds), 'exchange')}"
    if (spanned > 1).any():
        when = "a round of learning, on average"
    text = f"Observed: {_communicated(round(usual))} in {when}"
    if guarantee.rounds and guarantee.gap is not None:
        text += f", {usual / guarantee.rounds:.2g} of the prediction"
    if not np.isfinite(error).any():
        return f"{text}."
    text += f"; relative distance from the exact sum {error[-1]:.1g} at the end, {np.nanmax(error):.1g} at most."
    too_far = guarantee.kind != "approximate" and error[-1] > TOO_FAR
    return f"{text} That is far: take more communication rounds (fusion.rounds_per_step)." if too_far else text


def with_exchange(rounds: Floats) -> Bools:
    """Which rounds of learning ended with an exchange, by their communication rounds ``[R]``; all where none did.

    >>> with_exchange(np.array([0.0, 3.0, 0.0, 3.0])).tolist(), with_exchange(np.zeros(2)).tolist()
    ([False, True, False, True], [True, True])
    """
    exchanged: Bools = np.nan_to_num(rounds) > 0
    return exchanged if exchanged.any() else np.ones(len(rounds), dtype=bool)


def fault_words(faults: Faults) -> list[str]:
    """What goes wrong, in words; empty where nothing does.

    >>> fault_words(Faults(loss=0.2, burst=3))
    ['20 % of the messages are lost, in bursts of 3 communication rounds']
    """
    return [kind.words(faults) for kind in faults_present(faults).values()]


def _communicated(rounds: int) -> str:
    return counted(rounds, "communication round")
