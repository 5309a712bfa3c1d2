"""What a benchmark found: figures with their targets, printed, and the exit code."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NoReturn

SKIPPED = 77


@dataclass(frozen=True)
class Measured:
    """One figure. ``most`` or ``least`` is its target; with neither it is for information."""

    name: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the target is met."""
        over = self.most is not None and self.value > self.most
        under = self.least is not None and self.value < self.least
        return not over and not under

    @property
    def target(self) -> str:
        """The target in words; empty where there is none."""
        if self.most is not None:
            return f"at most {self.most:,.4g}{self.unit}"
        return "" if self.least is None else f"at least {self.least:,.4g}{self.unit}"

    @property
    def shown(self) -> str:
        """The value with its unit."""
        return (
            f"{self.value:,.3g}{self.unit}" if self.value < 100 else f"{self.value:,.0f}{self.unit}"
        )


def finish(found: Sequence[Measured]) -> None:
    """Print the figures (``--json``: for ``run_all``) and exit with 1 if a target is missed."""
    if "--json" in sys.argv:
        print(json.dumps([asdict(each) for each in found]))
    else:
        for each in found:
            verdict = f"  {each.target}: {'pass' if each.passed else 'FAIL'}" if each.target else ""
            print(f"{each.name}: {each.shown}{verdict}")
    sys.exit(not all(each.passed for each in found))


def skip(reason: str) -> NoReturn:
    """End without figures, for this reason."""
    print(reason)
    sys.exit(SKIPPED)


def say(text: str) -> None:
    """Tell how far it is, on standard error."""
    print(text, file=sys.stderr, flush=True)
