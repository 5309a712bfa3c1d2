"""Semantic memory: the facts and the summary of one user, as they are kept."""

from dataclasses import dataclass
from functools import partial

from personaagent.core.records import Profile, Statement, TaskFacts, now
from personaagent.memory.episodes import Episodes
from personaagent.memory.facts import compute_facts
from personaagent.memory.space import Space, Value

Marks = dict[str, Value]
"""Episode ids with the mark that each bears."""


@dataclass(frozen=True)
class Profiles:
    """The profile of one user (paper: S^u).

    Facts are computed when the labels have changed since they were kept, so that reading them
    is exact at any time and costs no more than a look-up in an answer's way.
    """

    space: Space
    episodes: Episodes

    async def read(self) -> Profile:
        """Facts and summary as they stand."""
        labels, kept, summary = await self.space.get("profile", "labels", "facts", "summary")
        if labels is None:
            facts = []
        elif kept is not None and kept["revision"] == labels["revision"]:
            facts = [TaskFacts.model_validate(each) for each in kept["facts"]]
        else:
            facts = await self._compute(labels["revision"])
        return Profile(
            facts=facts,
            summary=[] if summary is None else summary["statements"],
            summarised_at=None if summary is None else summary["at"],
        )

    async def unsummarised(self) -> Marks:
        """The marks of the episodes that the summary has not seen, oldest episode first."""
        marks = [mark async for mark in self.space.each("unsummarised")]
        return dict(sorted(marks, key=lambda mark: (mark[1]["at"], mark[0])))

    async def summary_due(self, every: int) -> bool:
        """Whether at least ``every`` episodes are new to the summary; never, for 0."""
        return every > 0 and len(await self.space.some("unsummarised", every)) >= every

    async def write_summary(self, statements: list[Statement], seen: Marks) -> None:
        """Keep the new summary; the episodes with the marks ``seen`` count as seen.

        An episode that was added or labelled since then has another mark, and keeps it; one
        that was forgotten since then supports nothing any more.
        """
        cited = {each for statement in statements for each in statement.evidence}
        gone = cited - {episode.id for episode in await self.episodes.find(sorted(cited))}
        kept = [each for each in map(partial(_without, gone), statements) if each is not None]
        value = {"statements": [each.stored() for each in kept], "at": now().isoformat()}
        done = [key for key, mark in (await self.unsummarised()).items() if seen.get(key) == mark]
        await self.space.write([("profile", "summary", value)])
        await self.space.write_many(("unsummarised", key, None) for key in done)

    async def forget(self, forgotten: set[str]) -> list[Statement]:
        """Take out every statement that rested on these episodes alone; returns those.

        What is left keeps its other evidence. The facts are computed anew when next read.
        """
        [summary] = await self.space.get("profile", "summary")
        before = [] if summary is None else [Statement(**each) for each in summary["statements"]]
        left = [_without(forgotten, each) for each in before]
        kept = [each for each in left if each is not None]
        gone = [each for each, rest in zip(before, left, strict=True) if rest is None]
        if summary is not None and kept != before:
            value = summary | {"statements": [each.stored() for each in kept]}
            await self.space.write([("profile", "summary", value)])
        await self.space.write([("profile", "facts", None)])
        return gone

    async def _compute(self, revision: str) -> list[TaskFacts]:
        facts = compute_facts([episode async for episode in self.episodes.each(labelled=True)])
        kept = {"revision": revision, "facts": [each.stored() for each in facts]}
        await self.space.write([("profile", "facts", kept)])
        return facts


def _without(gone: set[str], statement: Statement) -> Statement | None:
    """The statement without the evidence that is gone; None if it has no other."""
    rest = [each for each in statement.evidence if each not in gone]
    return Statement(text=statement.text, evidence=rest) if rest else None
