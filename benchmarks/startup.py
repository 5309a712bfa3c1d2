"""How long ``personaagent --help`` takes, against a Python that does nothing."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from measurement import Measurement, report_and_exit

RUNS = 25
HELP = [str(Path(sys.executable).with_name("personaagent")), "--help"]
NOTHING = [sys.executable, "-c", "pass"]


def measure() -> list[Measurement]:
    _timed(HELP)
    pairs = [(_timed(HELP), _timed(NOTHING)) for _ in range(RUNS)]
    return [
        Measurement(
            "personaagent --help (median)", 1000 * median(help_ for help_, _ in pairs), " ms"
        ),
        Measurement(
            "python -c pass (median)", 1000 * median(nothing for _, nothing in pairs), " ms"
        ),
        Measurement(
            "start-up of --help", median(help_ / nothing for help_, nothing in pairs), "x", most=6
        ),
    ]


def _timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    report_and_exit(measure())
