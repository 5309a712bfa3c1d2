"""Semantic memory: the facts and the summary of one user."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from personaagent.core.records import Profile, Record, Statement, TaskFacts
from personaagent.memory.episodes import Episodes
from personaagent.memory.facts import NamedLabel, compute_facts, nameable_labels
from personaagent.memory.hiding import NOTHING_HIDDEN, Hidden
from personaagent.memory.label_counts import LabelCounts, count_labels, subtract
from personaagent.memory.label_types import LabelType, label_type_of
from personaagent.memory.locks import Lock
from personaagent.memory.pending import PendingSet
from personaagent.memory.statement_checks import without_evidence
from personaagent.memory.statements import Statements
from personaagent.memory.user_store import StoredValue, UserStore

CacheKey = Literal["facts", "tallies"]


@dataclass(frozen=True)
class LabelledAt:
    """A labelled episode: its id, task and time (Unix seconds)."""

    id: str
    task: str | None
    at: float


@dataclass(frozen=True)
class Profiles:
    """The profile of one user (paper: S^u), without what is ``hidden`` and without discarded episodes.

    Facts are computed from counts of the labels. Both are cached until a label changes, so that
    reading facts is exact at any time and usually costs one look-up; facts without some episodes
    come from subtracting those from the counts.
    """

    store: UserStore
    episodes: Episodes
    lock: Lock
    hidden: Hidden = NOTHING_HIDDEN

    async def read(self) -> Profile:
        """Facts and summary as they are now."""
        stored = await self.statements.read()
        return Profile(
            facts=await self._facts(),
            summary=await self._visible(stored.statements),
            summarised_at=stored.at,
        )

    async def labelled(self) -> list[LabelledAt]:
        """The labelled episodes, newest first; of each task the newest 128."""
        labels = [
            (counts.task, label) for counts in await self.label_counts() for label in counts.latest
        ]
        labels.sort(key=lambda pair: pair[1], reverse=True)
        return [LabelledAt(label.id, task, label.at) for task, label in labels]

    async def label_types(self) -> dict[str | None, LabelType]:
        """The type of the labels of each task."""
        return {counts.task: label_type_of(counts) for counts in await self.label_counts()}

    async def nameable_labels(self) -> set[NamedLabel]:
        """Everything that facts could name with the labels as they are: tasks, and short labels; also
        those of discarded episodes, which may stand again."""
        found = await self.episodes.find(sorted(await self.episodes.discarded()))
        discarded = count_labels(each for each in found if not self.hidden.hides(each))
        return nameable_labels([*await self.label_counts(), *discarded])

    async def unsummarised(self) -> dict[str, StoredValue]:
        """The pending entries of episodes that the summary has not read, oldest episode first."""
        return await self._unsummarised.entries()

    async def summary_due(self, every: int) -> bool:
        """Whether the summary has at least ``every`` episodes to read; always False for 0."""
        return await self._unsummarised.due(every)

    async def write_summary(
        self,
        statements: list[Statement],
        read: dict[str, StoredValue],
        base: list[Statement] | None = None,
    ) -> None:
        """Store a new summary, and clear the pending entries that were ``read`` for it.

        An episode that was added or labelled meanwhile has a new entry and stays pending. One that
        was forgotten meanwhile is no longer evidence. If the whole user was forgotten, nothing is
        stored.

        Args:
            statements: all that the summary proposes; new ones have no id.
            read: the pending entries of the episodes that it has read.
            base: the statements that it was made from; None: those that are stored. What the user
                has changed since then stays as the user left it, and so do fixed statements.
        """
        if not await self.episodes.exist():
            return
        cited = {id for statement in statements for id in statement.evidence}
        missing = cited - {episode.id for episode in await self.episodes.find(sorted(cited))}
        await self.statements.merge_summary(without_evidence(statements, missing), base)
        if gone := cited - missing - {each.id for each in await self.episodes.find(sorted(cited))}:
            await self.statements.drop_evidence(gone)  # forgotten just now
        await self._unsummarised.clear(read)

    async def forget(self, forgotten: set[str]) -> list[Statement]:
        """Remove the statements that rest on these episodes alone; returns them.

        The other statements keep the rest of their evidence. The facts go with the episodes.
        """
        return await self.statements.drop_evidence(forgotten)

    @property
    def statements(self) -> Statements:
        """The statements, to be mended by the user."""
        return Statements(self.store, self.lock)

    @property
    def _unsummarised(self) -> PendingSet:
        return PendingSet(self.store, "unsummarised")

    async def _visible(self, statements: list[Statement]) -> list[Statement]:
        """The statements that rest on nothing hidden, and not on discarded episodes alone; those of
        the user's own by their time."""
        discarded = await self.episodes.discarded()
        statements = [
            each
            for each in statements
            if each.fixed or not each.evidence or not discarded.issuperset(each.evidence)
        ]
        if not self.hidden:
            return statements
        cited = {id for statement in statements for id in statement.evidence}
        episodes = await self.episodes.find(sorted(cited))
        visible = {episode.id for episode in episodes if not self.hidden.hides(episode)}
        return [
            each
            for each in statements
            if visible.issuperset(each.evidence)
            and (each.source == "summary" or not self.hidden.hides_time(each.changed_at))
        ]

    async def _facts(self) -> list[TaskFacts]:
        if self.hidden:
            return compute_facts(await self.label_counts())
        cached = await self._cached("facts")
        if cached is None:
            return compute_facts(await self._count_all())
        return [TaskFacts.model_validate(value) for value in cached]

    async def label_counts(self) -> list[LabelCounts]:
        """The counts of the labels of each task."""
        if self.hidden.before is not None:
            labelled = self.episodes.scan(labelled=True, standing=True)
            return count_labels([e async for e in labelled if not self.hidden.hides(e)])
        cached = await self._cached("tallies")
        if cached is None:
            all_counts = await self._count_all()
        else:
            all_counts = [LabelCounts.model_validate(value) for value in cached]
        if not self.hidden:
            return all_counts
        found = await self.episodes.find(sorted(self.hidden.episodes))
        return subtract(all_counts, [each for each in found if not each.discarded])

    async def _cached(self, key: CacheKey) -> list[StoredValue] | None:
        """The cached facts or counts of the labels as they are now; None if they are outdated."""
        labels, cached = await self.store.get("profile", "labels", key)
        if labels is None:
            return []
        if cached is None or cached["revision"] != labels["revision"]:
            return None
        return list(cached[key])

    async def _count_all(self) -> list[LabelCounts]:
        """Count the labels of all episodes, and cache the counts and the facts.

        They have a key each: an answer needs only the facts, which are small.
        """
        [labels] = await self.store.get("profile", "labels")
        all_counts = count_labels(
            [e async for e in self.episodes.scan(labelled=True, standing=True)]
        )
        cache: dict[CacheKey, Sequence[Record]] = {
            "tallies": all_counts,
            "facts": compute_facts(all_counts),
        }
        if labels is not None:
            await self.store.write(
                ("profile", key, labels | {key: [record.stored() for record in records]})
                for key, records in cache.items()
            )
        if await self.store.get("profile", "labels") != [labels]:
            # A label that was forgotten meanwhile must not stay in the cache.
            await self.store.write(("profile", key, None) for key in cache)
        return all_counts
