"""The faults of a network: the record that the channel acts on, and the table of all kinds that can be in it.

A fusion rule states which kinds it stands (:mod:`coolgp.fusion.guarantee`). A new kind is a field of `Faults`, an
entry of `FAULT_KINDS`, and what the channel does with it; rules that do not mention it guarantee nothing under it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["FAULT_KINDS", "PERFECT", "Absence", "FaultKind", "Faults", "faults_present"]


@dataclass(frozen=True)
class Absence:
    """One agent (global id) that is away from the start of round `leave` up to that of round `back`, from 0."""

    agent: int
    leave: int
    back: int

    def __post_init__(self) -> None:
        if not 0 <= self.leave < self.back:
            raise ValueError(
                f"Agent {self.agent} must leave in a round from 0 on and come back in a later one; "
                f"got leave {self.leave} and back {self.back}"
            )


@dataclass(frozen=True)
class Faults:
    """The faults of links and agents. The default is a network on which nothing ever fails.

    Attributes:
        loss: share of messages that are lost.
        burst: mean length, in communication rounds, of the bursts in which a link loses everything (Gilbert-Elliott,
            with `loss` as the share of time); None for losses that are independent of one another.
        delay: communication rounds that a message takes beyond the one in which it is sent: that number (fixed), or
            their mean (geometric). Links keep the order of messages.
        bandwidth: bytes that a link carries in a communication round; a larger message takes several, in which the link
            takes no other. None for no limit.
        churn: probability that an agent leaves the network at the start of a round of learning, and
        absence: the mean number of rounds of learning that it stays away.
        away: agents that leave and come back at given rounds of learning.
        one_way: share of the links outside a spanning tree that carry messages in one direction only.
        byzantine: number of agents that send garbage in place of their values.
        moving: whether links appear and disappear from round to round of learning.

    Raises:
        ValueError: if a number is out of its range, or bursts are too short for so much loss.

    >>> Faults(loss=0.2, burst=4).lossless, Faults(loss=0.2, burst=4).timely
    (False, True)
    """

    loss: float = 0.0
    burst: float | None = None
    delay: float = 0.0
    delays: Literal["fixed", "geometric"] = "fixed"
    bandwidth: int | None = None
    churn: float = 0.0
    absence: float = 3.0
    away: tuple[Absence, ...] = ()
    one_way: float = 0.0
    byzantine: int = 0
    moving: bool = False

    def __post_init__(self) -> None:
        for name, fits, needed in (
            ("loss", 0 <= self.loss <= 1, "in [0, 1]"),
            ("burst", self.burst is None or self.burst >= 1, "at least 1"),
            ("delay", 0 <= self.delay < float("inf"), "at least 0"),
            ("delay", self.delays != "fixed" or self.delay % 1 == 0, "whole where delays are fixed"),
            ("delays", self.delays in ("fixed", "geometric"), "'fixed' or 'geometric'"),
            ("bandwidth", self.bandwidth is None or self.bandwidth >= 1, "at least 1 byte"),
            ("churn", 0 <= self.churn <= 1, "in [0, 1]"),
            ("absence", self.absence >= 1, "at least 1 round"),
            ("one_way", 0 <= self.one_way <= 1, "in [0, 1]"),
            ("byzantine", self.byzantine >= 0, "at least 0"),
        ):
            if not fits:
                raise ValueError(f"Faults need {name} {needed}; got {getattr(self, name)!r}")
        if self.burst is not None and self.loss > self.burst * (1 - self.loss):
            # A good spell lasts burst (1 - loss) / loss rounds on average, and no spell is shorter than one.
            raise ValueError(
                f"Bursts of {self.burst:g} rounds are too short to lose a share of {self.loss:g}; "
                f"take burst >= {self.loss / max(1 - self.loss, 1e-300):.3g}, or less loss"
            )

    @property
    def lossless(self) -> bool:
        """Whether every message that is sent arrives."""
        return self.loss == 0

    @property
    def timely(self) -> bool:
        """Whether what arrives does so in the round in which it was sent."""
        return self.delay == 0 and self.bandwidth is None

    @property
    def steady(self) -> bool:
        """Whether agents and links stay."""
        return self.churn == 0 and not self.away and not self.moving

    @property
    def two_way(self) -> bool:
        """Whether every link works in both directions."""
        return self.one_way == 0

    @property
    def honest(self) -> bool:
        """Whether all agents send their true values."""
        return self.byzantine == 0

    @property
    def perfect(self) -> bool:
        """Whether nothing ever fails."""
        return not faults_present(self)


PERFECT = Faults()


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault.

    Attributes:
        keys: of the section `[network]` that bring it.
        present: whether a network has it.
        words: what it does on a network that has it, as a clause.
    """

    keys: tuple[str, ...]
    present: Callable[[Faults], bool]
    words: Callable[[Faults], str]


def _loss_words(faults: Faults) -> str:
    bursts = "" if faults.burst is None else f", in bursts of {faults.burst:g} communication rounds"
    return f"{100 * faults.loss:g} % of the messages are lost{bursts}"


def _delay_words(faults: Faults) -> str:
    late = "on average" if faults.delays == "geometric" else "each"
    return f"messages are {faults.delay:g} communication rounds late {late}"


def _churn_words(faults: Faults) -> str:
    share = f"{100 * faults.churn:g} % of the agents"
    return f"{share} leave in each round of learning, for {faults.absence:g} rounds on average"


FAULT_KINDS: dict[str, FaultKind] = {
    "loss": FaultKind(("loss", "burst"), lambda faults: 0 < faults.loss < 1, _loss_words),
    "total loss": FaultKind(("loss",), lambda faults: faults.loss == 1, _loss_words),
    "delay": FaultKind(("delay", "delays"), lambda faults: faults.delay > 0, _delay_words),
    "bandwidth": FaultKind(
        ("bandwidth",),
        lambda faults: faults.bandwidth is not None,
        lambda faults: f"a link carries {faults.bandwidth:,} bytes in a communication round",
    ),
    "churn": FaultKind(("churn", "absence"), lambda faults: faults.churn > 0, _churn_words),
    "absence": FaultKind(
        ("away",),
        lambda faults: bool(faults.away),
        lambda faults: f"{len(faults.away)} planned absence{'s' * (len(faults.away) > 1)}",
    ),
    "moving links": FaultKind(
        ("speed", "reach", "topology"),
        lambda faults: faults.moving,
        lambda faults: "links come and go from round to round of learning",
    ),
    "one-way links": FaultKind(
        ("one_way",),
        lambda faults: not faults.two_way,
        lambda faults: f"{100 * faults.one_way:g} % of the links outside a spanning tree work in one direction only",
    ),
    "byzantine agents": FaultKind(
        ("byzantine",),
        lambda faults: not faults.honest,
        lambda faults: f"{faults.byzantine} agent{'s send' if faults.byzantine > 1 else ' sends'} garbage",
    ),
}
"""All kinds of faults by name."""


def faults_present(faults: Faults) -> dict[str, FaultKind]:
    """Return the kinds of faults that a network has, by name.

    >>> [kind.words(Faults(loss=0.2, burst=3)) for kind in faults_present(Faults(loss=0.2, burst=3)).values()]
    ['20 % of the messages are lost, in bursts of 3 communication rounds']
    """
    return {name: kind for name, kind in FAULT_KINDS.items() if kind.present(faults)}
