"""The measurements of a benchmark with their targets, how to print them, and the exit code."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NoReturn

SKIPPED = 77


@dataclass(frozen=True)
class Measurement:
    """One figure. ``most`` or ``least`` is its target; without either it is for information.

    ``baseline`` names what a ratio is against, measured in the same run.
    """

    name: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None
    baseline: str = ""

    @property
    def passed(self) -> bool:
        """Whether the target is met."""
        over = self.most is not None and self.value > self.most
        under = self.least is not None and self.value < self.least
        return not over and not under

    @property
    def target_text(self) -> str:
        """The target in words; empty if there is none."""
        if self.most is not None:
            return f"at most {self.most:,.4g}{self.unit}"
        return "" if self.least is None else f"at least {self.least:,.4g}{self.unit}"

    @property
    def value_text(self) -> str:
        """The value with its unit."""
        number = f"{self.value:,.3g}" if self.value < 100 else f"{self.value:,.0f}"
        return f"{number}{self.unit}"


def quick() -> bool:
    """Whether smaller sizes are asked for, which take a minute or so."""
    return "--quick" in sys.argv


def report_and_exit(measurements: Sequence[Measurement]) -> NoReturn:
    """Print the measurements (as JSON with ``--json``), and exit with 1 if a target is missed."""
    if "--json" in sys.argv:
        print(json.dumps([asdict(each) for each in measurements]))
    else:
        for each in measurements:
            verdict = (
                f"  {each.target_text}: {'pass' if each.passed else 'FAIL'}"
                if each.target_text
                else ""
            )
            print(f"{each.name}: {each.value_text}{verdict}")
    sys.exit(not all(each.passed for each in measurements))


def skip_benchmark(reason: str) -> NoReturn:
    """Print why nothing can be measured, and exit with ``SKIPPED``."""
    print(reason)
    sys.exit(SKIPPED)


def print_progress(text: str) -> None:
    """Print on standard error what the benchmark does now."""
    print(text, file=sys.stderr, flush=True)
