"""Numbers in words for people."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["counted", "forged_words", "named", "number", "percent", "plus_minus", "size_text", "uncovered_words"]

ROUNDING = 1e-9
"""What sums in another order may differ by, relatively."""
TOLERATED = 0.05
"""Share of rows outside the coverage of the inducing inputs from which on it is worth a word."""


def size_text(size: float) -> str:
    """A number of bytes in a fitting unit.

    >>> size_text(0), size_text(82_685_232)
    ('0 B', '82.7 MB')
    """
    if not math.isfinite(size):
        return "–"
    power = min(int(math.log10(max(size, 1)) / 3), 4)
    return f"{size / 1000**power:.3g} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"


def named(names: Sequence[str], most: int = 5) -> str:
    """Some of many names, in words.

    >>> named(("a", "b", "c"), 2)
    'a, b and 1 more'
    """
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def forged_words(shares: Sequence[float]) -> str:
    """The warning for the share of probes, by evaluated round, whose sums hold false messages; empty where none did.

    >>> forged_words([0.0, float("nan")])
    ''
    """
    seen = [share for share in shares if share > 0]
    if not seen:
        return ""
    return (
        f"in {len(seen)} of {len(shares)} evaluated rounds, up to {100 * max(seen):.0f} % of the probes had sums that "
        "no honest agents make: false messages were taken in and fused as they were (network.byzantine, or damaged "
        'messages); fusion.rule = "selective", or "consensus" with fusion.trim, leaves such values out'
    )


def uncovered_words(share: float, inducing: float) -> str:
    """The warning for a share of rows that the inducing inputs do not cover; empty where the share is small.

    >>> uncovered_words(0.02, 100)
    ''
    """
    if not share > TOLERATED:
        return ""
    return (
        f"{100 * share:.0f} % of the last round's inputs are outside the coverage of the {inducing:.0f} inducing "
        "inputs: what is observed there is mostly lost; take more of them (agents.inducing), or let agents add some "
        "(agents.inducing_most)"
    )


def plus_minus(mean: float, std: float) -> str:
    """Write a mean and a standard deviation to the same decimals, the latter to one digit unless rounding made it.

    >>> plus_minus(42.713, 1.02), plus_minus(38.8, 0.0031), plus_minus(38.8, 3e-14), plus_minus(1.5, float("nan"))
    ('42.7 ± 1.0', '38.8 ± 0.003', '38.8 ± 0', '1.5')
    """
    if not math.isfinite(mean) or not math.isfinite(std):
        return number(mean)
    if std <= ROUNDING * abs(mean):
        return f"{number(mean)} ± 0"
    if mean == 0 or not 1e-3 <= abs(mean) < 1e4:
        return f"{mean:.3g} ± {std:.2g}"
    places = max(0, 2 - math.floor(math.log10(abs(mean))))
    spread = f"{std:.{places}f}"
    return f"{mean:.{places}f} ± {spread if float(spread) else f'{std:.1g}'}"


def number(value: float, digits: int = 3) -> str:
    """Write a number, or a dash where there is none.

    >>> number(0.12345), number(25974.0, 12), number(float("nan"))
    ('0.123', '25,974', '–')
    """
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 and digits > 3 else f"{value:.{digits}g}"


def percent(share: float, digits: int = 1) -> str:
    """A share in percent.

    >>> percent(0.4), percent(0.123456, 2)
    ('40.0 %', '12.35 %')
    """
    return f"{100 * share:.{digits}f} %"


def counted(count: float, noun: str) -> str:
    """A count and its noun, which is one or many.

    >>> counted(1, "run"), counted(1200, "run")
    ('1 run', '1,200 runs')
    """
    return f"{count:,.0f} {noun}{'' if count == 1 else 's'}"
