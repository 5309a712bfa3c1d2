"""What of a user's memory was read at one moment, in one trip to the store."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from personaagent.memory.generation import PLACE, Place

Value = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What is to be read: the values at some places, and up to so many keys and values of namespaces."""

    places: Collection[Place]
    scans: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """The values that were ``wanted``, as they were at that moment.

    ``rows`` are the keys and values of the namespaces that were scanned, in no set order.
    """

    wanted: Wanted
    values: Mapping[Place, Value]
    rows: Mapping[str, Sequence[tuple[str, Value]]]

    @property
    def generation(self) -> str | None:
        """The generation of that moment; None if there was none."""
        value = self.values.get(PLACE)
        return None if value is None else str(value["id"])

    def covers(self, wanted: Wanted) -> bool:
        """Whether all of this was wanted, too."""
        return all(place in self.wanted.places for place in wanted.places) and all(
            limit <= self.wanted.scans.get(name, 0) for name, limit in wanted.scans.items()
        )

    def get(self, namespace: str, keys: Collection[str]) -> list[Value | None] | None:
        """The values of these keys (None: nothing stands there); None if they were not all wanted."""
        places = [(namespace, key) for key in keys]
        if not all(place in self.wanted.places for place in places):
            return None
        return [self.values.get(place) for place in places]

    def whole(self, namespace: str) -> Sequence[tuple[str, Value]] | None:
        """All keys and values of the namespace; None if there may be more."""
        rows = self.rows.get(namespace)
        return None if rows is None or len(rows) >= self.wanted.scans[namespace] else rows

    def keys(self, namespace: str, limit: int) -> list[str] | None:
        """Up to ``limit`` keys of the namespace; None if they are not known."""
        rows = self.rows.get(namespace)
        if rows is None or (len(rows) < limit and self.whole(namespace) is None):
            return None
        return [key for key, _ in rows[:limit]]

    def expected(self, places: Collection[Place]) -> dict[Place, Value | None]:
        """What a write that was decided from these places expects there still."""
        return {place: self.values.get(place) for place in places}
