"""Which of the user's labelled episodes make the batch."""

from collections.abc import Sequence

import numpy as np

from personaagent.core.alignment_state import Plan
from personaagent.memory.profile import LabelledAt
from personaagent.memory.user import UserMemory

UNKNOWN = 0.5
"""Stands for the loss of an episode that no alignment has simulated yet."""


class Latest:
    """The latest n (paper, Algorithm 1)."""

    async def pick(
        self,
        pool: Sequence[LabelledAt],
        n: int,
        *,
        plan: Plan,
        memory: UserMemory,
        last_losses: dict[str, float],
    ) -> list[str]:
        """The n newest."""
        return [each.id for each in pool[:n]]


class Similar:
    """The n that come to mind for a query."""

    async def pick(
        self,
        pool: Sequence[LabelledAt],
        n: int,
        *,
        plan: Plan,
        memory: UserMemory,
        last_losses: dict[str, float],
    ) -> list[str]:
        """Those whose queries are nearest to the plan's, by embedding.

        Raises:
            ServiceError, DataError: the embedding model cannot be asked.
        """
        episodes = await memory.episodes.find([each.id for each in pool])
        embed = memory.indexer.embedder.embed
        [sought], queries = await embed([plan.query]), await embed([e.query for e in episodes])
        near = {e.id: np.dot(sought, query) for e, query in zip(episodes, queries, strict=True)}
        return sorted(near, key=lambda each: -near[each])[:n]


class Hardest:
    """The n with the highest last loss; the newer of two that are equal."""

    async def pick(
        self,
        pool: Sequence[LabelledAt],
        n: int,
        *,
        plan: Plan,
        memory: UserMemory,
        last_losses: dict[str, float],
    ) -> list[str]:
        """Those with loss first, then those never tried, then those that went well."""
        hardest = sorted(pool, key=lambda each: -last_losses.get(each.id, UNKNOWN))
        return [each.id for each in hardest][:n]
