"""How many server processes the busiest hour needs: a simulated queue, not a rule of thumb."""

import heapq
import math
import random

ARRIVALS = 20_000
PATIENCE = 1.0
"""How long one turn in a hundred may wait for a process, in turns."""
SPREAD = 0.5
"""Standard deviation of a turn's processor time, as a share of it (assumed)."""


def processes_needed(turns_a_second: float, seconds: float) -> int:
    """The fewest processes with which the 99th percentile of waiting is at most ``PATIENCE`` turns.

    Args:
        turns_a_second: how many begin, at random moments.
        seconds: processor time of a turn, on one process, which is one core.
    """
    fewest = most = math.floor(turns_a_second * seconds) + 1
    while _waiting(turns_a_second, seconds, most) > PATIENCE * seconds:
        fewest, most = most + 1, most + max(1, most // 8)
    while fewest < most:
        middle = (fewest + most) // 2
        if _waiting(turns_a_second, seconds, middle) > PATIENCE * seconds:
            fewest = middle + 1
        else:
            most = middle
    return most


def _waiting(rate: float, seconds: float, processes: int) -> float:
    """Seconds within which 99 of 100 turns find a process."""
    chance = random.Random(0)
    shape = SPREAD**-2
    free = [0.0] * processes
    moment, waits = 0.0, []
    for _ in range(ARRIVALS):
        moment += chance.expovariate(rate)
        begun = max(moment, free[0])
        heapq.heapreplace(free, begun + chance.gammavariate(shape, seconds / shape))
        waits.append(begun - moment)
    return sorted(waits)[math.ceil(0.99 * ARRIVALS) - 1]
