"""The generation of a user's memory: every write checks that it is still the one it began in.

It is a random id among the user's records, made by the first write. Forgetting everything begins
another one before it deletes anything, and deletes that at its end, together with whatever is left.
So nothing that began before can bring anything back, in whatever process it runs: its next write is
refused, in the transaction that would have written.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from langgraph.store.base import PutOp

from personaagent.core.errors import Forgotten

KEY = "current"
ALL_FORGOTTEN = (
    "Everything of this user was forgotten while this was under way, so nothing more of it was "
    "stored: start it again if you still want it."
)
PART_FORGOTTEN = (
    "Something that this rests on was forgotten while it was under way, so it was not stored: "
    "ask again."
)

Read = Callable[[tuple[str, ...], Collection[str]], Awaitable[dict[str, dict[str, Any]]]]
"""Reads the values of these keys of a namespace, by key, within the transaction that will write."""


@dataclass(frozen=True)
class Guard:
    """What must hold in the transaction that writes for the user of this key.

    Args:
        user: the key of the user (``user_key``).
        began_in: the generation in which the writer began; None: there was none.
        needs: the namespace and key of what the write rests on, which must still be there.
        renews: begin another generation, whatever the present one is.
    """

    user: str
    began_in: str | None
    needs: Collection[tuple[str, str]] = ()
    renews: bool = False

    async def check(self, read: Read) -> tuple[str, list[PutOp]]:
        """The generation that the write belongs to, and what stores it if it is new.

        Raises:
            Forgotten: the user was forgotten since, or something that the write needs.
        """
        path = ("users", self.user, "generation")
        value = (await read(path, [KEY])).get(KEY)
        current = None if value is None else str(value["id"])
        if not self.renews:
            await self._check(current, read)
        if current is not None and not self.renews:
            return current, []
        new = uuid4().hex
        return new, [PutOp(path, KEY, {"id": new}, index=False)]

    async def _check(self, current: str | None, read: Read) -> None:
        if self.began_in is not None and current != self.began_in:
            raise Forgotten(ALL_FORGOTTEN)
        for namespace in {namespace for namespace, _ in self.needs}:
            keys = {key for each, key in self.needs if each == namespace}
            if keys - (await read(("users", self.user, namespace), keys)).keys():
                raise Forgotten(PART_FORGOTTEN)
