"""What a turn notes with its thread, before its checkpoints hold it: so forgetting finds the thread."""

from collections.abc import Sequence
from typing import NamedTuple

from langgraph.runtime import Runtime

from personaagent.core.errors import Conflict
from personaagent.core.records import Episode, Persona, Profile
from personaagent.core.states import AgentContext, thread_to_note
from personaagent.memory.conversations import note_write, statement_key
from personaagent.memory.facts import named_labels
from personaagent.memory.personas import CURRENT
from personaagent.memory.turn_snapshots import TurnRead
from personaagent.memory.user import UserMemory
from personaagent.memory.user_store import StoreWrite

SHOWN_OF_USER = [("profile", "facts"), ("profile", "summary"), ("persona", CURRENT)]
"""Where what the prompt tells of the user stands, beside the episodes."""


class Noted(NamedTuple):
    """The key of the ``note``, if the thread has one; what was recalled and read, without what was
    forgotten before it was noted; and what later nodes may go on from: None, if they read again."""

    note: str
    episodes: list[Episode]
    profile: Profile
    read: TurnRead | None


async def note_recalled(
    runtime: Runtime[AgentContext],
    memory: UserMemory,
    episode_id: str,
    episodes: list[Episode],
    profile: Profile,
) -> Noted:
    """Note with the thread what its checkpoints will hold.

    In one transaction, if nothing of it was forgotten or changed since it was read; else step by step.
    """
    thread, at_hand = thread_to_note(runtime), memory.store.at_hand
    if not thread:
        read = None if at_hand is None else TurnRead(at_hand, frozenset())
        return Noted("", episodes, profile, read)
    ids = [episode_id, *(episode.id for episode in episodes)]
    writes = [note_write(thread, [*ids, *(statement_key(each.id) for each in profile.summary)])]
    if names := sorted(named_labels(profile.facts)):
        writes.append(note_write(thread, named=names, key=str(names)))
    if at_hand:
        evidence = evidence_writes(thread, await memory.personas.current(), profile)
        try:
            await memory.store.write(
                [*writes, *evidence],
                needs=[("episodes", episode.id) for episode in episodes],
                expects=at_hand.expected(SHOWN_OF_USER),
            )
        except Conflict:
            pass  # what was forgotten is left out below
        else:
            noted = frozenset(key for _, key, _ in evidence)
            return Noted(writes[0][1], episodes, profile, TurnRead(at_hand, noted))
    await memory.store.write(writes)
    return await _without_forgotten(memory, Noted(writes[0][1], episodes, profile, None))


async def _without_forgotten(memory: UserMemory, noted: Noted) -> Noted:
    left = {each.id for each in await memory.episodes.find([each.id for each in noted.episodes])}
    now, labels = await memory.profile.read(), named_labels(noted.profile.facts)
    statements = {each.id for each in now.summary}
    profile = noted.profile.model_copy(
        update={
            "facts": [each for each in now.facts if named_labels([each]) <= labels],
            "summary": [each for each in noted.profile.summary if each.id in statements],
        }
    )
    return noted._replace(
        episodes=[each for each in noted.episodes if each.id in left], profile=profile
    )


def evidence_writes(thread: str, persona: Persona, profile: Profile) -> list[StoreWrite]:
    """The note of all episodes that the rules and statements rest on, and of the statements, under a
    key of its own: which the thread has once."""
    evidence = _evidence(persona, profile)
    return [note_write(thread, evidence, key=",".join(evidence))] if evidence else []


def _evidence(persona: Persona, profile: Profile) -> Sequence[str]:
    cited = [rule.evidence for rule in persona.rules]
    cited += [[statement_key(each.id), *each.evidence] for each in profile.summary]
    return sorted({episode_id for evidence in cited for episode_id in evidence})
