"""How long ``personaagent --help`` takes, against Python doing nothing."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from measured import Measured, finish

RUNS = 25
HELP = [str(Path(sys.executable).with_name("personaagent")), "--help"]
NOTHING = [sys.executable, "-c", "pass"]


def measure() -> list[Measured]:
    _timed(HELP)
    pairs = [(_timed(HELP), _timed(NOTHING)) for _ in range(RUNS)]
    return [
        Measured("personaagent --help (median)", 1000 * median(h for h, _ in pairs), " ms"),
        Measured("python -c pass (median)", 1000 * median(n for _, n in pairs), " ms"),
        Measured("start-up of --help", median(h / n for h, n in pairs), "x", most=6),
    ]


def _timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    finish(measure())
