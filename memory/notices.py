"""Notices: what the user sees once, with their next answer."""

from dataclasses import dataclass

from personaagent.memory.user_store import UserStore


@dataclass(frozen=True)
class Notices:
    """What happened while the user was away, by the version of the persona that it led to."""

    store: UserStore

    async def add(self, version: int, text: str) -> None:
        """Show ``text`` with the next answer by this version of the persona, or by a later one."""
        await self.store.put("news", f"{version:06d}", {"version": version, "text": text})

    async def take(self, version: int) -> list[str]:
        """Remove and return the texts to show with an answer by ``version``, oldest first."""
        due = [pair async for pair in self.store.scan("news") if pair[1]["version"] <= version]
        await self.store.write(("news", key, None) for key, _ in due)
        return [notice["text"] for _, notice in sorted(due)]
