"""A cache of simulations, so that none is paid for twice."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from personaagent.memory.user_store import StoredValue, UserStore


@dataclass(frozen=True)
class Simulations:
    """The cached simulations of one user. The caller chooses the keys."""

    store: UserStore

    async def get(self, keys: Sequence[str]) -> list[StoredValue | None]:
        """The simulations of ``keys``, in that order; None for one that is not cached."""
        return await self.store.get("simulations", *keys)

    async def put(self, key: str, value: StoredValue, *, sources: Collection[str] = ()) -> None:
        """Cache a simulation, unless an episode among its ``sources`` has been forgotten."""
        await self.store.put("simulations", key, value)
        if None in await self.store.get("episodes", *sources):
            await self.store.write([("simulations", key, None)])

    async def clear(self) -> int:
        """Delete all of them; returns how many there were."""
        return await self.store.delete_namespace("simulations")
