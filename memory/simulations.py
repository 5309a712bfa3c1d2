"""A cache of simulations, so that none is paid for twice."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from personaagent.memory.user_store import StoredValue, UserStore


class Simulation(NamedTuple):
    """What is cached under ``key``, and the ids of the episodes whose text may show in it."""

    key: str
    value: StoredValue
    sources: Collection[str]


@dataclass(frozen=True)
class Simulations:
    """The cached simulations of one user. The caller chooses the keys."""

    store: UserStore

    async def get(self, keys: Sequence[str]) -> list[StoredValue | None]:
        """The simulations of ``keys``, in that order; None for one that is not cached."""
        return await self.store.get("simulations", *keys)

    async def put(self, key: str, value: StoredValue, *, sources: Collection[str] = ()) -> None:
        """Cache a simulation, unless an episode among its ``sources`` has been forgotten."""
        await self.put_all([Simulation(key, value, sources)])

    async def put_all(self, simulations: Sequence[Simulation]) -> None:
        """Cache all of them in one transaction, but for those of forgotten episodes."""
        await self.store.write(("simulations", each.key, each.value) for each in simulations)
        ids = [*dict.fromkeys(id for each in simulations for id in each.sources)]
        episodes = await self.store.get("episodes", *ids)
        gone = {id for id, episode in zip(ids, episodes, strict=True) if episode is None}
        stale = [each.key for each in simulations if not gone.isdisjoint(each.sources)]
        await self.store.write(("simulations", key, None) for key in stale)

    async def clear(self) -> int:
        """Delete all of them; returns how many there were."""
        return await self.store.delete_namespace("simulations")
