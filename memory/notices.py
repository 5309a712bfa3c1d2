"""News: what the user is told once, with their next answer."""

from dataclasses import dataclass

from personaagent.memory.user_store import UserStore


@dataclass(frozen=True)
class Notices:
    """What was learned while nobody was there to hear of it, by the version of the persona."""

    space: UserStore

    async def put(self, version: int, text: str) -> None:
        """Say ``text`` with the next answer in which this version of the persona speaks, or a later."""
        await self.space.put("news", f"{version:06d}", {"version": version, "text": text})

    async def take(self, version: int) -> list[str]:
        """What is to be said where ``version`` speaks, oldest first; it is not said again."""
        known = [news async for news in self.space.each("news") if news[1]["version"] <= version]
        await self.space.write(("news", key, None) for key, _ in known)
        return [value["text"] for _, value in sorted(known)]
