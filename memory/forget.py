"""Forgetting: an episode, its embedding, and everything that rests on it alone; or everything."""

from collections.abc import Awaitable, Callable, Collection

from personaagent.core.records import Record, Rule, Statement
from personaagent.memory.hiding import Hidden
from personaagent.memory.user import UserMemory


class Receipt(Record):
    """What was deleted.

    ``threads`` are the conversations that contained the episodes, or labels that no remaining
    episode has. ``simulations`` and ``embeddings`` are counts.
    """

    episodes: list[str]
    embeddings: int
    statements: list[Statement]
    rules: list[Rule]
    threads: list[str]
    simulations: int


DeleteThreads = Callable[[Collection[str]], Awaitable[None]]
"""Deletes these conversations of the user, wherever they are stored."""


async def forget(
    memory: UserMemory, episode_ids: Collection[str], delete_threads: DeleteThreads
) -> Receipt:
    """Forget these episodes of the user, and every statement and rule that rests on them alone.

    The episodes are deleted last, so that you can repeat what was interrupted. An alignment may
    write something meanwhile: so rules and simulations are looked for once more at the end.

    Raises:
        UnknownEpisode: one of them does not exist; nothing was forgotten.
        IndexUnavailable: their embeddings cannot be removed now; nothing was forgotten.
    """
    forgotten = {(await memory.episodes.get(id)).id for id in episode_ids}
    remaining = await memory.hiding(Hidden(frozenset(forgotten))).profile.nameable_labels()
    threads = await memory.conversations.threads_with(forgotten, remaining)
    embeddings = await memory.indexer.index.delete(forgotten)
    await delete_threads(threads)
    await memory.conversations.delete(threads)
    statements = await memory.profile.forget(forgotten)
    rules = await memory.personas.forget(forgotten)
    # Any simulation may have recalled the episodes, or used a rule that rested on them.
    simulations = await memory.simulations.clear()
    await memory.episodes.delete(forgotten)
    rules += [rule for rule in await memory.personas.forget(forgotten) if rule not in rules]
    simulations += await memory.simulations.clear()
    return Receipt(
        episodes=sorted(forgotten),
        embeddings=embeddings,
        statements=statements,
        rules=rules,
        threads=sorted(threads),
        simulations=simulations,
    )


async def forget_all(
    memory: UserMemory, threads: Collection[str], delete_threads: DeleteThreads
) -> Receipt:
    """Forget everything about the user: episodes, profile, all versions of the persona, ``threads``.

    Raises:
        IndexUnavailable: the embeddings cannot be removed now; nothing was forgotten.
    """
    personas = await memory.personas.history() if await memory.personas.exist() else []
    receipt = Receipt(
        episodes=[episode.id async for episode in memory.episodes.oldest_first()],
        embeddings=await memory.indexer.index.delete_all(),
        statements=(await memory.profile.read()).summary,
        rules=list({rule.text: rule for persona in personas for rule in persona.rules}.values()),
        threads=sorted(threads),
        simulations=await memory.simulations.clear(),
    )
    await delete_threads(threads)
    await memory.store.delete_all()
    return receipt
