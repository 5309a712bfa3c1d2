"""How the figures of the evaluation are written, on the terminal and in the report."""

from personaagent.eval.estimate import Difference
from personaagent.scorecard.estimate import Estimate

NOT_KNOWN = "-"
LEAST_P = 0.001


def estimate_text(each: Estimate | None) -> str:
    """A figure with its 95% interval: ``0.512 [0.430, 0.594]``."""
    if each is None:
        return NOT_KNOWN
    return f"{each.mean:.3f} [{each.low:.3f}, {each.high:.3f}]"


def mean_text(each: Estimate | None) -> str:
    """The figure alone: ``0.512``."""
    return NOT_KNOWN if each is None else f"{each.mean:.3f}"


def difference_text(each: Difference | None) -> str:
    """A difference with its 95% interval and p: ``+0.041 [-0.010, +0.092] p 0.12``."""
    if each is None:
        return NOT_KNOWN
    return f"{each.mean:+.3f} [{each.low:+.3f}, {each.high:+.3f}] p {p_text(each.p)}"


def p_text(p: float) -> str:
    """A p-value with two digits after its zeros."""
    return f"<{LEAST_P}" if p < LEAST_P else f"{p:.2g}"


def share_text(share: float | None) -> str:
    """A share as a percentage."""
    return NOT_KNOWN if share is None else f"{share:.0%}"


def number_text(number: float | None) -> str:
    """A number with so many digits as are worth reading."""
    if number is None:
        return NOT_KNOWN
    if abs(number) >= 100 or number == int(number):
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"


def price_text(price: float) -> str:
    """A price in dollars, to the cent, or to two digits where it is less than one."""
    if price == 0:
        return "$0"
    return f"${price:,.2f}" if price >= 1 else f"${price:.2g}"
