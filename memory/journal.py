"""The journal: a user's latest changes of labels and persona, and imports, with what undoes each."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from pydantic import Field

from personaagent.core.errors import Conflict
from personaagent.core.ids import short_id
from personaagent.core.records import Episode, Moment, Record, now
from personaagent.memory.superseding import question_key
from personaagent.memory.user_store import StoredValue, StoreWrite, UserStore

KEPT_CHANGES = 50
"""The latest changes; older ones can no longer be undone."""
LABEL = ("signal", "ground_truth", "superseded_by")
"""The fields that feedback changes, on the episode and on those that ask the same."""


class ChangedLabel(Record):
    """The ``LABEL`` fields of one episode, as they were and as they became."""

    episode: str
    before: dict[str, str | None]
    after: dict[str, str | None]

    @property
    def only_link(self) -> bool:
        """Whether what the user wanted is the same."""
        link = {"superseded_by": None}
        return self.before | link == self.after | link


class ChangedMarks(Record):
    """The questions that one episode is irrelevant to, as they were and as they became."""

    episode: str
    before: list[str]
    after: list[str]


class JournalEntry(Record):
    """One change. ``labels`` were changed by feedback, or ``marks`` of relevance; ``version`` of the
    persona was published; or an import ``added`` episodes, whose ids stand in ``journal_parts``."""

    key: str = Field(default_factory=lambda: f"{now():%Y%m%d%H%M%S%f}-{uuid4().hex[:8]}")
    kind: Literal["feedback", "persona", "import", "relevance"]
    at: Moment = Field(default_factory=now)
    labels: list[ChangedLabel] = Field(default_factory=list)
    marks: ChangedMarks | None = None
    version: int | None = None
    added: int = 0

    def stored(self) -> dict[str, Any]:
        """The entry as a JSON-like value. ``marks`` is left out where there is none: older versions
        refuse fields that they do not know."""
        values = super().stored()
        if self.marks is None:
            del values["marks"]
        return values


@dataclass(frozen=True)
class Journal:
    """The latest 50 changes of one user; each is written in the transaction of its change."""

    store: UserStore

    async def entries(self) -> list[JournalEntry]:
        """The changes that can be undone, oldest first."""
        values = [value async for _, value in self.store.scan("journal")]
        return sorted(map(JournalEntry.model_validate, values), key=lambda each: each.key)

    async def adding(self, entry: JournalEntry) -> list[StoreWrite]:
        """The writes that add ``entry``, and drop those that are now too old."""
        keys = sorted(await self.store.keys("journal", 2 * KEPT_CHANGES))
        old = keys[: max(0, len(keys) + 1 - KEPT_CHANGES)]
        dropped = [write for key in old for write in await self.removing(key)]
        return [("journal", entry.key, entry.stored()), *dropped]

    async def of_version(self, version: int, undoes: str | None) -> list[StoreWrite]:
        """The writes for a new version of the persona: its entry, or without that of which it takes
        back the change."""
        if undoes is not None:
            return await self.removing(undoes)
        return await self.adding(JournalEntry(kind="persona", version=version))

    async def removing(self, key: str) -> list[StoreWrite]:
        """The writes that remove the entry of that key, and its parts."""
        parts = [part async for part, _ in self.store.scan("journal_parts", entry=key)]
        return [("journal", key, None), *(("journal_parts", part, None) for part in parts)]

    async def imported(self, key: str) -> list[str]:
        """The ids of the episodes that this import added."""
        return [id for part in await self._parts(key) for id in part["ids"]]

    async def brought_back(self, key: str) -> list[str]:
        """The tombstones of those that were forgotten before this import."""
        return [hash for part in await self._parts(key) for hash in part["tombstones"]]

    async def _parts(self, key: str) -> list[StoredValue]:
        parts = [part async for part in self.store.scan("journal_parts", entry=key)]
        return [part for _, part in sorted(parts, key=lambda each: each[0])]

    async def forget(self, forgotten: Collection[str], questions: Collection[str] = ()) -> None:
        """Drop the changes of these episodes' labels and marks, those that name one of these
        ``questions`` (``question_key``), and the ids of the episodes in imports."""
        writes: list[StoreWrite] = []
        imports: set[str] = set()
        async for key, part in self.store.scan("journal_parts"):
            left = [id for id in part["ids"] if id not in forgotten]
            if left:
                imports.add(part["entry"])
            if left != part["ids"]:
                writes.append(("journal_parts", key, part | {"ids": left} if left else None))
        for entry in await self.entries():
            emptied = entry.kind == "import" and entry.key not in imports
            marked = entry.marks is not None and _marks(entry.marks, forgotten, questions)
            if emptied or marked or any(_names(each, forgotten) for each in entry.labels):
                writes.append(("journal", entry.key, None))
        await self.store.write_in_batches(writes)


class ImportEntry:
    """Notes in the journal what one import adds, batch by batch."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._entry = JournalEntry(kind="import")
        self._begun = False

    async def adding(
        self, episodes: Sequence[Episode], tombstones: Collection[str]
    ) -> list[StoreWrite]:
        """The writes that note these episodes, which are about to be added, and the ``tombstones``
        of those among them that were forgotten before."""
        if not episodes:
            return []
        ids = [each.id for each in episodes]
        part = f"{self._entry.key}:{self._entry.added:012d}"
        self._entry = self._entry.model_copy(update={"added": self._entry.added + len(ids)})
        first: list[StoreWrite] = [("journal", self._entry.key, self._entry.stored())]
        if not self._begun:
            self._begun, first = True, await self._journal.adding(self._entry)
        value = {"entry": self._entry.key, "ids": ids, "tombstones": sorted(tombstones)}
        return [*first, ("journal_parts", part, value)]


def feedback_entry(before: Sequence[Episode], after: Sequence[Episode]) -> JournalEntry:
    """The entry for episodes whose labels or links have changed, in the same order."""
    return JournalEntry(kind="feedback", labels=[*_changed(before, after)])


def restored_label(episode: Episode | None, change: ChangedLabel) -> Episode:
    """The episode as it was before this change.

    Raises:
        Conflict: it was changed since, or forgotten.
    """
    if episode is None or _label_of(episode) != change.after:
        raise Conflict(
            f"The feedback on episode {short_id(change.episode)} was changed since, or the episode was "
            "forgotten: this cannot be undone."
        )
    return Episode.model_validate(episode.model_dump() | change.before)


def _label_of(episode: Episode) -> dict[str, Any]:
    """The fields that feedback changes."""
    return {name: getattr(episode, name) for name in LABEL}


def _changed(before: Sequence[Episode], after: Sequence[Episode]) -> Iterator[ChangedLabel]:
    for old, new in zip(before, after, strict=True):
        yield ChangedLabel(episode=old.id, before=_label_of(old), after=_label_of(new))


def _names(change: ChangedLabel, episodes: Collection[str]) -> bool:
    """Whether the change is of one of these episodes, or links to one."""
    links = {change.before["superseded_by"], change.after["superseded_by"]}
    return change.episode in episodes or not links.isdisjoint(episodes)


def _marks(change: ChangedMarks, episodes: Collection[str], questions: Collection[str]) -> bool:
    """Whether the change is of one of these episodes, or names one of these questions."""
    keys = {question_key(each) for each in (*change.before, *change.after)}
    return change.episode in episodes or not keys.isdisjoint(questions)
