"""Simulations that were paid for, kept so that nobody pays for them again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from personaagent.memory.user_store import UserStore, Value


@dataclass(frozen=True)
class Simulations:
    """The kept simulations of one user, by keys of the caller's making."""

    space: UserStore

    async def get(self, keys: Sequence[str]) -> list[Value | None]:
        """The simulations of ``keys``, in that order; None for one that is not kept."""
        return await self.space.get("simulations", *keys)

    async def put(self, key: str, value: Value, *, sources: Collection[str] = ()) -> None:
        """Keep a simulation, unless one of the episodes it was drawn from is forgotten by now."""
        await self.space.put("simulations", key, value)
        if None in await self.space.get("episodes", *sources):
            await self.space.write([("simulations", key, None)])

    async def clear(self) -> int:
        """Delete all of them; returns how many there were."""
        return await self.space.clear_kind("simulations")
