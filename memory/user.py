"""The memory of one user: episodes, profile, persona, and the recall of episodes for a query."""

import asyncio
from collections.abc import Awaitable, Collection, Sequence
from dataclasses import dataclass, replace

from personaagent.core.audience import audience_message
from personaagent.core.errors import Forgotten, PersonaAgentError
from personaagent.core.prometheus import count_failure
from personaagent.core.records import Episode
from personaagent.memory.conversations import Conversations
from personaagent.memory.costs import Costs
from personaagent.memory.episodes import Episodes
from personaagent.memory.generation import Place
from personaagent.memory.hiding import Hidden
from personaagent.memory.index.protocol import Entry
from personaagent.memory.indexer import Indexer, thread_of
from personaagent.memory.locks import Lock
from personaagent.memory.notices import Notices
from personaagent.memory.pending import PendingSet
from personaagent.memory.personas import Personas
from personaagent.memory.profile import Profiles
from personaagent.memory.recall import Recall, RecallResult
from personaagent.memory.recognition import Recognised, recognise
from personaagent.memory.relevance_marks import RelevanceMarks
from personaagent.memory.similar_labels import SimilarLabel, SimilarLabels
from personaagent.memory.simulations import Simulations
from personaagent.memory.spending import Spending
from personaagent.memory.turn_snapshots import TurnSnapshots
from personaagent.memory.user_store import Need, StoreWrite, UserStore

INDEXED_LATER = "the index will have it later"
BEGINS_LATER = "the persona begins later"


@dataclass(frozen=True)
class UserMemory:
    """Everything that is remembered about one user; made by ``Memory.of`` for one operation.

    ``unaligned`` are the labels that alignment has not learned from. ``index_timeout``, in seconds,
    is for indexing one new episode. ``forgetting`` lets one forgetting of the user's in at a time.
    ``turns`` are those under way in this process, of all users.
    """

    user_id: str
    episodes: Episodes
    profile: Profiles
    personas: Personas
    notices: Notices
    indexer: Indexer
    conversations: Conversations
    unaligned: PendingSet
    simulations: Simulations
    spending: Spending
    costs: Costs
    store: UserStore
    forgetting: Lock
    turns: TurnSnapshots
    marks: RelevanceMarks
    recaller: Recall
    index_timeout: float

    def hiding(self, hidden: Hidden) -> "UserMemory":
        """The same memory, whose recall, search and profile leave these episodes out."""
        if hidden == self.recaller.hidden == self.profile.hidden:
            return self
        return replace(
            self,
            recaller=replace(self.recaller, hidden=hidden),
            profile=replace(self.profile, hidden=hidden),
        )

    def also_hiding(self, episodes: Collection[str]) -> "UserMemory":
        """The same memory, with these episodes left out too."""
        return self.hiding(self.recaller.hidden.also(episodes)) if episodes else self

    def patient(self) -> "UserMemory":
        """The same memory for work in the background, whose recall takes its time."""
        return replace(self, recaller=self.recaller.patiently())

    async def exists(self) -> bool:
        """Whether anything is remembered about this user."""
        return await self.personas.exist() or await self.episodes.exist()

    async def recall(self, query: str, k: int, *, answers: bool | None = None) -> RecallResult:
        """The ``k`` episodes nearest to ``query``: see ``Recall.recall``."""
        return await self.recaller.recall(query, k, answers=answers)

    async def search(self, text: str, k: int) -> list[Episode]:
        """What the agent would recall for ``text``: see ``Recall.search``."""
        return await self.recaller.search(text, k)

    async def search_with_duplicates(self, query: str, k: int) -> list[Episode]:
        """The ``k`` nearest episodes, near-duplicates included: see ``Recall.search_with_duplicates``."""
        return await self.recaller.search_with_duplicates(query, k)

    async def similar_labels(self, query: str, task: str | None, k: int = 20) -> list[SimilarLabel]:
        """The ``k`` labels of ``task`` nearest to ``query``: see ``SimilarLabels.find``."""
        return await SimilarLabels(self.recaller).find(query, task, k)

    async def recognise(self, query: str, task: str | None = None) -> Recognised:
        """The task of ``query``, with its instruction: see ``recognition.recognise``."""
        return await recognise(self.recaller, query, task)

    async def remember(
        self,
        episode: Episode,
        version: int,
        needs: Collection[Need] = (),
        *,
        also: Sequence[StoreWrite] = (),
        decided_from: Collection[Place] = (),
    ) -> list[str]:
        """Store an episode and index it; returns what the user should know.

        ``needs`` is what its answer was drawn from, and ``also`` goes into the same transaction. What
        this and they are ``decided_from`` must be as it is at hand in the store (``prefetch``).

        If the index or the persona cannot be written now, the episode is stored all the same. The
        notices for persona ``version``, which gave the answer, are taken only after the episode is
        stored, because taking removes them.

        Raises:
            DataError: the episode could not be stored.
            Forgotten: the user was forgotten since the turn began, or something that it ``needs``.
            Outdated: something that this is ``decided_from`` has changed; nothing was stored.
        """
        at_hand = self.store.at_hand
        expects = at_hand.expected(decided_from) if at_hand else {}
        has_persona, has_notices = await self.personas.exist(), await self.notices.due(version)
        entries, learned, late = await self._entries(episode)
        writes, within = [*also, *learned], self.indexer.index.in_store
        if entries and within:
            writes.append(self.indexer.index.state_write())
        await self.episodes.add(
            [episode],
            entries=entries if within else (),
            also=writes,
            needs=needs,
            expects=expects,
        )
        notices = await self.notices.take(version) if has_notices else []
        warnings = [
            None if has_persona else await _warning_of(self.personas.begin(), BEGINS_LATER),
            await _warning_of(self._index_elsewhere(entries), INDEXED_LATER),
            late,
        ]
        return notices + [warning for warning in warnings if warning]

    async def keep(self, episode_id: str) -> Episode:
        """Let a discarded episode stand, whatever its conversation goes on from.

        Raises:
            UnknownEpisode: the user has no such episode.
            UsageError: several ids begin so.
        """
        episode = await self.episodes.get(episode_id)
        if thread := thread_of(episode):
            await self.conversations.drop_turn(thread, episode.id)
        await self.episodes.discard((), [episode.id])
        return await self.episodes.get(episode.id)

    async def _entries(self, episode: Episode) -> tuple[list[Entry], list[StoreWrite], str | None]:
        """What the index holds of the episode, and what that tells of the instructions; or a warning
        if nobody can say now."""
        entries: list[Entry] = []
        learned: list[StoreWrite] = []

        async def embed() -> None:
            async with asyncio.timeout(self.index_timeout):
                if self.store.at_hand is None:
                    entries.extend(await self.indexer.entries([episode]))
                else:
                    made, writes = await self.indexer.learned_entries([episode])
                    entries.extend(made)
                    learned.extend(writes)

        late = await _warning_of(embed(), INDEXED_LATER)
        return entries, learned, late

    async def _index_elsewhere(self, entries: Sequence[Entry]) -> None:
        """Write the entries to the index, if that is not in the store."""
        if entries and not self.indexer.index.in_store:
            async with asyncio.timeout(self.index_timeout):
                indexed: list[StoreWrite] = [("unindexed", e.episode_id, None) for e in entries]
                await self.indexer.index.upsert(entries, indexed)


async def _warning_of(work: Awaitable[None], consequence: str) -> str | None:
    """Do ``work`` that may fail without failing the turn; returns a warning if it failed."""
    try:
        await work
    except Forgotten:
        raise
    except (TimeoutError, PersonaAgentError) as error:
        count_failure(error)
        reason = audience_message(error) if str(error) else "it is too slow now."
        return f"Remembered; {consequence}: {reason}"
    return None
