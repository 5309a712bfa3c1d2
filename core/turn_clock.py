"""How long turns take: from the recall that begins one to the episode that ends it, in this process."""

import threading
from time import monotonic

from cachetools import TTLCache

from personaagent.core.prometheus import TURN_SECONDS, TURNS

MOST_TURNS = 10_000
LONGEST_TURN = 3600.0
"""Seconds until a turn is given up: it failed, was stopped, or went on in another process."""

_begun: TTLCache[str, float] = TTLCache(maxsize=MOST_TURNS, ttl=LONGEST_TURN, timer=monotonic)
_lock = threading.Lock()


def begin_turn_clock(turn: str) -> None:
    """Note that the turn of this id begins; if it is done again from its start, that counts."""
    with _lock:
        _begun[turn] = monotonic()


def end_turn_clock(turn: str) -> None:
    """Count the turn, and how long it took if it began in this process."""
    TURNS.inc()
    with _lock:
        begun = _begun.pop(turn, None)
    if begun is not None:
        TURN_SECONDS.observe(monotonic() - begun)
