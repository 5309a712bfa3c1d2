"""Semantic memory: the facts and the summary of one user, as they are kept."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from personaagent.core.records import Profile, Record, Statement, TaskFacts, now
from personaagent.memory.episodes import Episodes
from personaagent.memory.facts import Named, compute_facts, nameable
from personaagent.memory.hiding import NOTHING, Hidden
from personaagent.memory.label_counts import LabelCounts, tally, without
from personaagent.memory.label_types import LabelType, label_type_of
from personaagent.memory.pending import PendingSet
from personaagent.memory.user_store import UserStore, Value


@dataclass(frozen=True)
class LabelledAt:
    """A labelled episode: its id, task and time (Unix seconds)."""

    id: str
    task: str | None
    at: float


@dataclass(frozen=True)
class Profiles:
    """The profile of one user (paper: S^u), without what is ``hidden``.

    Facts rest on tallies of the labels, which are made when the labels have changed since they
    were kept: reading facts is exact at any time and costs no more than a look-up in an answer's
    way, and facts without some episodes are had by subtraction.
    """

    space: UserStore
    episodes: Episodes
    hidden: Hidden = NOTHING

    async def read(self) -> Profile:
        """Facts and summary as they stand."""
        [summary], facts = await asyncio.gather(self.space.get("profile", "summary"), self._facts())
        return Profile(
            facts=facts,
            summary=[] if summary is None else await self._visible(_statements(summary)),
            summarised_at=None if summary is None else summary["at"],
        )

    async def labelled(self) -> list[LabelledAt]:
        """The labelled episodes, newest first; of each task the newest 128."""
        every = [(each.task, label) for each in await self._tallies() for label in each.latest]
        every.sort(key=lambda pair: pair[1], reverse=True)
        return [LabelledAt(label.id, task, label.at) for task, label in every]

    async def label_kinds(self) -> dict[str | None, LabelType]:
        """What kind of labels each task has."""
        return {each.task: label_type_of(each) for each in await self._tallies()}

    async def nameable(self) -> set[Named]:
        """All that the facts can name as the labels are: tasks, and their short labels."""
        return nameable(await self._tallies())

    async def unsummarised(self) -> dict[str, Value]:
        """The marks of the episodes that the summary has not seen, oldest episode first."""
        return await self._marks.marks()

    async def summary_due(self, every: int) -> bool:
        """Whether at least ``every`` episodes are new to the summary; never, for 0."""
        return await self._marks.due(every)

    async def write_summary(self, statements: list[Statement], seen: dict[str, Value]) -> None:
        """Keep the new summary; the episodes with the marks ``seen`` count as seen.

        An episode that was added or labelled since then has another mark, and keeps it; one
        that was forgotten since then supports nothing any more. Of a user who was forgotten since
        then nothing is kept.
        """
        if not await self.episodes.any():
            return
        cited = {each for statement in statements for each in statement.evidence}
        gone = cited - {episode.id for episode in await self.episodes.find(sorted(cited))}
        kept = [each for each in map(partial(_without, gone), statements) if each is not None]
        value = {"statements": [each.stored() for each in kept], "at": now().isoformat()}
        await self.space.write([("profile", "summary", value)])
        await self._marks.clear(seen)

    async def forget(self, forgotten: set[str]) -> list[Statement]:
        """Take out every statement that rested on these episodes alone; returns those.

        What is left keeps its other evidence. The facts go with the episodes.
        """
        [summary] = await self.space.get("profile", "summary")
        before = [] if summary is None else _statements(summary)
        left = [_without(forgotten, each) for each in before]
        kept = [each for each in left if each is not None]
        gone = [each for each, rest in zip(before, left, strict=True) if rest is None]
        if summary is not None and kept != before:
            value = summary | {"statements": [each.stored() for each in kept]}
            await self.space.write([("profile", "summary", value)])
        return gone

    @property
    def _marks(self) -> PendingSet:
        return PendingSet(self.space, "unsummarised")

    async def _visible(self, statements: list[Statement]) -> list[Statement]:
        """Those that rest on nothing hidden."""
        if not self.hidden:
            return statements
        cited = {each for statement in statements for each in statement.evidence}
        found = await self.episodes.find(sorted(cited))
        seen = {episode.id for episode in found if not self.hidden.hides(episode)}
        return [each for each in statements if seen.issuperset(each.evidence)]

    async def _facts(self) -> list[TaskFacts]:
        if self.hidden:
            return compute_facts(await self._tallies())
        kept = await self._kept("facts")
        if kept is None:
            return compute_facts(await self._count())
        return [TaskFacts.model_validate(each) for each in kept]

    async def _tallies(self) -> list[LabelCounts]:
        if self.hidden.before is not None:
            every = self.episodes.each(labelled=True)
            return tally([each async for each in every if not self.hidden.hides(each)])
        kept = await self._kept("tallies")
        if kept is None:
            tallies = await self._count()
        else:
            tallies = [LabelCounts.model_validate(each) for each in kept]
        if not self.hidden:
            return tallies
        return without(tallies, await self.episodes.find(sorted(self.hidden.episodes)))

    async def _kept(self, what: str) -> list[Value] | None:
        """The facts or tallies of the labels as they are now; None if they are to be made anew."""
        labels, kept = await self.space.get("profile", "labels", what)
        if labels is None:
            return []
        if kept is None or kept["revision"] != labels["revision"]:
            return None
        return list(kept[what])

    async def _count(self) -> list[LabelCounts]:
        """Count the labels of all episodes, and keep tallies and facts apart: an answer needs
        the facts alone, which are small."""
        [labels] = await self.space.get("profile", "labels")
        tallies = tally([episode async for episode in self.episodes.each(labelled=True)])
        kept: dict[str, Sequence[Record]] = {"tallies": tallies, "facts": compute_facts(tallies)}
        if labels is not None:
            await self.space.write(
                ("profile", what, labels | {what: [each.stored() for each in records]})
                for what, records in kept.items()
            )
        if await self.space.get("profile", "labels") != [labels]:
            # A label that was forgotten meanwhile must not stay in what is kept.
            await self.space.write(("profile", what, None) for what in kept)
        return tallies


def _statements(summary: Value) -> list[Statement]:
    return [Statement.model_validate(each) for each in summary["statements"]]


def _without(gone: set[str], statement: Statement) -> Statement | None:
    """The statement without the evidence that is gone; None if it has no other."""
    rest = [each for each in statement.evidence if each not in gone]
    return Statement(text=statement.text, evidence=rest) if rest else None
