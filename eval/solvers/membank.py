"""``membank``: MemoryBank (Zhong et al. 2023, arXiv 2305.10250), a memory that forgets.

As in the paper: memories are recalled by similarity beside a summary of the user, and fade by
Ebbinghaus' curve, R = exp(-t / S), where t is the time since a memory was last recalled and S its
strength: 1 at first, one more each time it is recalled, when t begins anew. A memory is kept with
probability R; one that is forgotten does not come back.
"""

import math
from collections.abc import Collection, Sequence
from datetime import datetime

from personaagent.core.records import Episode
from personaagent.eval.samples import Sample
from personaagent.eval.solvers.environment import EvalEnvironment, Remembered, recall
from personaagent.eval.solvers.recalling import Recall, Showing
from personaagent.memory.hiding import Hidden

DAYS = 10
"""The span of a history in the unit of t. The paper's own histories span ten days; others span
years, or bear no dates but an order, and would be forgotten at once or never."""


class Fading:
    """Which memories are kept. ``luck`` is drawn for each from [0, 1): it is lost once R is less.

    Args:
        memories: at least one, oldest first.
    """

    def __init__(self, memories: Sequence[Episode], luck: Sequence[float]) -> None:
        span = memories[-1].created_at - memories[0].created_at
        self._day = span.total_seconds() / DAYS or 1.0
        self._luck = {each.id: drawn for each, drawn in zip(memories, luck, strict=True)}
        self._strength = {each.id: 1 for each in memories}
        self._last = {each.id: each.created_at for each in memories}

    def retention(self, memory: str, at: datetime) -> float:
        """R of that memory at that time."""
        days = (at - self._last[memory]).total_seconds() / self._day
        return math.exp(-days / self._strength[memory])

    def lost(self, at: datetime) -> frozenset[str]:
        """The memories that are forgotten by then."""
        return frozenset(
            memory for memory, luck in self._luck.items() if self.retention(memory, at) < luck
        )

    def strengthen(self, memories: Collection[str], at: datetime) -> None:
        """These were recalled at that time."""
        for memory in memories:
            self._strength[memory] += 1
            self._last[memory] = at


async def fading(case: Sample, lab: EvalEnvironment, remembered: Remembered) -> Recall:
    """Live through the history once more: each query in it recalls, and so strengthens, ``top_k``
    of the memories before it. What is left at its end is what the questions find."""
    history = sorted(case.history, key=lambda each: each.created_at)
    if not history:
        return remembered.recall
    memory = remembered.memory
    bank = Fading(history, lab.random(case).random(len(history)).tolist())
    for each in history:
        at = each.created_at
        known = memory.hiding(Hidden(bank.lost(at), before=at))
        recalled = await recall(known, each.query, lab.settings.top_k)
        bank.strengthen([other.id for other in recalled], at)
    left = memory.hiding(Hidden(bank.lost(history[-1].created_at)))

    async def recall_what_is_left(query: str, k: int) -> list[Episode]:
        return await recall(left, query, k)

    return recall_what_is_left


MEMBANK = Showing("membank", "eval_summary", fading, summary=True)
