"""The list of what a user forgot: when, and how much of each kind; never a text, nor an id."""

from dataclasses import dataclass
from math import ceil
from typing import Literal
from uuid import uuid4

from pydantic import Field

from personaagent.core.records import Moment, Record, now
from personaagent.memory.tombstones import MARKS_EACH, Tombstones
from personaagent.memory.user_store import StoreWrite, UserStore


class Forgetting(Record):
    """One forgetting: how much went with it, as its receipt said.

    Args:
        key: names it; sorts by time.
        at: when it was forgotten.
        kind: whether episodes were forgotten, with what rested on them alone, or a statement.
        episodes, statements, rules: how many went.
        threads: how many conversations went, because they held it.
        blanked: how many answers lost their text, because they were drawn from it.
    """

    key: str = Field(default_factory=lambda: f"{now():%Y%m%d%H%M%S%f}-{uuid4().hex[:8]}")
    at: Moment = Field(default_factory=now)
    kind: Literal["episodes", "statement"]
    episodes: int
    statements: int
    rules: int
    threads: int
    blanked: int

    def write(self) -> StoreWrite:
        """What stores it."""
        return ("forgettings", self.key, self.stored())


@dataclass(frozen=True)
class Forgettings:
    """What one user forgot on this machine. Forgetting everything forgets the list, too."""

    store: UserStore

    async def newest(self, limit: int, before: str | None = None) -> list[Forgetting]:
        """The latest ``limit``, newest first: all, or those before the one of that key."""
        values = [value async for _, value in self.store.scan("forgettings")]
        entries = sorted(map(Forgetting.model_validate, values), key=lambda each: each.key)
        return [each for each in reversed(entries) if before is None or each.key < before][:limit]

    async def unlisted(self) -> int:
        """How many episodes an import leaves out that the list does not have: they were forgotten
        before there was a list, or on another machine."""
        return ceil(await Tombstones(self.store).unlisted() / MARKS_EACH)
