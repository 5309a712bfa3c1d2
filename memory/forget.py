"""Forgetting: an episode, its embedding, and all that rested on it alone; or everything."""

from collections.abc import Awaitable, Callable, Collection

from personaagent.core.records import Record, Rule, Statement
from personaagent.memory.hiding import Hidden
from personaagent.memory.user import UserMemory


class Receipt(Record):
    """What went. ``threads`` are the conversations in which the episodes, or labels that nobody
    gives any more, could still be read; ``simulations`` how many kept simulations went.
    """

    episodes: list[str]
    embeddings: int
    statements: list[Statement]
    rules: list[Rule]
    threads: list[str]
    simulations: int


DeleteThreads = Callable[[Collection[str]], Awaitable[None]]
"""Deletes these conversations of the user, wherever they are kept."""


async def forget(
    memory: UserMemory, episode_ids: Collection[str], delete_threads: DeleteThreads
) -> Receipt:
    """Forget these episodes of the user, and every statement and rule that rested on them alone.

    The episodes go last, so that what broke off midway can be done again; but for what an
    alignment wrote meanwhile, which is looked for once more when they are gone.

    Raises:
        UnknownEpisode: one of them does not exist; nothing was forgotten.
        IndexUnavailable: their embeddings cannot be removed now; nothing was forgotten.
    """
    forgotten = {(await memory.episodes.get(each)).id for each in episode_ids}
    left = await memory.hiding(Hidden(frozenset(forgotten))).profile.nameable()
    threads = await memory.conversations.holding(forgotten, left)
    embeddings = await memory.indexer.forget(forgotten)
    await delete_threads(threads)
    await memory.conversations.drop(threads)
    statements = await memory.profile.forget(forgotten)
    rules = await memory.personas.forget(forgotten)
    # Any simulation may have recalled them, or have spoken by a rule that rested on them.
    simulations = await memory.simulations.clear()
    await memory.episodes.drop(forgotten)
    rules += [each for each in await memory.personas.forget(forgotten) if each not in rules]
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
    """Forget everything of the user: episodes, profile, every version of the persona, ``threads``.

    Raises:
        IndexUnavailable: the embeddings cannot be removed now; nothing was forgotten.
    """
    versions = await memory.personas.history() if await memory.personas.exist() else []
    receipt = Receipt(
        episodes=[each.id async for each in memory.episodes.oldest_first()],
        embeddings=await memory.indexer.forget_all(),
        statements=(await memory.profile.read()).summary,
        rules=list({rule.text: rule for each in versions for rule in each.rules}.values()),
        threads=sorted(threads),
        simulations=await memory.simulations.clear(),
    )
    await delete_threads(threads)
    await memory.space.clear()
    return receipt
