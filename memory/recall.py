"""Recall: which of a user's episodes are the nearest to a query."""

import asyncio
from dataclasses import dataclass, field

from personaagent.core.errors import IndexDamaged, IndexUnavailable, ServiceError
from personaagent.core.prometheus import count_failure
from personaagent.core.records import Episode
from personaagent.core.settings import RecallMode
from personaagent.core.text import check_text
from personaagent.memory.episodes import Episodes
from personaagent.memory.hiding import NOTHING_HIDDEN, Hidden
from personaagent.memory.index.protocol import PassageSpan
from personaagent.memory.indexer import Indexer
from personaagent.memory.ranking import collapse, fuse
from personaagent.memory.terms import terms

CANDIDATES = 3
"""Candidates for each episode to recall, so that collapsing repeats leaves enough."""
SEARCH_CHARS = 32_000


@dataclass(frozen=True)
class RecallResult:
    """The recalled episodes, best first, and what the user should know about the recall.

    ``passages`` has, for each episode whose text is longer than one passage or whose answer was
    found, what is nearest to the query: the part, its start and end (characters).
    """

    episodes: list[Episode]
    warnings: list[str] = field(default_factory=list)
    passages: dict[str, PassageSpan] = field(default_factory=dict)


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

    async def recall(self, query: str, k: int) -> RecallResult:
        """The ``k`` episodes nearest to ``query``, best first (paper: R^u(q*)).

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
        return RecallResult(collapse(await self.episodes.find(ids), k))

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

    async def _nearest(self, query: str, limit: int) -> list[str]:
        """The ids of the ``limit`` nearest episodes, best first.

        Raises:
            EmbeddingsChanged: the user's index was built with another embedding model.
            IndexUnavailable: the index is down, or its files are gone.
        """
        index = self.indexer.index
        indexed = await self.indexer.refresh()
        if not (indexed or await index.check_model()):
            return []
        scores = await index.search(
            dense=None if self.mode == "bm25" else (await self.indexer.embedder.embed([query]))[0],
            terms=None if self.mode == "dense" else terms(query),
            limit=limit,
            before=self._before,
            hidden=self.hidden.episodes,
        )
        if not len(scores) and await index.is_empty():
            raise IndexDamaged(
                "The index has lost this user's episodes: run `personaagent memory reindex`."
            )
        return fuse(scores, limit)

    @property
    def _before(self) -> float | None:
        """Unix seconds."""
        return None if self.hidden.before is None else self.hidden.before.timestamp()
