"""Which episodes a round learns from (the batch), and which prove what it learns (held out)."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.alignment_state import Plan
from personaagent.memory.profile import LabelledAt
from personaagent.memory.ranking import repeated
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.strategies.all import SAMPLERS, STRATEGIES

LEAST_HELD_OUT = 2


def least_held_out(plan: Plan) -> int:
    """The fewest held-out episodes with which the plan's gate can prove anything."""
    return LEAST_HELD_OUT if STRATEGIES[plan.mode].gate.needs_holdout else 0


async def draw_sets(
    run: AlignmentRun, labelled: Sequence[LabelledAt], memory: UserMemory
) -> tuple[list[str], list[str]]:
    """Draw the batch of this round, and the held-out episodes of the run.

    The held-out episodes are drawn in the first round and stay the same. With few labels both sets
    shrink.

    Returns:
        The ids of the batch, and of the held-out episodes.
    """
    ids = {episode.id for episode in labelled}
    holdout = [episode_id for episode_id in run.holdout if episode_id in ids]
    pool = [episode for episode in labelled if episode.id not in holdout]
    batch = await _draw_batch(run, pool, 0 if holdout else least_held_out(run.plan), memory)
    if least_held_out(run.plan) and run.round == 0:
        rest = [episode for episode in pool if episode.id not in batch]
        holdout = stratified(await _asking_otherwise(rest, batch, memory), run.plan.holdout)
    return batch, holdout


async def _draw_batch(
    run: AlignmentRun, pool: Sequence[LabelledAt], reserved: int, memory: UserMemory
) -> list[str]:
    """Pick the batch from ``pool``, of which ``reserved`` episodes are left to be held out."""
    return await SAMPLERS[run.plan.sampling].pick(
        pool,
        max(0, min(run.plan.batch, len(pool) - reserved)),
        plan=run.plan,
        memory=memory,
        last_losses=run.last_losses,
    )


async def _asking_otherwise(
    rest: Sequence[LabelledAt], batch: Sequence[str], memory: UserMemory
) -> list[LabelledAt]:
    """Those whose question the batch does not ask: the same question proves nothing."""
    learned, others = await asyncio.gather(
        memory.episodes.find(batch), memory.episodes.find([episode.id for episode in rest])
    )
    queries = {episode.id: episode.query for episode in others}
    asked_in_batch = repeated(queries, [episode.query for episode in learned])
    return [episode for episode in rest if episode.id not in asked_in_batch]


def stratified(pool: Iterable[LabelledAt], most: int) -> list[str]:
    """The ids of at most ``most`` of ``pool``, newest first, one of each task in turn."""
    ids_by_task: dict[str | None, list[str]] = defaultdict(list)
    for episode in pool:
        ids_by_task[episode.task].append(episode.id)
    turns = zip_longest(*ids_by_task.values())
    return [episode_id for turn in turns for episode_id in turn if episode_id is not None][:most]
