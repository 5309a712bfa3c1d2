"""Tombstones: keyed hashes of forgotten episodes, by which an import recognises them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from re import fullmatch

from personaagent.core.records import Episode
from personaagent.memory.keyed_hash import hash_key, keyed_hash, plain_words
from personaagent.memory.stored_statements import StoredStatements
from personaagent.memory.user_store import StoreWrite, UserStore

OTHER_KEYS = "other_keys"
MARKS_EACH = 3
"""Marks of one episode."""
LISTED = {"listed": True}
"""The value of a mark whose forgetting is in the user's list (``forgettings.py``)."""
MADE_ID = r"[0-9a-f]{16}|[0-9a-f]{32}"
"""The ids that this program makes: at random, or from the id of an imported message."""


def marks(episode: Episode) -> list[str]:
    """What identifies the episode when it is imported again, also from another format.

    Its id, with its texts if somebody chose it, because short ids repeat; its query at that second,
    whatever branch of the answer was exported; and its texts on that day.
    """
    query, response = plain_words(episode.query), plain_words(episode.response)
    made = fullmatch(MADE_ID, episode.id)
    return [
        f"id {episode.id}" if made else f"id {episode.id} {query} {response}",
        f"message {episode.created_at:%Y-%m-%dT%H:%M:%S} {query}",
        f"exchange {episode.created_at:%Y-%m-%d} {query} {response}",
    ]


@dataclass(frozen=True)
class KnownTombstones:
    """The tombstones of one user, read once: the keys, this machine's first, and the hashes."""

    keys: Sequence[bytes]
    hashes: Collection[str]

    def of(self, episode: Episode) -> list[str]:
        """The tombstones of this episode; none if it was not forgotten."""
        if not self.hashes:
            return []
        hashes = (keyed_hash(key, mark) for key in self.keys for mark in marks(episode))
        return [each for each in hashes if each in self.hashes]


@dataclass(frozen=True)
class Tombstones:
    """The keyed hashes of what one user forgot; no text is kept.

    The random key lies beside them. So nobody can read them, but who has the data folder can test
    whether a text that they know was forgotten.
    """

    store: UserStore

    async def read(self) -> KnownTombstones:
        """All of them."""
        hashes = {hash async for hash, _ in self.store.scan("tombstones")} - {OTHER_KEYS}
        return KnownTombstones(await self.keys(), hashes) if hashes else KnownTombstones((), ())

    async def keys(self) -> list[bytes]:
        """The keys that hashes were made with: this machine's, then those of restored archives."""
        others = await self._other_keys()
        return [await hash_key(self.store), *map(bytes.fromhex, others)]

    async def add(self, episodes: Iterable[Episode]) -> None:
        """Recognise these episodes from now on."""
        key = await hash_key(self.store)
        hashes = [keyed_hash(key, mark) for episode in episodes for mark in marks(episode)]
        await self.store.write_in_batches(("tombstones", each, LISTED) for each in hashes)

    async def unlisted(self) -> int:
        """How many there are of what is not in the list of forgettings."""
        values = [value async for key, value in self.store.scan("tombstones") if key != OTHER_KEYS]
        return sum(value != LISTED for value in values)

    async def merge(self, key: str, other_keys: Sequence[str], hashes: Iterable[str]) -> None:
        """Add those of an archive, which were made with ``key`` and ``other_keys`` (hex).

        An archive of this machine has some that are here: they stay, listed or not.
        """
        own = (await hash_key(self.store)).hex()
        keys = sorted({*await self._other_keys(), key, *other_keys} - {own})
        here = {hash async for hash, _ in self.store.scan("tombstones")}
        writes: list[StoreWrite] = [("tombstones", each, {}) for each in hashes if each not in here]
        await self.store.write_in_batches([("tombstones", OTHER_KEYS, {"keys": keys}), *writes])

    async def remove(self, hashes: Iterable[str]) -> None:
        """Drop these: the user brings back what they stand for."""
        await self.store.write_in_batches(("tombstones", each, None) for each in hashes)

    async def _other_keys(self) -> list[str]:
        [value] = await self.store.get("tombstones", OTHER_KEYS)
        return [] if value is None else list(value["keys"])


async def delete_all_but_tombstones(store: UserStore) -> None:
    """Delete everything of the user but the hashes of forgotten episodes and statements."""
    [summary] = await store.get("profile", "summary")
    marks = StoredStatements(forgotten=StoredStatements.of(summary).forgotten)
    await store.write([("profile", "summary", marks.stored() if marks.forgotten else None)])
    others = [key async for key, _ in store.scan("profile") if key != "summary"]
    await store.write(("profile", key, None) for key in others)
    await store.delete_all(keep=("forgotten", "forgettings", "tombstones", "profile"))
