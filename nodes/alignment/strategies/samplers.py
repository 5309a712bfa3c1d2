"""Which of the user's labelled episodes make the batch."""

from collections.abc import Sequence

import numpy as np

from personaagent.core.alignment_state import AlignmentPlan
from personaagent.memory.profile import LabelledAt
from personaagent.memory.user import UserMemory

UNKNOWN = 0.5
"""The loss that is assumed of an episode which no alignment has simulated yet."""


class LatestSampler:
    """The latest n (paper, Algorithm 1)."""

    async def pick(
        self,
        pool: Sequence[LabelledAt],
        n: int,
        *,
        plan: AlignmentPlan,
        memory: UserMemory,
        last_losses: dict[str, float],
    ) -> list[str]:
        """The n newest."""
        return [episode.id for episode in pool[:n]]


class SimilarSampler:
    """The n whose queries are most similar to the plan's query."""

    async def pick(
        self,
        pool: Sequence[LabelledAt],
        n: int,
        *,
        plan: AlignmentPlan,
        memory: UserMemory,
        last_losses: dict[str, float],
    ) -> list[str]:
        """Those nearest by the dot product of the embeddings.

        Raises:
            ServiceError, DataError: the embedding model cannot be asked.
        """
        episodes = await memory.episodes.find([episode.id for episode in pool])
        embed = memory.indexer.embedder.embed
        [target] = await embed([plan.query])
        vectors = await embed([episode.query for episode in episodes])
        similarity = {
            episode.id: np.dot(target, vector)
            for episode, vector in zip(episodes, vectors, strict=True)
        }
        return sorted(similarity, key=lambda episode_id: -similarity[episode_id])[:n]


class HardestSampler:
    """The n with the highest last loss; of equals the newer."""

    async def pick(
        self,
        pool: Sequence[LabelledAt],
        n: int,
        *,
        plan: AlignmentPlan,
        memory: UserMemory,
        last_losses: dict[str, float],
    ) -> list[str]:
        """Those with a high loss first, then those never simulated, then those that went well."""
        hardest = sorted(pool, key=lambda episode: -last_losses.get(episode.id, UNKNOWN))
        return [episode.id for episode in hardest][:n]
