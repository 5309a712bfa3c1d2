"""The user's labels of the questions that are nearest to a question: votes for its answer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from personaagent.core.errors import IndexUnavailable, ServiceError
from personaagent.core.prometheus import count_failure
from personaagent.core.records import Episode
from personaagent.memory.index.protocol import Scores
from personaagent.memory.label_counts import token_of
from personaagent.memory.precedence import missing_successors
from personaagent.memory.recall import Recall

MOST_READ = 500
"""Most of the nearest episodes that are read to find labels of the task."""


class SimilarLabel(NamedTuple):
    """The label of an episode whose query is near to the question.

    ``token`` is the text of a label of up to 4 words, as in ``LabelCounts``. ``cosine`` is that of
    the question and the nearest passage of the episode, ``at`` the time of the episode (Unix seconds).
    """

    episode_id: str
    token: str
    cosine: float
    at: float


@dataclass(frozen=True)
class SimilarLabels:
    """Finds labels by the index that ``recaller`` recalls from; what it hides is not found."""

    recaller: Recall

    async def find(self, query: str, task: str | None, k: int) -> list[SimilarLabel]:
        """The labels of ``task`` nearest to ``query``, nearest first; of equally near ones, the newer
        first. Without a task: of the episodes without one that share the instruction of ``query``,
        if it has one.

        Only labels that stand: an episode that another one supersedes has no vote. There are none
        if the index or the embedding model is down or too slow: recall warns of that.

        Raises:
            EmbeddingsChanged: the index was built with another embedding model.
        """
        try:
            await self.recaller.indexer.embedder.ready()
            async with asyncio.timeout(self.recaller.timeout):
                return await self._nearest(query, task, k)
        except (TimeoutError, IndexUnavailable, ServiceError) as error:
            count_failure(error)
            return []

    async def _nearest(self, query: str, task: str | None, k: int) -> list[SimilarLabel]:
        cosines = _nearest_first(await self.recaller.dense_scores(query, MOST_READ))
        instructions = await self.recaller.instructions()
        asked = "" if task else instructions.split(query).instruction
        labels: list[SimilarLabel] = []
        page = max(2 * k, 1)
        for start in range(0, len(cosines), page):
            if len(labels) >= k:
                break
            found = await self.recaller.episodes.find([*cosines][start : start + page])
            labels += [
                _label(episode, cosines[episode.id])
                for episode in await self._standing(found)
                if episode.labelled
                and episode.task == task
                and (not asked or instructions.split(episode.query).instruction == asked)
            ]
        return labels[:k]

    async def _standing(self, episodes: Sequence[Episode]) -> list[Episode]:
        """Those of the episodes that none supersedes, as far as the run may see."""
        successors = await self.recaller.episodes.find(missing_successors(episodes, ()))
        hidden = await self.recaller.hidden_now()
        visible = {each.id for each in successors if not hidden.hides(each)}
        return [episode for episode in episodes if episode.superseded_by not in visible]


def _label(episode: Episode, cosine: float) -> SimilarLabel:
    return SimilarLabel(episode.id, token_of(episode), cosine, episode.created_at.timestamp())


def _nearest_first(scores: Scores | None) -> dict[str, float]:
    """The cosine of the ``MOST_READ`` nearest episodes by their id, nearest first."""
    import numpy as np

    if scores is None or scores.dense is None:
        return {}
    rows = np.lexsort((-scores.at, -scores.dense))[:MOST_READ].tolist()
    return {str(scores.episode_ids[row]): float(scores.dense[row]) for row in rows}
