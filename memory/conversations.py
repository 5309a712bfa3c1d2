"""In which conversations a user's episodes can be read."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from personaagent.memory.space import Space


@dataclass(frozen=True)
class Conversations:
    """Which episodes stand in which thread of the user: as a turn of it, or recalled into one.

    The checkpoints of a thread hold their text, so that forgetting them takes the thread along.
    It is noted here, before the text gets there, and not in an episode's metadata, which may come
    from a file that somebody wrote.
    """

    space: Space

    async def note(self, thread: str, episode_ids: Iterable[str], key: str | None = None) -> None:
        """These episodes are about to stand in the thread.

        With a ``key`` they take the place of those that the thread noted under it before.
        """
        seen = {"thread": thread, "episodes": list(episode_ids)}
        place = sha256(f"{thread}:{key or uuid4()}".encode()).hexdigest()
        await self.space.write([("conversations", place, seen)])

    async def holding(self, episode_ids: Collection[str]) -> set[str]:
        """The threads in which any of these episodes stands."""
        sought = set(episode_ids)
        return {
            seen["thread"]
            async for _, seen in self.space.each("conversations")
            if not sought.isdisjoint(seen["episodes"])
        }

    async def drop(self, threads: Collection[str]) -> None:
        """The threads are gone."""
        keys = [
            key async for key, seen in self.space.each("conversations") if seen["thread"] in threads
        ]
        await self.space.write([("conversations", key, None) for key in keys])
