"""All that the agent goes by with one user, on one page: facts, statements, rules, evidence."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from personaagent.core.records import Moment, Persona, Profile, Record, Rule, Statement, TaskFacts
from personaagent.core.text import shorten
from personaagent.memory.user import UserMemory

QUERY_CHARS = 60


class Evidence(Record):
    """An episode that statements or rules rest on: its id, its time, the beginning of its query."""

    id: str
    at: Moment
    query: str


class ProfilePage(Record):
    """What the agent knows about a user, and how it answers them."""

    facts: list[TaskFacts]
    summary: list[Statement]
    summarised_at: datetime | None
    version: int
    rules: list[Rule]
    evidence: list[Evidence]


async def read_page(memory: UserMemory) -> ProfilePage:
    """The page as it is now."""
    profile, persona = await asyncio.gather(memory.profile.read(), memory.personas.current())
    return await make_page(memory, profile, persona)


async def make_page(memory: UserMemory, profile: Profile, persona: Persona) -> ProfilePage:
    """The page of this profile and this persona."""
    return ProfilePage(
        facts=profile.facts,
        summary=profile.summary,
        summarised_at=profile.summarised_at,
        version=persona.version,
        rules=persona.rules,
        evidence=await _evidence(memory, [*profile.summary, *persona.rules]),
    )


async def _evidence(memory: UserMemory, cited_by: Sequence[Statement | Rule]) -> list[Evidence]:
    ids = dict.fromkeys(id for each in cited_by for id in each.evidence)
    return [
        Evidence(
            id=episode.id,
            at=episode.created_at,
            query=shorten(" ".join(episode.query.split()), QUERY_CHARS),
        )
        for episode in await memory.episodes.find([*ids])
    ]
