"""Learning the instructions that a user's queries share, from the episodes as they are indexed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from personaagent.core.records import Episode
from personaagent.memory.episodes import Episodes
from personaagent.memory.instructions import (
    KEY,
    SEEN,
    SEEN_OF_TASK,
    SIDES,
    Instruction,
    Instructions,
    Seen,
    of_known_size,
    read_instructions,
)
from personaagent.memory.shared_text import LEAST_TEXTS, Side, Words, groups
from personaagent.memory.user_store import StoredValue, StoreWrite, UserStore

REINDEXED = 32
"""Most episodes that are indexed again because what differs in them has changed."""


@dataclass(frozen=True)
class InstructionLearning:
    """Brings the record of one user's instructions up to date."""

    store: UserStore
    episodes: Episodes

    async def learn(self, episodes: Sequence[Episode]) -> Instructions:
        """The instructions, with what these episodes tell of them.

        An instruction shows only in the third query that has it. The earlier ones, and those in
        which something else differs now, are queued to be indexed again: at most ``REINDEXED``.
        """
        revision, before = await self._revision(), await read_instructions(self.store)
        record, writes = await self._learned(before, episodes)
        if not writes:
            return record
        await self.store.write(writes)
        if await self._revision() != revision:
            # An episode that was forgotten meanwhile must not stay in the record.
            record = await self._existing(record, {each.id for each in episodes} - before.ids)
            await self.store.write([("profile", KEY, record.stored())])
        return record

    async def learned(self, episodes: Sequence[Episode]) -> tuple[Instructions, list[StoreWrite]]:
        """The same, and what is to be written; nothing if these episodes are known already."""
        return await self._learned(await read_instructions(self.store), episodes)

    async def _learned(
        self, before: Instructions, episodes: Sequence[Episode]
    ) -> tuple[Instructions, list[StoreWrite]]:
        named = before.ids
        new = {episode.id: episode.query for episode in episodes if episode.id not in named}
        if not new:
            return before, []
        record, texts = before, dict(new)
        for episode in episodes:
            if episode.id in new:
                record = await self._with(record, Seen.of(episode), texts)
        changed = [
            id
            for id, text in texts.items()
            if id not in new and _differing(before, text) != _differing(record, text)
        ]
        again: list[StoreWrite] = [("unindexed", id, {}) for id in changed[-REINDEXED:]]
        return record, [("profile", KEY, record.stored()), *again]

    async def _revision(self) -> StoredValue | None:
        """Another one after each episode that is forgotten."""
        [revision] = await self.store.get("profile", "labels")
        return revision

    async def _existing(self, record: Instructions, new: Collection[str]) -> Instructions:
        """The record without episodes that are no longer stored; ``new`` ones are not yet."""
        ids = sorted(record.ids.difference(new))
        return record.without({*ids} - {each.id for each in await self.episodes.find(ids)})

    async def _with(self, record: Instructions, seen: Seen, texts: dict[str, str]) -> Instructions:
        """The record with one more query, whose text is in ``texts``; those of others are added."""
        split = record.split(texts[seen.id])
        shared = {
            side: each
            for side, each in zip(SIDES, (split.leading, split.trailing), strict=True)
            if each is not None and each.task == seen.task
        }
        record = _joined(record, seen, [*shared.values()])
        for side in SIDES:
            alike = [] if side in shared else _alike(record, seen, side)
            if len({each.whole for each in alike}) >= LEAST_TEXTS:
                missing = [each.id for each in alike if each.id not in texts]
                texts |= {each.id: each.query for each in await self.episodes.find(missing)}
                record = _regrouped(record, alike, side, texts)
        return record


def _joined(record: Instructions, seen: Seen, shared: Sequence[Instruction]) -> Instructions:
    """The record with ``seen`` among the latest queries, and with the instructions it shares."""
    known = [each.joined_by(seen) if each in shared else each for each in record.known]
    latest = sorted(
        [each for each in record.seen if (each.whole, each.task) != (seen.whole, seen.task)]
        + [seen],
        key=lambda each: each.at,
    )
    of_task = [each for each in latest if each.task == seen.task]
    dropped = {each.id for each in of_task[:-SEEN_OF_TASK]}
    remembered = [each for each in latest if each.id not in dropped][-SEEN:]
    return Instructions(known=known, seen=remembered)


def _alike(record: Instructions, seen: Seen, side: Side) -> list[Seen]:
    """The queries of the same task that have the same first words at ``side``, oldest first."""
    known = [each for each in record.known if each.side == side and each.task == seen.task]
    queries = [*(each for instruction in known for each in instruction.sharing), *record.seen]
    alike = {
        each.id: each
        for each in queries
        if each.task == seen.task and each.edge(side) == seen.edge(side) != 0
    }
    return sorted(alike.values(), key=lambda each: each.at)


def _regrouped(
    record: Instructions, alike: Sequence[Seen], side: Side, texts: dict[str, str]
) -> Instructions:
    """The record with the instructions that these queries, which begin alike, share now."""
    distinct = {each.whole: each for each in alike if each.id in texts}
    queries = [*distinct.values()]
    words = [Words(texts[each.id], side) for each in queries]
    regrouped = [
        _instruction(words[group.members[-1]].first(group.words), side, queries, group.members)
        for group in groups(words)
    ]
    replaced = {each.edge(side) for each in alike}, {each.task for each in alike}
    others = [
        each
        for each in record.known
        if each.side != side or each.sharing[0].edge(side) not in replaced[0]
        or each.task not in replaced[1]
    ]  # fmt: skip
    return Instructions(known=of_known_size([*others, *regrouped]), seen=record.seen)


def _instruction(
    text: str, side: Side, queries: Sequence[Seen], members: Sequence[int]
) -> Instruction:
    instruction = Instruction(text=text, side=side, task=queries[0].task, sharing=[])
    for number in members:
        instruction = instruction.joined_by(queries[number])
    return instruction


def _differing(record: Instructions, query: str) -> tuple[int, int]:
    split = record.split(query)
    return split.start, split.end
