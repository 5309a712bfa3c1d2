"""``membank``: MemoryBank (Zhong et al. 2023, arXiv 2305.10250), a memory that forgets.

As in the paper, memories are recalled by similarity, beside a summary of the user, and fade along
Ebbinghaus' curve R = exp(-t / S): t is the time since the memory was last recalled, S its strength. S
is 1 at first and grows by 1 with each recall, which also resets t. A memory is kept with probability
R; a forgotten memory does not come back.
"""

import math
from collections.abc import Collection, Sequence
from datetime import datetime

from personaagent.core.records import Episode
from personaagent.eval.samples import Sample
from personaagent.eval.solvers.environment import EvalEnvironment, SampleMemory, recall
from personaagent.eval.solvers.episode_prompt import EpisodePrompt, Recall
from personaagent.memory.hiding import Hidden

SPAN_DAYS = 10
"""The span of every history in days, the unit of t. The histories of the paper span ten days; others
span years, or have an order but no dates, and would be forgotten at once or never."""


class ForgettingCurve:
    """Which memories are kept and which are forgotten.

    Args:
        memories: at least one, oldest first.
        thresholds: one number from [0, 1) for each memory, which is forgotten once R is below it.
    """

    def __init__(self, memories: Sequence[Episode], thresholds: Sequence[float]) -> None:
        span = memories[-1].created_at - memories[0].created_at
        self._seconds_per_day = span.total_seconds() / SPAN_DAYS or 1.0
        self._thresholds = dict(zip([each.id for each in memories], thresholds, strict=True))
        self._strength = {memory.id: 1 for memory in memories}
        self._last_recalled = {memory.id: memory.created_at for memory in memories}

    def retention(self, memory_id: str, at: datetime) -> float:
        """R of that memory at that time."""
        seconds = (at - self._last_recalled[memory_id]).total_seconds()
        return math.exp(-seconds / self._seconds_per_day / self._strength[memory_id])

    def forgotten(self, at: datetime) -> frozenset[str]:
        """The ids of the memories that are forgotten by that time."""
        return frozenset(
            memory_id
            for memory_id, threshold in self._thresholds.items()
            if self.retention(memory_id, at) < threshold
        )

    def strengthen(self, memory_ids: Collection[str], at: datetime) -> None:
        """Strengthen memories that were recalled at that time."""
        for memory_id in memory_ids:
            self._strength[memory_id] += 1
            self._last_recalled[memory_id] = at


async def recall_unforgotten(
    sample: Sample, environment: EvalEnvironment, sample_memory: SampleMemory
) -> Recall:
    """Replay the history: each of its queries recalls, and so strengthens, ``top_k`` earlier memories.

    Returns a recall that finds what is not forgotten at the end of the history.
    """
    history = sorted(sample.history, key=lambda episode: episode.created_at)
    if not history:
        return sample_memory.recall
    memory = sample_memory.memory
    thresholds = environment.rng(sample).random(len(history)).tolist()
    curve = ForgettingCurve(history, thresholds)
    for episode in history:
        at = episode.created_at
        earlier = memory.hiding(Hidden(curve.forgotten(at), before=at))
        recalled = await recall(earlier, episode.query, environment.settings.top_k)
        curve.strengthen([each.id for each in recalled], at)
    remaining = memory.hiding(Hidden(curve.forgotten(history[-1].created_at)))

    async def recall_remaining(query: str, k: int) -> list[Episode]:
        return await recall(remaining, query, k)

    return recall_remaining


MEMBANK = EpisodePrompt("membank", "eval_summary", recall_unforgotten, summary=True)
