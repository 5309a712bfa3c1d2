"""Forgetting: an episode, its embedding, and everything that rests on it alone; or everything.

Whoever calls holds ``UserMemory.forgetting``, so that of several at once each finds what the others
have left. What writes beside it is kept out by ``memory/generation.py``, and by a second look at the
end, once the episodes are gone.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Literal, NamedTuple

from pydantic import Field

from personaagent.core.records import Record, Rule, Statement
from personaagent.memory.derived import Derived, derived_from
from personaagent.memory.episodes import blanked
from personaagent.memory.forgettings import Forgetting
from personaagent.memory.hiding import Hidden
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

    @classmethod
    def of_nothing(cls) -> "Receipt":
        """That of what was gone already."""
        return cls(episodes=[], embeddings=0, statements=[], rules=[], threads=[], simulations=0)

    def listed(self, kind: Literal["episodes", "statement"]) -> Forgetting:
        """What the user's list keeps of it: counts alone."""
        return Forgetting(
            kind=kind,
            episodes=len(self.episodes),
            statements=len(self.statements),
            rules=len(self.rules),
            threads=len(self.threads),
            blanked=len(self.blanked),
        )

    def with_more(self, gone: "_Gone") -> "Receipt":
        """The receipt with what went besides."""
        rules = {rule.id: rule for rule in [*self.rules, *gone.rules]}
        return self.model_copy(
            update={
                "statements": self.statements + gone.statements,
                "rules": [*rules.values()],
                "threads": sorted({*self.threads, *gone.threads}),
                "simulations": self.simulations + gone.simulations,
            }
        )


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

    The episodes are deleted last, so that you can repeat what was interrupted. A summary, a turn or
    an alignment may write something meanwhile: so all else is looked for once more at the end.

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
    without = {each.id for each in blanked(answers)} if derived == "blank" else set()
    forgotten = {each.id for each in episodes}
    embeddings = await memory.indexer.index.delete(forgotten)
    first = await _forget_what_rests_on(memory, forgotten, without, delete_threads)
    if without:
        await memory.indexer.index.delete(without)
    emptied = await memory.episodes.blank(without)
    receipt = Receipt(
        episodes=sorted(forgotten),
        embeddings=embeddings,
        statements=first.statements,
        rules=first.rules,
        threads=sorted(first.threads),
        simulations=first.simulations,
        blanked=sorted(emptied),
        remaining=[each.id for each in answers if each.response and each.id not in without],
    )
    listed = receipt.listed("episodes")
    if tombstones:
        await Tombstones(memory.store).add(episodes)
    await memory.episodes.delete(forgotten, also=[listed.write()] if tombstones else ())
    await memory.indexer.index.delete(forgotten)
    again = await _forget_what_rests_on(memory, forgotten, without, delete_threads)
    complete = receipt.with_more(again)
    if tombstones and complete != receipt:
        counts = complete.listed("episodes").model_dump(exclude={"key", "at"})
        await memory.store.write([listed.model_copy(update=counts).write()])
    return complete


class _Gone(NamedTuple):
    """What went with episodes that are forgotten, as in ``Receipt``."""

    statements: list[Statement]
    rules: list[Rule]
    threads: set[str]
    simulations: int


async def _forget_what_rests_on(
    memory: UserMemory, forgotten: set[str], without: set[str], delete_threads: DeleteThreads
) -> _Gone:
    """Forget what holds the text of these episodes, or rests on those ``forgotten`` alone."""
    memory.turns.drop_all_of(memory.store.key)
    labels = await memory.hiding(Hidden(frozenset(forgotten))).profile.nameable_labels()
    threads = await memory.conversations.threads_with(forgotten | without, labels)
    await delete_threads(threads)
    await memory.conversations.delete(threads)
    statements = await memory.profile.forget(forgotten)
    rules = await memory.personas.forget(forgotten)
    await memory.notices.clear()
    # Any simulation may have recalled the episodes, or used a rule that rested on them.
    return _Gone(statements, rules, threads, await memory.simulations.clear())


async def forget_all(
    memory: UserMemory,
    threads: Collection[str],
    delete_threads: DeleteThreads,
    *,
    keep_tombstones: bool = False,
) -> Receipt:
    """Forget everything about the user: episodes, profile, all versions of the persona, ``threads``.

    Nothing of the user stays, and nothing that began before can write any more: it ends with
    ``Forgotten``. Without ``keep_tombstones`` a later import brings back what it holds; with them,
    what was forgotten before does not come back. Again, it finds nothing and succeeds.

    Raises:
        IndexUnavailable: the embeddings cannot be removed now; nothing was forgotten.
    """
    embeddings = await memory.indexer.index.delete_all()
    await memory.store.begin_anew()
    memory.turns.drop_all_of(memory.store.key)
    personas = await memory.personas.history() if await memory.personas.exist() else []
    receipt = Receipt(
        episodes=await memory.episodes.ids(),
        embeddings=embeddings,
        statements=(await memory.profile.read()).summary,
        rules=list({rule.text: rule for persona in personas for rule in persona.rules}.values()),
        threads=sorted(threads),
        simulations=await memory.simulations.clear(),
    )
    await delete_threads(threads)
    async with memory.personas.lock():
        if keep_tombstones:
            await delete_all_but_tombstones(memory.store)
        else:
            await memory.store.delete_all()
    await memory.indexer.index.clear()
    return receipt
