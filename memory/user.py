"""The memory of one user: episodes, profile, persona, and what comes to mind for a query."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace

from personaagent.core.errors import IndexUnavailable, PersonaAgentError, ServiceError
from personaagent.core.prometheus import count_failure
from personaagent.core.records import Episode
from personaagent.core.settings import RecallMode
from personaagent.core.text import check_text
from personaagent.memory.conversations import Conversations
from personaagent.memory.episodes import Episodes
from personaagent.memory.hiding import NOTHING, Hidden
from personaagent.memory.indexer import Indexer
from personaagent.memory.notices import Notices
from personaagent.memory.pending import PendingSet
from personaagent.memory.personas import Personas
from personaagent.memory.profile import Profiles
from personaagent.memory.ranking import collapse, fuse
from personaagent.memory.simulations import Simulations
from personaagent.memory.spending import Spending
from personaagent.memory.user_store import UserStore

CANDIDATES = 3
SEARCH_CHARS = 32_000


@dataclass(frozen=True)
class Recalled:
    """What came to mind: episodes, best first, and what the user should know about it."""

    episodes: list[Episode]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class UserMemory:
    """Everything that is remembered about one user; made by ``Memory.of``.

    ``unaligned`` are the marks of the labels that alignment has not seen. Recall, search and
    profile show nothing that is ``hidden``.
    """

    user_id: str
    episodes: Episodes
    profile: Profiles
    personas: Personas
    news: Notices
    indexer: Indexer
    conversations: Conversations
    unaligned: PendingSet
    simulations: Simulations
    spending: Spending
    space: UserStore
    mode: RecallMode
    timeout: float
    hidden: Hidden = NOTHING

    def hiding(self, hidden: Hidden) -> "UserMemory":
        """The same memory, in which these episodes do not come up."""
        return replace(self, hidden=hidden, profile=replace(self.profile, hidden=hidden))

    async def exists(self) -> bool:
        """Whether anything is remembered of this user."""
        return await self.personas.exist() or await self.episodes.any()

    async def recall(self, query: str, k: int) -> Recalled:
        """The ``k`` episodes nearest to ``query``, best first (paper: R^u(q*)).

        An index or embedding model that is down or slow costs the recall, never the turn: the
        result is empty then and a warning says so. Loading a local model is not counted.

        Raises:
            EmbeddingsChanged: the index was built with another embedding model.
        """
        if k == 0:
            return Recalled([])
        try:
            await self.indexer.embedder.ready()
            async with asyncio.timeout(self.timeout):
                nearest = await self._nearest(query, CANDIDATES * k)
        except TimeoutError as error:
            count_failure(error)
            return Recalled([], [f"Recall took over {self.timeout:g} s and was given up."])
        except (IndexUnavailable, ServiceError) as error:
            count_failure(error)
            return Recalled([], [str(error)])
        return Recalled(collapse(await self.episodes.find(nearest), k))

    async def look_up(self, text: str, k: int) -> list[Episode]:
        """What the agent would recall for ``text``, best first.

        Raises:
            UsageError: the text is empty or too long.
            IndexUnavailable, EmbeddingsChanged: nothing can be recalled now.
        """
        recalled = await self.recall(check_text(text, "text", SEARCH_CHARS), k)
        if recalled.warnings:
            raise IndexUnavailable(" ".join(recalled.warnings))
        return recalled.episodes

    async def search(self, query: str, k: int) -> list[Episode]:
        """The ``k`` episodes nearest to ``query``, best first, near-duplicates and all.

        Raises:
            UsageError: the query is empty or too long.
            IndexUnavailable, EmbeddingsChanged, ServiceError: they cannot be searched.
        """
        check_text(query, "query", SEARCH_CHARS)
        return await self.episodes.find((await self._nearest(query, CANDIDATES * k))[:k])

    async def remember(self, episode: Episode, version: int) -> list[str]:
        """Store an episode, and index it if the index is there; returns what the user should know.

        A persona that cannot be begun now does not cost the episode either. The news of the persona
        of ``version``, which spoke, are taken once the episode is stored: taken, they are gone.

        Raises:
            DataError: it could not be stored.
        """
        await self.episodes.add([episode])
        news, *troubles = await asyncio.gather(
            self.news.take(version),
            _trouble_with(self.personas.begin(), "the persona begins later"),
            _trouble_with(self._index(episode), "the index will have it later"),
        )
        return news + [trouble for trouble in troubles if trouble]

    async def _index(self, episode: Episode) -> None:
        async with asyncio.timeout(self.timeout):
            await self.indexer.index([episode], [episode.id])

    async def _nearest(self, query: str, limit: int) -> list[str]:
        """The ids of the nearest episodes, best first, ranked as if there were none hidden."""
        ids = self.hidden.episodes
        ranking = await self.indexer.search(
            query, limit=limit + len(ids), mode=self.mode, before=self.hidden.before
        )
        return fuse(ranking.without(ids, limit))[:limit]


async def _trouble_with(work: Awaitable[None], consequence: str) -> str | None:
    """What the user should know if ``work``, for which no turn is to fail, cannot be done now."""
    try:
        await work
    except (TimeoutError, PersonaAgentError) as error:
        count_failure(error)
        return f"Remembered; {consequence}: {str(error) or 'it is too slow now.'}"
    return None
