"""Which conversations contain text of which episodes, so that forgetting can find them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from personaagent.memory.branches import Turn, without_turns
from personaagent.memory.facts import NamedLabel
from personaagent.memory.user_store import Need, StoreWrite, UserStore

TURNS = "the turns"


def statement_key(statement_id: str) -> str:
    """What stands for a statement of the profile among the ids of episodes."""
    return f"statement:{statement_id}"


@dataclass(frozen=True)
class Conversations:
    """The episodes in each thread of the user, as a turn of it or recalled into it; and the labels
    that facts named in it.

    A thread's checkpoints contain their text, so forgetting an episode deletes its threads too.
    They are noted here, before the text gets into the thread. An episode's metadata would not do:
    it may come from a file that somebody wrote.
    """

    store: UserStore

    async def note(
        self,
        thread: str,
        episode_ids: Iterable[str] = (),
        *,
        named: Iterable[NamedLabel] = (),
        key: str | None = None,
    ) -> str:
        """Note that these episodes, and facts that name these labels, are about to enter the thread.

        With a ``key``, the note replaces the one that the thread has under that key.

        Returns:
            The note's key in the store. Forgetting something that the thread holds removes it.
        """
        write = note_write(thread, episode_ids, named=named, key=key)
        await self.store.write([write])
        return write[1]

    async def turns(self, thread: str) -> list[Turn]:
        """The latest remembered turns of the thread, in the order in which they ended."""
        [note] = await self.store.get(*turns_place(thread))
        return [Turn.model_validate(turn) for turn in note["turns"]] if note else []

    async def note_turns(self, thread: str, turns: Sequence[Turn]) -> None:
        """Note the turns of the thread, in place of those that were noted."""
        await self.store.write([turns_write(thread, turns)])

    async def drop_turn(self, thread: str, episode_id: str) -> None:
        """Take the turn of this episode out of those that the thread's branches decide about."""
        turns = await self.turns(thread)
        remaining = without_turns(turns, [episode_id])
        if len(remaining) < len(turns):
            await self.note_turns(thread, remaining)

    async def forget_turns(self, thread: str) -> None:
        """Drop what was noted of the turns of the thread."""
        await self.store.write([(*turns_place(thread), None)])

    async def threads_with(
        self, episode_ids: Collection[str], remaining: Collection[NamedLabel]
    ) -> set[str]:
        """The threads that contain any of these episodes, or a label that is not one of those
        ``remaining`` without them."""
        episodes, labels = set(episode_ids), set(remaining)
        return {
            note["thread"]
            async for _, note in self.store.scan("conversations")
            if not episodes.isdisjoint(note["episodes"])
            or not labels.issuperset((task, label) for task, label in note["named"])
        }

    async def threads(self) -> set[str]:
        """Every thread that has a note."""
        return {note["thread"] async for _, note in self.store.scan("conversations")}

    async def delete(self, threads: Collection[str]) -> None:
        """Delete the notes of these threads."""
        keys = [
            key async for key, note in self.store.scan("conversations") if note["thread"] in threads
        ]
        await self.store.write([("conversations", key, None) for key in keys])


def note_write(
    thread: str,
    episode_ids: Iterable[str] = (),
    *,
    named: Iterable[NamedLabel] = (),
    key: str | None = None,
) -> StoreWrite:
    """The write of what ``Conversations.note`` notes."""
    note = {"thread": thread, "episodes": list(episode_ids), "named": [*map(list, named)]}
    return ("conversations", _note_id(thread, key or str(uuid4())), note)


def turns_write(thread: str, turns: Sequence[Turn]) -> StoreWrite:
    """The write of the thread's turns."""
    note = {"thread": thread, "episodes": [turn.episode for turn in turns], "named": []}
    return (*turns_place(thread), note | {"turns": [turn.stored() for turn in turns]})


def turns_place(thread: str) -> Need:
    """Where the turns of the thread stand."""
    return ("conversations", _note_id(thread, TURNS))


def _note_id(thread: str, key: str) -> str:
    return sha256(f"{thread}:{key}".encode()).hexdigest()
