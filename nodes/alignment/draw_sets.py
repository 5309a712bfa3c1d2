"""Which episodes a round learns from (the batch), and which prove what it learns (held out)."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.alignment_state import AlignmentPlan
from personaagent.memory.profile import LabelledAt
from personaagent.memory.ranking import repeated_queries
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.strategies.all import SAMPLERS, STRATEGIES

LEAST_HELD_OUT = 2


def least_held_out(plan: AlignmentPlan) -> int:
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
    least = least_held_out(run.plan)
    pool = [episode for episode in labelled if episode.id not in holdout]
    batch = await _draw_batch(run, pool, 0 if holdout else least, memory)
    if least and run.round == 0:
        holdout = await _draw_holdout(run, pool, batch, memory)
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


async def _draw_holdout(
    run: AlignmentRun, pool: Sequence[LabelledAt], batch: Sequence[str], memory: UserMemory
) -> list[str]:
    """Draw from what the batch leaves, without what asks the same: that would prove nothing."""
    rest = [episode for episode in pool if episode.id not in batch]
    in_batch, others = await asyncio.gather(
        memory.episodes.find(batch), memory.episodes.find([episode.id for episode in rest])
    )
    queries = {episode.id: episode.query for episode in others}
    differing = (await memory.recaller.instructions()).differing
    asked_in_batch = repeated_queries(queries, [each.query for each in in_batch], differing)
    candidates = [episode for episode in rest if episode.id not in asked_in_batch]
    return stratified(candidates, run.plan.holdout)


def stratified(pool: Iterable[LabelledAt], most: int) -> list[str]:
    """The ids of at most ``most`` of ``pool``, newest first, one of each task in turn."""
    ids_by_task: dict[str | None, list[str]] = defaultdict(list)
    for episode in pool:
        ids_by_task[episode.task].append(episode.id)
    turns = zip_longest(*ids_by_task.values())
    return [episode_id for turn in turns for episode_id in turn if episode_id is not None][:most]
