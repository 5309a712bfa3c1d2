"""Which episodes of an import are left out, because the user has forgotten them."""

from collections.abc import Sequence

from personaagent.core.records import Episode
from personaagent.memory.tombstones import Tombstones
from personaagent.memory.user import UserMemory


class LeaveOut:
    """Leaves out what the user has forgotten, and counts it.

    Args:
        memory: of the user.
        include: bring it back instead, and drop its tombstones.
    """

    def __init__(self, memory: UserMemory, *, include: bool) -> None:
        self.ids: set[str] = set()
        self.brought_back: set[str] = set()
        """The tombstones of those that the last batch brings back."""
        self._tombstones = Tombstones(memory.store)
        self._include = include

    @property
    def count(self) -> int:
        """How many were left out."""
        return len(self.ids)

    async def forgotten(self, episodes: Sequence[Episode]) -> list[Episode]:
        """The episodes that are not left out.

        The tombstones are read for each batch, after it was found which episodes are not there: one
        that is forgotten while the import is under way has its tombstone by then.
        """
        tombstones = await self._tombstones.read()
        hashes = {each.id: tombstones.of(each) for each in episodes}
        if self._include:
            self.brought_back = {hash for each in hashes.values() for hash in each}
            await self._tombstones.remove(self.brought_back)
            return [*episodes]
        self.ids |= {id for id, each in hashes.items() if each}
        return [each for each in episodes if not hashes[each.id]]
