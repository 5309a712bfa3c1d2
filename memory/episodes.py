"""Episodic memory: a user's episodes in the store."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from heapq import nlargest
from uuid import uuid4

from personaagent.core.errors import UnknownEpisode
from personaagent.core.records import Episode, Signal
from personaagent.core.text import check_text
from personaagent.memory.pending import mark
from personaagent.memory.user_store import Change, Namespace, UserStore, Value

PAGE = 500
TRUTH_CHARS = 32_000
Place = tuple[datetime, str]
"""Where an episode stands in the order of time: when it was, and its id."""


class Episodes:
    """The episodes of one user (paper: D^u). The store is the truth; the index follows it.

    An episode that is new or changed is *marked* in the same transaction, for those who follow:
    ``unindexed`` until the index has it, ``unsummarised`` until the profile summary has seen it,
    and ``unaligned``, if it is labelled, until alignment has.
    """

    def __init__(self, space: UserStore) -> None:
        self._space = space

    async def add(self, episodes: Sequence[Episode]) -> None:
        """Store the episodes and their marks, all or none; the same episode again changes nothing."""
        changes: list[Change] = []
        for episode in episodes:
            assert episode.user_id == self._space.user_id
            changes += [*_put(episode), ("unindexed", episode.id, {})]
        if any(episode.labelled for episode in episodes):
            changes.append(labels_changed())
        await self._space.write(changes)

    async def get(self, episode_id: str) -> Episode:
        """The episode of that id.

        Raises:
            UnknownEpisode: the user has none.
        """
        found = await self.find([episode_id])
        if not found:
            raise UnknownEpisode(
                f"There is no episode '{episode_id}' in the memory of '{self._space.user_id}': "
                "see `personaagent memory list`."
            )
        return found[0]

    async def find(self, episode_ids: Sequence[str]) -> list[Episode]:
        """The episodes of these ids, in their order; those that do not exist are left out."""
        values = await self._space.get("episodes", *episode_ids)
        return [_episode(value) for value in values if value is not None]

    async def each(self, *, labelled: bool = False) -> AsyncIterator[Episode]:
        """Every episode (or every one with ground truth), in no particular order."""
        only = {"labelled": True} if labelled else {}
        async for _, value in self._space.each("episodes", **only):
            yield _episode(value)

    async def oldest_first(self) -> AsyncIterator[Episode]:
        """Every episode there is now, oldest first; only their ids are held in memory."""
        order = sorted([(each.created_at, each.id) async for each in self.each()])
        for start in range(0, len(order), PAGE):
            for episode in await self.find([each for _, each in order[start : start + PAGE]]):
                yield episode

    async def newest(
        self,
        limit: int,
        *,
        task: str | None = None,
        labelled: bool = False,
        before: Place | None = None,
    ) -> list[Episode]:
        """The latest ``limit`` episodes (of ``task``, with ground truth), newest first; with
        ``before`` the latest of those that stand before that place."""
        every = [
            episode
            async for episode in self.each(labelled=labelled)
            if (task is None or episode.task == task)
            and (before is None or place_of(episode) < before)
        ]
        return nlargest(limit, every, key=place_of)

    async def any(self) -> bool:
        """Whether there is an episode at all."""
        return bool(await self._space.some("episodes", 1))

    async def give_feedback(
        self, episode_id: str, signal: Signal, text: str | None = None
    ) -> Episode:
        """Store the user's word on an episode; ``text`` is what they wanted, for an ``edit``.

        Raises:
            UnknownEpisode: the user has no such episode.
            UsageError: the text is empty or too long, or cannot be stored.
        """
        if text is not None:
            check_text(text, "text you wanted", TRUTH_CHARS)
        episode = (await self.get(episode_id)).with_feedback(signal, text)
        await self._space.write([*_put(episode), labels_changed()])
        return episode

    async def drop(self, episode_ids: Collection[str]) -> None:
        """Delete the episodes, their marks, and the counts of their labels."""
        kinds: tuple[Namespace, ...] = ("episodes", "unindexed", "unsummarised", "unaligned")
        changes: list[Change] = [(kind, each, None) for each in episode_ids for kind in kinds]
        counts: list[Change] = [("profile", "facts", None), ("profile", "tallies", None)]
        await self._space.write([*changes, *counts, labels_changed()])


def place_of(episode: Episode) -> Place:
    """Where the episode stands in the order of time."""
    return episode.created_at, episode.id


def labels_changed() -> Change:
    """The mark that the labels are others now; what is computed from them bears the old one."""
    return ("profile", "labels", {"revision": uuid4().hex})


def _put(episode: Episode) -> list[Change]:
    """The episode as it is now, news to those who follow; without a label it is none to align."""
    value = {"labelled": episode.labelled, "episode": episode.stored()}
    news = mark("unaligned", episode) if episode.labelled else ("unaligned", episode.id, None)
    return [("episodes", episode.id, value), mark("unsummarised", episode), news]


def _episode(value: Value) -> Episode:
    return Episode.model_validate(value["episode"])
