"""In which conversations a user's episodes can be read."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from personaagent.memory.facts import Named
from personaagent.memory.user_store import UserStore


@dataclass(frozen=True)
class Conversations:
    """Which episodes stand in which thread of the user: as a turn of it, or recalled into one; and
    what the facts named that the thread was told.

    The checkpoints of a thread hold their text, so that forgetting them takes the thread along.
    It is noted here, before the text gets there, and not in an episode's metadata, which may come
    from a file that somebody wrote.
    """

    space: UserStore

    async def note(
        self,
        thread: str,
        episode_ids: Iterable[str] = (),
        *,
        named: Iterable[Named] = (),
        key: str | None = None,
    ) -> None:
        """These episodes, and facts that name these labels, are about to stand in the thread.

        With a ``key`` they take the place of those that the thread noted under it before.
        """
        seen = {"thread": thread, "episodes": list(episode_ids), "named": [*map(list, named)]}
        place = sha256(f"{thread}:{key or uuid4()}".encode()).hexdigest()
        await self.space.write([("conversations", place, seen)])

    async def holding(self, episode_ids: Collection[str], left: Collection[Named]) -> set[str]:
        """The threads in which any of these episodes stands, or a label that is not among those
        ``left`` without them."""
        sought, known = set(episode_ids), set(left)
        return {
            seen["thread"]
            async for _, seen in self.space.each("conversations")
            if not sought.isdisjoint(seen["episodes"])
            or not known.issuperset((task, label) for task, label in seen["named"])
        }

    async def threads(self) -> set[str]:
        """Every thread that was noted."""
        return {seen["thread"] async for _, seen in self.space.each("conversations")}

    async def drop(self, threads: Collection[str]) -> None:
        """The threads are gone."""
        keys = [
            key async for key, seen in self.space.each("conversations") if seen["thread"] in threads
        ]
        await self.space.write([("conversations", key, None) for key in keys])
