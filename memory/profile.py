"""Semantic memory: the facts and the summary of one user, as they are kept."""

from dataclasses import dataclass

from personaagent.core.records import Episode, Profile, Statement, TaskFacts, now
from personaagent.memory.episodes import Episodes
from personaagent.memory.facts import compute_facts
from personaagent.memory.space import Space


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

    async def unsummarised(self, limit: int) -> list[Episode]:
        """The latest ``limit`` episodes that the summary has not seen, oldest first."""
        marks = [(value["at"], key) async for key, value in self.space.each("unsummarised")]
        latest = sorted(marks)[-limit:]
        return await self.episodes.find([key for _, key in latest])

    async def summary_due(self, every: int) -> bool:
        """Whether at least ``every`` episodes are new to the summary; never, for 0."""
        return every > 0 and len(await self.space.some("unsummarised", every)) >= every

    async def write_summary(self, statements: list[Statement]) -> None:
        """Keep the new summary; every episode that was there before it counts as seen."""
        value = {"statements": [each.stored() for each in statements], "at": now().isoformat()}
        seen = [key async for key, _ in self.space.each("unsummarised")]
        await self.space.write(
            [("profile", "summary", value), *(("unsummarised", key, None) for key in seen)]
        )

    async def forget(self, forgotten: set[str]) -> list[Statement]:
        """Take out every statement that rested on these episodes alone; returns those.

        What is left keeps its other evidence. The facts are computed anew when next read.
        """
        [summary] = await self.space.get("profile", "summary")
        before = [] if summary is None else [Statement(**each) for each in summary["statements"]]
        kept, gone = [], []
        for statement in before:
            rest = [each for each in statement.evidence if each not in forgotten]
            if rest:
                kept.append(Statement(text=statement.text, evidence=rest))
            else:
                gone.append(statement)
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
