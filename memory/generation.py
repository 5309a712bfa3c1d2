"""The generation of a user's memory: every write checks that it is still the one it began in.

It is a random id among the user's records, made by the first write. Forgetting everything begins
another one before it deletes anything, and deletes that at its end, together with whatever is left.
So nothing that began before can bring anything back, in whatever process it runs: its next write is
refused, in the transaction that would have written.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from langgraph.store.base import PutOp

from personaagent.core.errors import Conflict, Forgotten

KEY = "current"
PLACE = ("generation", KEY)
ALL_FORGOTTEN = (
    "Everything of this user was forgotten while this was under way, so nothing more of it was "
    "stored: start it again if you still want it."
)
PART_FORGOTTEN = (
    "Something that this rests on was forgotten while it was under way, so it was not stored: "
    "ask again."
)

CHANGED = "What this was decided from has changed meanwhile: try again."

Place = tuple[str, str]
"""A namespace of the user's, and a key in it."""
Values = Mapping[Place, dict[str, Any]]
"""What stands at some places; nothing stands at those that are missing."""


class Outdated(Conflict):
    """What a write was decided from has changed since it was read; nothing was written."""


@dataclass(frozen=True)
class Guard:
    """What must hold in the transaction that writes for the user of this key.

    Args:
        user: the key of the user (``user_key``).
        began_in: the generation in which the writer began; None: there was none.
        needs: where something must stand that the write rests on.
        expects: what must stand where, as the writer read it; None: nothing.
        renews: begin another generation, whatever the present one is.
    """

    user: str
    began_in: str | None
    needs: Collection[Place] = ()
    expects: Mapping[Place, dict[str, Any] | None] = field(default_factory=dict)
    renews: bool = False

    @property
    def places(self) -> list[Place]:
        """What ``check`` must know, read in the transaction that will write."""
        return [PLACE] if self.renews else [PLACE, *self.needs, *self.expects]

    def path(self, namespace: str) -> tuple[str, str, str]:
        """The namespace as the store knows it."""
        return ("users", self.user, namespace)

    def check(self, values: Values) -> tuple[str, list[PutOp]]:
        """The generation that the write belongs to, and what stores it if it is new.

        Args:
            values: what stands at ``places``.

        Raises:
            Forgotten: the user was forgotten since, or something that the write needs.
            Outdated: something else stands somewhere than the writer expects.
        """
        current = str(values[PLACE]["id"]) if PLACE in values else None
        if not self.renews:
            self._check(current, values)
        if current is not None and not self.renews:
            return current, []
        new = uuid4().hex
        return new, [PutOp(self.path(PLACE[0]), PLACE[1], {"id": new}, index=False)]

    def _check(self, current: str | None, values: Values) -> None:
        if self.began_in is not None and current != self.began_in:
            raise Forgotten(ALL_FORGOTTEN)
        if any(place not in values for place in self.needs):
            raise Forgotten(PART_FORGOTTEN)
        if any(values.get(place) != value for place, value in self.expects.items()):
            raise Outdated(CHANGED)
