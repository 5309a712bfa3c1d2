"""Answers that were drawn from an episode: those of turns that recalled it."""

from collections.abc import Collection
from typing import Literal

from personaagent.core.records import Episode
from personaagent.memory.user import UserMemory

Derived = Literal["blank", "forget", "keep"]
"""What becomes of answers that were drawn from a forgotten episode: their text goes (``blank``), they
are forgotten with it (``forget``), or they stay (``keep``)."""


async def derived_from(memory: UserMemory, episode_ids: Collection[str]) -> list[Episode]:
    """The user's other episodes whose answer had one of these before it, oldest first.

    Reads the metadata of all episodes of this user, and of nobody else.
    """
    sources = set(episode_ids)
    derived_ids = [
        key
        async for key, value in memory.store.scan("episodes")
        if key not in sources and recalled(value["episode"]["metadata"]) & sources
    ]
    derived = await memory.episodes.find(derived_ids)
    return sorted(derived, key=lambda each: (each.created_at, each.id))


def recalled(metadata: dict[str, object]) -> set[str]:
    """The ids of the episodes that the turn recalled, as its metadata says."""
    ids = metadata.get("recalled")
    return {id for id in ids if isinstance(id, str)} if isinstance(ids, list) else set()
