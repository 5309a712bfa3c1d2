"""Forgetting: an episode, its embedding, and all that rested on it alone."""

from collections.abc import Collection

from personaagent.core.records import Record, Rule, Statement
from personaagent.memory.user import UserMemory


class Receipt(Record):
    """What went. ``threads`` are the conversations in which the episodes could still be read."""

    episodes: list[str]
    embeddings: int
    statements: list[Statement]
    rules: list[Rule]
    threads: list[str]


async def forget(memory: UserMemory, episode_ids: Collection[str]) -> Receipt:
    """Forget these episodes of the user, and every statement and rule that rested on them alone.

    Raises:
        UnknownEpisode: one of them does not exist; nothing was forgotten.
        IndexUnavailable: their embeddings cannot be removed now; nothing was forgotten.
    """
    forgotten = {(await memory.episodes.get(each)).id for each in episode_ids}
    threads = {
        str(episode.metadata["thread_id"])
        async for episode in memory.episodes.each()
        if "thread_id" in episode.metadata
        and (
            episode.id in forgotten
            or not forgotten.isdisjoint(episode.metadata.get("recalled", []))
        )
    }
    embeddings = await memory.indexer.forget(forgotten)
    statements = await memory.profile.forget(forgotten)
    rules = await memory.personas.forget(forgotten)
    await memory.episodes.drop(forgotten)
    return Receipt(
        episodes=sorted(forgotten),
        embeddings=embeddings,
        statements=statements,
        rules=rules,
        threads=sorted(threads),
    )
