"""Recall: which of a user's episodes are the nearest to a query."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from personaagent.core.errors import IndexDamaged, IndexUnavailable, ServiceError
from personaagent.core.prometheus import count_failure
from personaagent.core.records import Episode
from personaagent.core.settings import RecallMode
from personaagent.core.text import check_text
from personaagent.memory.earlier_answers import asks_about_answers
from personaagent.memory.episodes import Episodes
from personaagent.memory.hiding import NOTHING_HIDDEN, Hidden
from personaagent.memory.index.protocol import Hit, Ranking
from personaagent.memory.indexer import Indexer
from personaagent.memory.precedence import by_precedence, missing_successors
from personaagent.memory.ranking import best_hits, collapse, fuse

CANDIDATES = 3
"""Candidates for each episode to recall, so that collapsing repeats leaves enough."""
SEARCH_CHARS = 32_000


@dataclass(frozen=True)
class RecallResult:
    """The recalled episodes, best first, and what the user should know about the recall."""

    episodes: list[Episode]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Recall:
    """The recall of one user's episodes: search by embedding and by BM25, fuse both rankings,
    collapse repeats, and take the first k.

    Nothing that is ``hidden`` is recalled, and the rest is ranked as if it did not exist.
    ``timeout`` is in seconds.
    """

    episodes: Episodes
    indexer: Indexer
    mode: RecallMode
    timeout: float
    hidden: Hidden = NOTHING_HIDDEN

    async def recall(self, query: str, k: int, *, answers: bool | None = None) -> RecallResult:
        """The ``k`` episodes nearest to ``query``, best first (paper: R^u(q*)).

        ``answers`` says whether unconfirmed answers of the agent will be shown, so that episodes
        which hold nothing else count; None: if the query asks about earlier answers.

        If the index or the embedding model is down or too slow, the result is empty and has a
        warning: the turn continues without recall. Loading a local model does not count as slow.

        Raises:
            EmbeddingsChanged: the index was built with another embedding model.
        """
        if k == 0:
            return RecallResult([])
        try:
            await self.indexer.embedder.ready()
            async with asyncio.timeout(self.timeout):
                ids = await self._nearest(query, CANDIDATES * k)
        except TimeoutError as error:
            count_failure(error)
            return RecallResult([], [f"Recall took over {self.timeout:g} s and was given up."])
        except (IndexUnavailable, ServiceError) as error:
            count_failure(error)
            return RecallResult([], [str(error)])
        if answers is None:
            answers = asks_about_answers(query)
        found = await self.episodes.find(ids)
        ranked = by_precedence(found, await self._successors(found), answers=answers)
        return RecallResult(collapse(ranked, k, answers=answers))

    async def search(self, text: str, k: int) -> list[Episode]:
        """What the agent would recall for ``text``, best first.

        Raises:
            UsageError: the text is empty or too long.
            IndexUnavailable, EmbeddingsChanged: nothing can be recalled now.
        """
        result = await self.recall(check_text(text, "text", SEARCH_CHARS), k)
        if result.warnings:
            raise IndexUnavailable(" ".join(result.warnings))
        return result.episodes

    async def search_with_duplicates(self, query: str, k: int) -> list[Episode]:
        """The ``k`` episodes nearest to ``query``, best first, near-duplicates included.

        Raises:
            UsageError: the query is empty or too long.
            IndexUnavailable, EmbeddingsChanged, ServiceError: they cannot be searched.
        """
        check_text(query, "query", SEARCH_CHARS)
        return await self.episodes.find((await self._nearest(query, CANDIDATES * k))[:k])

    async def _successors(self, found: Sequence[Episode]) -> dict[str, Episode]:
        """Every episode that supersedes one of those ``found``, or supersedes such a one; by id."""
        known = {episode.id: episode for episode in found}
        latest = found
        while latest := await self.episodes.find(missing_successors(latest, known)):
            latest = [episode for episode in latest if not self.hidden.hides(episode)]
            known |= {episode.id: episode for episode in latest}
        return known

    async def _nearest(self, query: str, limit: int) -> list[str]:
        """The ids of the ``limit`` nearest episodes, best first."""
        hidden = self.hidden.episodes
        ranking = await self._rank(query, limit + len(hidden))
        return fuse(ranking.without(hidden, limit))[:limit]

    async def _rank(self, query: str, limit: int) -> Ranking:
        """The nearest episodes by each score that the mode asks for; new ones are indexed first.

        Raises:
            EmbeddingsChanged: the user's index was built with another embedding model.
            IndexUnavailable: the index is down, or its files are gone.
        """
        indexed, built = await asyncio.gather(
            self.indexer.refresh(), self.indexer.index.check_model()
        )
        if not (indexed or built):
            return Ranking([], [])
        dense, bm25 = await asyncio.gather(self._dense(query, limit), self._bm25(query, limit))
        if not (dense or bm25) and await self.indexer.index.is_empty():
            raise IndexDamaged(
                "The index has lost this user's episodes: run `personaagent memory reindex`."
            )
        return Ranking(dense, bm25)

    async def _dense(self, query: str, limit: int) -> list[Hit]:
        if self.mode == "bm25":
            return []
        [vector] = await self.indexer.embedder.embed([query])
        index, before = self.indexer.index, self._before
        return await best_hits(lambda n: index.search_dense(vector, n, before), limit)

    async def _bm25(self, query: str, limit: int) -> list[Hit]:
        if self.mode == "dense":
            return []
        terms = self.indexer.bm25.query(query)
        index, before = self.indexer.index, self._before
        return await best_hits(lambda n: index.search_bm25(terms, n, before), limit)

    @property
    def _before(self) -> float | None:
        """Unix seconds."""
        return None if self.hidden.before is None else self.hidden.before.timestamp()
