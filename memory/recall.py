"""Recall: which of a user's episodes are the nearest to a query."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from personaagent.core.audience import audience_message, audience_text
from personaagent.core.errors import (
    ConfigurationError,
    IndexDamaged,
    IndexUnavailable,
    ServiceError,
)
from personaagent.core.prometheus import count_failure
from personaagent.core.records import Episode
from personaagent.core.settings import RecallMode
from personaagent.core.text import check_text
from personaagent.memory.earlier_answers import asks_about_answers
from personaagent.memory.episodes import Episodes, stored_episode
from personaagent.memory.hiding import NOTHING_HIDDEN, Hidden
from personaagent.memory.index.protocol import IndexQuery, Scores
from personaagent.memory.indexer import Indexer, IndexState
from personaagent.memory.instructions import Instructions, read_instructions
from personaagent.memory.irrelevance import without_irrelevant
from personaagent.memory.passages import nearest_text, with_nearest
from personaagent.memory.precedence import by_precedence, missing_successors
from personaagent.memory.ranking import collapse, keep_newest
from personaagent.memory.terms import terms
from personaagent.memory.text_vectors import TextVectors
from personaagent.models.reranking import Reranker

PATIENCE = 12
"""In the background recall may take so many times as long as before an answer."""
CANDIDATES = 3
"""Candidates for each episode to recall, so that collapsing repeats leaves enough."""
SEARCH_CHARS = 32_000
NOT_ALL_INDEXED = (
    "Recalled from a part of the memory: some episodes are not indexed yet. Each turn indexes some "
    "more; `personaagent memory reindex` indexes all."
)


@dataclass(frozen=True)
class RecallResult:
    """The recalled episodes, best first, and what the user should know about the recall.

    Each episode names the passage of it that is nearest to the query (``passages.nearest``).
    """

    episodes: list[Episode]
    warnings: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether nothing could be recalled; the warnings say why."""
        return bool(self.warnings) and not self.episodes


@dataclass(frozen=True)
class Recall:
    """The recall of one user's episodes: search by embedding and by BM25 and fuse both scores; then
    rerank, let what supersedes go first, collapse repeats, and take the first k.

    Nothing that is ``hidden`` or discarded is recalled, and the rest is ranked as if it did not exist.
    What the user marked as irrelevant to a question like this one stays out; ``vectors`` compare them.
    ``timeout`` and ``rerank_timeout`` are in seconds. In the background (``patiently``) all that
    waits to be indexed is indexed first.
    """

    episodes: Episodes
    indexer: Indexer
    mode: RecallMode
    timeout: float
    hidden: Hidden = NOTHING_HIDDEN
    vectors: TextVectors | None = None
    reranker: Reranker | None = None
    rerank_timeout: float = 5.0
    in_background: bool = False

    def patiently(self) -> "Recall":
        """The same recall for work that nobody waits for."""
        if self.in_background:
            return self
        return replace(
            self,
            timeout=PATIENCE * self.timeout,
            rerank_timeout=PATIENCE * self.rerank_timeout,
            in_background=True,
        )

    async def recall(self, query: str, k: int, *, answers: bool | None = None) -> RecallResult:
        """The ``k`` episodes nearest to ``query``, best first (paper: R^u(q*)).

        ``answers`` says whether unconfirmed answers of the agent will be shown, so that episodes
        which hold nothing else count; None: if the query asks about earlier answers.

        If the index or the embedding model is down or too slow, the result is empty and has a
        warning: the turn continues without recall. Loading a local model does not count as slow.
        A reranker that fails costs only its order.

        Raises:
            EmbeddingsChanged: the index was built with another embedding model.
        """
        if k == 0:
            return RecallResult([])
        try:
            await self.indexer.embedder.ready()
            async with asyncio.timeout(self.timeout):
                state = await self._catch_up()
                hidden = await self.hidden_now()
                instructions = await self._instructions(hidden)
                differing, limit = instructions.differing(query), CANDIDATES * k
                episodes = await self._search(differing, limit, hidden) if state.built else []
                behind = [audience_text(NOT_ALL_INDEXED)] if state.behind else []
        except TimeoutError as error:
            count_failure(error)
            return RecallResult([], [f"Recall took over {self.timeout:g} s and was given up."])
        except (IndexUnavailable, ServiceError) as error:
            count_failure(error)
            return RecallResult([], [audience_message(error)])
        if answers is None:
            answers = asks_about_answers(query)
        ordered, warnings = await self._rerank(query, episodes)
        ranked = by_precedence(ordered, await self._successors(ordered, hidden), answers=answers)
        relevant = await without_irrelevant(
            ranked,
            query,
            self.vectors,
            differing=instructions.differing,
            seconds=self.timeout,
        )
        distinct = collapse(relevant, answers=answers, differing=instructions.differing)
        recalled = keep_newest(distinct, k)[:k]
        return RecallResult(_without_links(recalled, hidden), behind + warnings)

    async def search(self, text: str, k: int) -> list[Episode]:
        """What the agent would recall for ``text``, best first.

        Raises:
            UsageError: the text is empty or too long.
            IndexUnavailable, EmbeddingsChanged: nothing can be recalled now.
        """
        result = await self.recall(check_text(text, "text", SEARCH_CHARS), k)
        if result.failed:
            raise IndexUnavailable(" ".join(result.warnings))
        return result.episodes

    async def search_with_duplicates(self, query: str, k: int) -> list[Episode]:
        """The ``k`` episodes nearest to ``query``, best first, with near-duplicates and discarded ones.

        Raises:
            UsageError: the query is empty or too long.
            IndexUnavailable, EmbeddingsChanged, ServiceError: they cannot be searched.
        """
        check_text(query, "query", SEARCH_CHARS)
        if not (await self.indexer.catch_up()).built:
            return []
        differing = (await self._instructions(self.hidden)).differing(query)
        return (await self._search(differing, CANDIDATES * k, self.hidden))[:k]

    async def dense_scores(self, query: str, limit: int) -> Scores | None:
        """The cosine of the user's episodes to ``query``: of all, or of the ``limit`` nearest; None
        if there is nothing. Errors as of ``_search``."""
        if not (await self.indexer.catch_up()).built:
            return None
        hidden = await self.hidden_now()
        instructions = await self._instructions(hidden)
        return await self._scores(instructions.differing(query), limit, "dense", hidden)

    async def instructions(self) -> Instructions:
        """The instructions of the user that enough of the visible episodes share."""
        return await self._instructions(await self.hidden_now())

    async def hidden_now(self) -> Hidden:
        """What is hidden, and the episodes that are discarded now."""
        return self.hidden.also(await self.episodes.discarded())

    async def _instructions(self, hidden: Hidden) -> Instructions:
        return (await read_instructions(self.indexer.store)).visible(hidden)

    async def _catch_up(self) -> IndexState:
        state = await self.indexer.catch_up()
        while state.behind and self.in_background:
            state = await self.indexer.catch_up()
        return state

    async def _search(self, differing: str, limit: int, hidden: Hidden) -> list[Episode]:
        """The ``limit`` episodes nearest to what is ``differing`` in a query, best first.

        Raises:
            EmbeddingsChanged: the user's index was built with another embedding model.
            IndexUnavailable: the index is down, or its files are gone.
        """
        query = await self._query(differing, self.mode, hidden, limit)
        asked = terms(differing) if query.terms is None else query.terms
        matches = await self.indexer.index.find(query)
        if not matches.searched and await self.indexer.is_lost():
            raise IndexDamaged(
                "The index has lost this user's episodes: run `personaagent memory reindex`."
            )
        return [
            with_nearest(stored_episode(hit.stored), hit.passage, asked)
            for hit in matches.hits
            if hit.stored is not None
        ]

    async def _scores(self, query: str, limit: int, mode: RecallMode, hidden: Hidden) -> Scores:
        return await self.indexer.index.search(await self._query(query, mode, hidden, limit))

    async def _query(self, query: str, mode: RecallMode, hidden: Hidden, limit: int) -> IndexQuery:
        return IndexQuery(
            dense=None if mode == "bm25" else (await self.indexer.embedder.embed([query]))[0],
            terms=None if mode == "dense" else terms(query),
            limit=limit,
            before=None if hidden.before is None else hidden.before.timestamp(),
            hidden=hidden.episodes,
        )

    async def _rerank(self, query: str, episodes: list[Episode]) -> tuple[list[Episode], list[str]]:
        """The episodes in the reranker's order, if there is one; and a warning if it failed."""
        if self.reranker is None or len(episodes) < 2:
            return episodes, []
        try:
            async with asyncio.timeout(self.rerank_timeout):
                scores = await self.reranker.scores(query, [*map(nearest_text, episodes)])
        except TimeoutError as error:
            count_failure(error)
            return episodes, [f"Reranking took over {self.rerank_timeout:g} s and was given up."]
        except (ServiceError, ConfigurationError) as error:
            count_failure(error)
            return episodes, [f"Recalled without reranking: {audience_message(error)}"]
        best_first = sorted(zip(scores, episodes, strict=True), key=lambda each: -each[0])
        return [episode for _, episode in best_first], []

    async def _successors(self, episodes: Sequence[Episode], hidden: Hidden) -> dict[str, Episode]:
        """Every episode that supersedes one of ``episodes``, or supersedes such a one; by id."""
        known = {episode.id: episode for episode in episodes}
        latest = episodes
        while latest := await self.episodes.find(missing_successors(latest, known)):
            latest = [episode for episode in latest if not hidden.hides(episode)]
            known |= {episode.id: episode for episode in latest}
        return known


def _without_links(episodes: Sequence[Episode], hidden: Hidden) -> list[Episode]:
    """The episodes; what a hidden one supersedes stands."""
    return [
        each.model_copy(update={"superseded_by": None})
        if each.superseded_by in hidden.episodes
        else each
        for each in episodes
    ]
