"""Formats the numbers of the evaluation for the terminal and the report."""

from personaagent.eval.estimate import Difference
from personaagent.scorecard.estimate import Estimate

UNKNOWN = "-"
SMALLEST_P = 0.001


def format_estimate(estimate: Estimate | None) -> str:
    """A mean with its 95% interval: ``0.512 [0.430, 0.594]``."""
    if estimate is None:
        return UNKNOWN
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def format_mean(estimate: Estimate | None) -> str:
    """The mean alone: ``0.512``."""
    return UNKNOWN if estimate is None else f"{estimate.mean:.3f}"


def format_difference(difference: Difference | None) -> str:
    """A difference with its 95% interval and p: ``+0.041 [-0.010, +0.092] p 0.12``."""
    if difference is None:
        return UNKNOWN
    interval = f"[{difference.low:+.3f}, {difference.high:+.3f}]"
    return f"{difference.mean:+.3f} {interval} p {format_p(difference.p)}"


def format_p(p: float) -> str:
    """A p-value with two significant digits."""
    return f"<{SMALLEST_P}" if p < SMALLEST_P else f"{p:.2g}"


def format_share(share: float | None) -> str:
    """A share as a percentage."""
    return UNKNOWN if share is None else f"{share:.0%}"


def format_number(number: float | None) -> str:
    """A number with three significant digits, or without decimals."""
    if number is None:
        return UNKNOWN
    if abs(number) >= 100 or number == int(number):
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"


def format_count(number: int, noun: str) -> str:
    """How many of something: ``1 question``, ``1,200 questions``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def format_price(price: float | None) -> str:
    """A price in dollars, to the cent; with two significant digits below one dollar."""
    if price is None:
        return UNKNOWN
    if price == 0:
        return "$0"
    return f"${price:,.2f}" if price >= 1 else f"${price:.2g}"
