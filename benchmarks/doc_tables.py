"""Tables and short numbers for the documents."""

import math
from collections.abc import Iterable

Cells = tuple[str, ...]


def table(head: Cells, rows: Iterable[Cells]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("|" + "|".join(cells) + "|" for cells in lines)


def short(number: float) -> str:
    """The number with two digits, in millions and more."""
    return _scaled(number, (("trillion", 1e12), ("billion", 1e9), ("million", 1e6)), "")


def size(number: float) -> str:
    """Bytes with two digits."""
    return _scaled(number, (("PB", 1e15), ("TB", 1e12), ("GB", 1e9)), " MB", 1e6)


def _scaled(
    number: float, units: tuple[tuple[str, float], ...], smallest: str, least: float = 1
) -> str:
    for name, unit in units:
        if number >= 0.995 * unit:
            return f"{_two_digits(number / unit)} {name}"
    return _two_digits(number / least) + smallest


def _two_digits(number: float) -> str:
    digits = 1 - math.floor(math.log10(number)) if number > 0 else 0
    return f"{round(number, digits):,.{max(0, digits)}f}".removesuffix(".0")
