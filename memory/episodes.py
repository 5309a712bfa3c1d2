"""Episodic memory: a user's episodes in the store."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from heapq import nlargest

from personaagent.core.errors import UnknownEpisode, UsageError
from personaagent.core.ids import match_prefix, may_be_prefix
from personaagent.core.records import Episode, Signal
from personaagent.core.text import check_text
from personaagent.memory.episode_writes import (
    episode_writes,
    new_label_revision,
    standing_again_writes,
    value_write,
)
from personaagent.memory.index.protocol import Entry
from personaagent.memory.instructions import forgetting_write
from personaagent.memory.journal import Journal, JournalEntry, feedback_entry, restored_label
from personaagent.memory.locks import Lock
from personaagent.memory.pending import pending_write
from personaagent.memory.superseding import may_supersede, normal_question, question_key, relinked
from personaagent.memory.user_store import (
    NOTHING,
    Expected,
    Namespace,
    Need,
    StoredValue,
    StoreWrite,
    UserStore,
)

PAGE = 500
TRUTH_CHARS = 32_000
FOLLOWERS: tuple[Namespace, ...] = ("unindexed", "unsummarised", "unaligned", "discarded")
TimeKey = tuple[datetime, str]
"""Sorts episodes by time: when it was created, and its id to decide ties."""


class Episodes:
    """The episodes of one user (paper: D^u). The store is the truth; the index follows it.

    A new or changed episode becomes pending, in the same transaction, for those who follow the
    store: ``unindexed`` until it is in the index, ``unsummarised`` until the profile summary has
    read it, and ``unaligned``, if it has a label, until alignment has learned from it.

    ``lock`` lets one writer of the user's in at a time: what changes an episode may link others.
    """

    def __init__(self, store: UserStore, lock: Lock) -> None:
        self._store = store
        self._lock = lock
        self._journal = Journal(store)

    async def add(
        self,
        episodes: Sequence[Episode],
        *,
        entries: Sequence[Entry] = (),
        also: Sequence[StoreWrite] = (),
        needs: Collection[Need] = (),
        expects: Expected = NOTHING,
    ) -> None:
        """Store all of these episodes or none; one that is there is replaced.

        Args:
            episodes: new ones.
            entries: what the index, if the store holds it, has of them. Others are queued for it.
            also: writes for the same transaction.
            needs, expects: as of ``UserStore.write``.

        Raises:
            Forgotten, Outdated: as of ``UserStore.write``.
        """
        indexed = {entry.episode_id for entry in entries}
        writes = [*also]
        for episode in episodes:
            assert episode.user_id == self._store.user_id
            writes += episode_writes(episode)
            if episode.id not in indexed:
                writes.append(("unindexed", episode.id, {}))
        if any(episode.labelled for episode in episodes):
            writes.append(new_label_revision())
        await self._store.write(writes, entries=entries, needs=needs, expects=expects)

    async def get(self, episode_id: str) -> Episode:
        """The episode of that id, or of the one generated id that begins so (``core/ids.py``).

        Raises:
            UnknownEpisode: the user has no such episode.
            UsageError: several ids begin so.
        """
        episodes = await self.find([episode_id])
        if not episodes:
            episodes = await self.find([await self._with_prefix(episode_id)])
        return episodes[0]

    async def resolve(self, prefix: str) -> str:
        """The id that is ``prefix``, or that begins with it; errors as of ``get``.

        Only a prefix costs a scan of the episodes.
        """
        return (await self.get(prefix)).id

    async def find(self, episode_ids: Sequence[str]) -> list[Episode]:
        """The episodes of these ids, in their order; ids that do not exist are left out."""
        values = await self._store.get("episodes", *episode_ids)
        return [stored_episode(value) for value in values if value is not None]

    async def scan(
        self, *, labelled: bool = False, standing: bool = False
    ) -> AsyncIterator[Episode]:
        """Every episode (or every one with ground truth, or that is not discarded), in no particular
        order."""
        fields = {"labelled": True} if labelled else {}
        async for _, value in self._store.scan("episodes", **fields):
            episode = stored_episode(value)
            if not (standing and episode.discarded):
                yield episode

    async def discarded(self) -> frozenset[str]:
        """The ids of the episodes that conversations go on without: one question to the store."""
        return frozenset([id async for id, _ in self._store.scan("discarded")])

    async def discard(self, left: Collection[str], standing: Collection[str]) -> None:
        """Mark the episodes that a conversation has ``left`` as discarded, and the ``standing`` ones
        as not. What is so already, or was forgotten, has no effect."""
        async with self._lock():
            found = await self.find([*dict.fromkeys([*left, *standing])])
            changed = [
                each.model_copy(update={"discarded": not each.discarded})
                for each in found
                if each.discarded != (each.id in left)
            ]
            writes: list[StoreWrite] = []
            for each in changed:
                writes += episode_writes(each) if each.discarded else standing_again_writes(each)
            if changed:
                await self._store.write([*writes, new_label_revision()])

    async def ids(self) -> list[str]:
        """The ids of all episodes, oldest first; what else they hold is not checked."""
        times = [
            (datetime.fromisoformat(value["episode"]["created_at"]), id)
            async for id, value in self._store.scan("episodes")
        ]
        return [id for _, id in sorted(times)]

    async def oldest_first(self) -> AsyncIterator[Episode]:
        """Every episode, oldest first. Only the ids of all are in memory at once."""
        ids = await self.ids()
        for start in range(0, len(ids), PAGE):
            for episode in await self.find(ids[start : start + PAGE]):
                yield episode

    async def newest(
        self,
        limit: int,
        *,
        task: str | None = None,
        labelled: bool = False,
        standing: bool = False,
        source: str | None = None,
        since: datetime | None = None,
        before: TimeKey | None = None,
    ) -> list[Episode]:
        """The latest ``limit`` episodes, newest first: optionally only those of ``task``, those
        with ground truth, those not discarded, those from a ``source``, those from ``since`` on, and
        those that come ``before`` a point in time."""
        episodes = [
            episode
            async for episode in self.scan(labelled=labelled, standing=standing)
            if (task is None or episode.task == task)
            and (source is None or episode.source == source)
            and (since is None or episode.created_at >= since)
            and (before is None or time_key(episode) < before)
        ]
        return nlargest(limit, episodes, key=time_key)

    async def _with_prefix(self, prefix: str) -> str:
        ids = (
            [key async for key, _ in self._store.scan("episodes")] if may_be_prefix(prefix) else []
        )
        if match := match_prefix(prefix, ids):
            return match
        raise UnknownEpisode(
            f"There is no episode '{prefix}' in the memory of '{self._store.user_id}': "
            "see `personaagent memory list`."
        )

    async def exist(self) -> bool:
        """Whether the user has any episode."""
        return bool(await self._store.keys("episodes", 1))

    async def give_feedback(
        self, episode_id: str, signal: Signal, text: str | None = None, *, force: bool = False
    ) -> Episode:
        """Store the user's feedback on an episode; ``text`` is what they wanted, for an ``edit``.

        See ``Episode.with_feedback`` for what becomes of an earlier correction. An ``edit``
        supersedes earlier episodes in which the same question has another answer.

        Raises:
            UnknownEpisode: the user has no such episode.
            CorrectionStands: a ``reject`` would drop a correction, without ``force``.
            UsageError: the text is empty or too long, or cannot be stored.
        """
        if text is not None:
            check_text(text, "text you wanted", TRUTH_CHARS)
        async with self._lock():
            before = await self.get(episode_id)
            episode = before.with_feedback(signal, text, force=force)
            if episode == before:
                return episode
            same = {each.id: each for each in await self._same(episode)}
            linked = relinked(episode, [*same.values()])
            changed = [before, *(same[each.id] for each in linked)]
            noted = await self._journal.adding(feedback_entry(changed, [episode, *linked]))
            links = [value_write(each) for each in linked]
            writes = [*episode_writes(episode), *links, *noted, new_label_revision()]
            await self._store.write(writes)
            return episode

    async def supersede(self, episode_id: str, successor_id: str | None) -> Episode:
        """Mark an episode as superseded by another of the user's, or as standing again (None).

        Raises:
            UnknownEpisode: the user has no such episode.
            UsageError: the successor is the episode itself, or is superseded by it.
        """
        async with self._lock():
            episode = await self.get(episode_id)
            successor = await self.get(successor_id) if successor_id is not None else None
            if successor is not None and episode.id in await self._chain(successor):
                raise UsageError("An episode cannot supersede itself, or what supersedes it.")
            link = {"superseded_by": successor.id if successor is not None else None}
            before, episode = episode, episode.model_copy(update=link)
            noted = await self._journal.adding(feedback_entry([before], [episode]))
            pending = [] if episode.discarded else [pending_write("unsummarised", episode)]
            await self._store.write([value_write(episode), *pending, *noted])
            return episode

    async def supersede_outdated(self, links: Mapping[str, str]) -> None:
        """Mark episodes as superseded: ``links`` has the id of the newer one by that of each older.

        What was forgotten or changed meanwhile, so that it does not hold any more, has no effect.
        """
        async with self._lock():
            ids = sorted({*links, *links.values()})
            known = {each.id: each for each in await self.find(ids)}
            writes = []
            for older, newer in links.items():
                both = older in known and newer in known
                if both and may_supersede(known[newer], known[older]):
                    link = {"superseded_by": newer}
                    writes.append(value_write(known[older].model_copy(update=link)))
            await self._store.write(writes)

    async def restore_labels(self, entry: JournalEntry) -> None:
        """Give these episodes the labels and links back that they had before this change.

        Raises:
            Conflict: one of them was changed since, or forgotten; nothing was restored.
        """
        async with self._lock():
            writes = await self._journal.removing(entry.key)
            for change in entry.labels:
                episode = next(iter(await self.find([change.episode])), None)
                restored = restored_label(episode, change)
                writes += [value_write(restored)] if change.only_link else episode_writes(restored)
            await self._store.write([*writes, new_label_revision()])

    async def blank(self, episode_ids: Collection[str]) -> list[str]:
        """Take the answers from these episodes, as they are now: what was forgotten meanwhile stays
        so, and what was accepted meanwhile keeps its answer. What the index has of them is made anew.

        Returns:
            The ids of those that have lost their answer.
        """
        async with self._lock():
            without = blanked(await self.find([*episode_ids]))
            erased = [Entry(each.id, each.created_at.timestamp(), None, []) for each in without]
            writes: list[StoreWrite] = []
            for each in without:
                writes += [value_write(each), ("unindexed", each.id, {})]
            await self._store.write(writes, entries=erased if self._store.holds_index else ())
        return [each.id for each in without]

    async def delete(
        self, episode_ids: Collection[str], *, also: Sequence[StoreWrite] = ()
    ) -> None:
        """Delete the episodes, their pending entries, the links to them, the marks of others that have
        their questions, the changes of their labels, what was counted from their labels, and the
        instructions that too few of the others share; ``also`` are writes for the same transaction."""
        writes: list[StoreWrite] = [*also, ("profile", "facts", None), ("profile", "tallies", None)]
        for id in episode_ids:
            writes.extend((namespace, id, None) for namespace in ("episodes", *FOLLOWERS))
        async with self._lock():
            questions = {question_key(each.query) for each in await self.find([*episode_ids])}
            await self._journal.forget(episode_ids, questions)
            writes += map(value_write, await self._changed_with(episode_ids, questions))
            writes.append(await forgetting_write(self._store, episode_ids))
            await self._store.write([*writes, new_label_revision()])

    async def _changed_with(
        self, deleted: Collection[str], questions: Collection[str]
    ) -> list[Episode]:
        """The remaining episodes that one of these supersedes, without the link, and those that are
        marked with one of the ``questions``, without the mark."""
        marked = {each.id: each async for each in self._flagged("marked", but=deleted)}
        linked = {each.id: each async for each in self._flagged("superseded", but=deleted)}
        return [
            changed
            for each in (linked | marked).values()
            if (changed := _without(each, deleted, questions)) != each
        ]

    async def _flagged(self, flag: str, *, but: Collection[str]) -> AsyncIterator[Episode]:
        async for id, value in self._store.scan("episodes", **{flag: True}):
            if id not in but:
                yield stored_episode(value)

    async def _chain(self, episode: Episode) -> list[str]:
        """The ids of the episode, of the one that supersedes it, and so on."""
        ids = [episode.id]
        while (later := episode.superseded_by) and later not in ids:
            ids.append(later)
            episode = next(iter(await self.find([later])), episode)
        return ids

    async def _same(self, episode: Episode) -> list[Episode]:
        """The earlier episodes that ask the same."""
        question = normal_question(episode.query)
        return [
            other
            async for _, value in self._store.scan("episodes")
            if normal_question(value["episode"]["query"]) == question
            and (other := stored_episode(value)).task == episode.task
            and time_key(other) < time_key(episode)
        ]


def time_key(episode: Episode) -> TimeKey:
    """The episode's place in the order of time."""
    return episode.created_at, episode.id


def blanked(episodes: Sequence[Episode]) -> list[Episode]:
    """Those that have an answer of the agent's own, without it.

    An answer that the user accepted stays: it is what they wanted.
    """
    return [
        each.model_copy(update={"response": ""})
        for each in episodes
        if each.response and each.signal != "accept"
    ]


def _without(episode: Episode, deleted: Collection[str], questions: Collection[str]) -> Episode:
    """The episode without a link to what was ``deleted``, and without these marks."""
    link = None if episode.superseded_by in deleted else episode.superseded_by
    marks = [each for each in episode.irrelevant_to if question_key(each) not in questions]
    return episode.model_copy(update={"superseded_by": link, "irrelevant_to": marks})


def stored_episode(value: StoredValue) -> Episode:
    """The episode that a value of the namespace ``episodes`` holds."""
    return Episode.model_validate(value["episode"])
