"""Forgetting: an episode, its embedding, and everything that rests on it alone; or everything."""

from collections.abc import Awaitable, Callable, Collection

from pydantic import Field

from personaagent.core.records import Episode, Record, Rule, Statement
from personaagent.memory.derived import Derived, blanked, derived_from
from personaagent.memory.hiding import Hidden
from personaagent.memory.journal import Journal
from personaagent.memory.tombstones import Tombstones, delete_all_but_tombstones
from personaagent.memory.user import UserMemory


class Receipt(Record):
    """What was deleted.

    ``threads`` are the conversations that contained the episodes, or labels that no remaining
    episode has. ``simulations`` and ``embeddings`` are counts. Of the episodes whose answers were
    drawn from what was forgotten, ``blanked`` lost their answer, and ``remaining`` still have it.
    """

    episodes: list[str]
    embeddings: int
    statements: list[Statement]
    rules: list[Rule]
    threads: list[str]
    simulations: int
    blanked: list[str] = Field(default_factory=list)
    remaining: list[str] = Field(default_factory=list)


DeleteThreads = Callable[[Collection[str]], Awaitable[None]]
"""Deletes these conversations of the user, wherever they are stored."""


async def forget(
    memory: UserMemory,
    episode_ids: Collection[str],
    delete_threads: DeleteThreads,
    *,
    derived: Derived = "blank",
    tombstones: bool = True,
) -> Receipt:
    """Forget these episodes of the user, and every statement and rule that rests on them alone.

    The episodes are deleted last, so that you can repeat what was interrupted. An alignment may
    write something meanwhile: so rules and simulations are looked for once more at the end.

    Args:
        memory: of the user.
        episode_ids: which episodes.
        delete_threads: deletes the conversations that contain them.
        derived: what becomes of the answers that were drawn from them.
        tombstones: whether an import must not bring them back.

    Raises:
        UnknownEpisode: one of them does not exist; nothing was forgotten.
        IndexUnavailable: their embeddings cannot be removed now; nothing was forgotten.
    """
    episodes = [await memory.episodes.get(id) for id in dict.fromkeys(episode_ids)]
    answers = await derived_from(memory, episode_ids)
    if derived == "forget":
        episodes, answers = episodes + answers, []
    without = blanked(answers) if derived == "blank" else []
    emptied = {each.id for each in without}
    forgotten = {each.id for each in episodes}
    remaining = await memory.hiding(Hidden(frozenset(forgotten))).profile.nameable_labels()
    threads = await memory.conversations.threads_with(forgotten | emptied, remaining)
    embeddings = await memory.indexer.index.delete(forgotten)
    await delete_threads(threads)
    await memory.conversations.delete(threads)
    statements = await memory.profile.forget(forgotten)
    rules = await memory.personas.forget(forgotten)
    await memory.notices.clear()
    # Any simulation may have recalled the episodes, or used a rule that rested on them.
    simulations = await memory.simulations.clear()
    await _delete(memory, episodes, without, tombstones=tombstones)
    rules += [rule for rule in await memory.personas.forget(forgotten) if rule not in rules]
    simulations += await memory.simulations.clear()
    return Receipt(
        episodes=sorted(forgotten),
        embeddings=embeddings,
        statements=statements,
        rules=rules,
        threads=sorted(threads),
        simulations=simulations,
        blanked=sorted(emptied),
        remaining=[each.id for each in answers if each.response and each.id not in emptied],
    )


async def _delete(
    memory: UserMemory, episodes: list[Episode], without: list[Episode], *, tombstones: bool
) -> None:
    """Store the episodes that are ``without`` their answer, and delete the others."""
    if without:
        await memory.indexer.index.delete([each.id for each in without])
        await memory.episodes.replace(without)
    if tombstones:
        await Tombstones(memory.store).add(episodes)
    forgotten = {each.id for each in episodes}
    await Journal(memory.store).forget(forgotten)
    await memory.episodes.delete(forgotten)


async def forget_all(
    memory: UserMemory,
    threads: Collection[str],
    delete_threads: DeleteThreads,
    *,
    keep_tombstones: bool = False,
) -> Receipt:
    """Forget everything about the user: episodes, profile, all versions of the persona, ``threads``.

    Nothing of the user stays. Without ``keep_tombstones`` a later import brings back what it holds;
    with them, what was forgotten before does not come back.

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
    if keep_tombstones:
        await delete_all_but_tombstones(memory.store)
    else:
        await memory.store.delete_all()
    return receipt
