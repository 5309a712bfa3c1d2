"""Notices: what the user sees once, with their next answer."""

from dataclasses import dataclass

from personaagent.memory.user_store import UserStore


@dataclass(frozen=True)
class Notices:
    """What happened while the user was away, by the version of the persona that it led to."""

    store: UserStore

    async def add(self, version: int, text: str, *, about: str = "") -> None:
        """Show ``text`` with the next answer by this version of the persona, or by a later one.

        A notice replaces an earlier one about the same version and the same matter.
        """
        await self.store.put("news", _key(version, about), {"version": version, "text": text})

    async def remove(self, version: int, *, about: str = "") -> None:
        """Remove the notice about this version and matter, if there is one."""
        await self.store.write([("news", _key(version, about), None)])

    async def clear(self) -> None:
        """Remove all: a notice may repeat what was learned from an episode that is forgotten."""
        keys = [key async for key, _ in self.store.scan("news")]
        await self.store.write(("news", key, None) for key in keys)

    async def due(self, version: int) -> bool:
        """Whether ``take`` would return any."""
        return any([pair[1]["version"] <= version async for pair in self.store.scan("news")])

    async def take(self, version: int) -> list[str]:
        """Remove and return the texts to show with an answer by ``version``, oldest first."""
        due = [pair async for pair in self.store.scan("news") if pair[1]["version"] <= version]
        await self.store.write(("news", key, None) for key, _ in due)
        return [notice["text"] for _, notice in sorted(due)]


def _key(version: int, about: str) -> str:
    return f"{version:06d}{about}"
