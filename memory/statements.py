"""The statements of one user's profile: written by the summary, and mended by the user."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from personaagent.core.errors import Conflict, UsageError
from personaagent.core.records import Statement, now
from personaagent.memory.keyed_hash import hash_key, keyed_hash, plain_words
from personaagent.memory.locks import Lock
from personaagent.memory.profile_history import (
    ChangeAuthor,
    ProfileChange,
    ProfileHistory,
    changed_statements,
    describe_change,
)
from personaagent.memory.statement_checks import (
    check_number,
    check_statement,
    forgotten_test,
    is_same,
    without_evidence,
)
from personaagent.memory.statement_merge import merge_statements
from personaagent.memory.stored_statements import ForgottenStatement, StoredStatements
from personaagent.memory.tombstones import Tombstones
from personaagent.memory.user_store import StoreWrite, UserStore


@dataclass(frozen=True)
class Statements:
    """The statements of one user. ``lock`` lets one writer of the user's in at a time."""

    store: UserStore
    lock: Lock

    @property
    def history(self) -> ProfileHistory:
        """The changes of the statements."""
        return ProfileHistory(self.store)

    async def read(self) -> StoredStatements:
        """The statements as they are stored, with the time of the last summary."""
        [value] = await self.store.get("profile", "summary")
        return StoredStatements.of(value)

    async def get(self, statement_id: str) -> Statement:
        """The statement of that id.

        Raises:
            Unknown: there is no such statement.
        """
        return (await self.read()).find(statement_id)

    async def add(
        self,
        texts: Iterable[str],
        *,
        source: str = "user",
        written: Mapping[str, datetime] = MappingProxyType({}),
    ) -> list[Statement]:
        """Add statements, all or none; those that the profile has already are left out.

        Args:
            texts: one sentence each.
            source: ``user``, or where the texts were imported from. What the user forgot is not
                imported again.
            written: when a text was written, if that is known; else now.

        Returns:
            The statements that were added.

        Raises:
            UsageError: a text is empty or too long, or there are too many; nothing was added.
        """
        async with self.lock():
            stored = await self.read()
            new = await self._new_texts(stored, texts, source)
            check_number(stored.statements, len(new))
            dated = [(text, written.get(text, now())) for text in new]
            added = [
                Statement(text=text, source=source, created_at=at, changed_at=at)
                for text, at in dated
            ]
            after = stored.with_statements([*stored.statements, *added])
            await self._write(stored, after, "user" if source == "user" else "import")
        return after.statements[len(stored.statements) :]

    async def merge(self, statements: Sequence[Statement]) -> list[Statement]:
        """Add statements of an archive as they are, without those that are here or were forgotten.

        Returns:
            The statements that were added.

        Raises:
            UsageError: there would be too many; nothing was added.
        """
        async with self.lock():
            stored = await self.read()
            is_forgotten = await self._forgotten_test(stored)
            present = {plain_words(each.text) for each in stored.statements}
            new = [
                each.model_copy(update={"id": ""})
                for each in statements
                if plain_words(each.text) not in present and not is_forgotten(each)
            ]
            check_number(stored.statements, len(new))
            after = stored.with_statements([*stored.statements, *new])
            await self._write(stored, after, "import")
        return after.statements[len(stored.statements) :]

    async def restore(
        self, archived: StoredStatements, changes: Sequence[ProfileChange]
    ) -> list[Statement]:
        """Store the statements of an archive with their history, where there are none.

        What was forgotten here stays forgotten, in every wording that the history has.

        Returns:
            The statements that were restored.
        """
        async with self.lock():
            here = await self.read()
            is_forgotten = await self._forgotten_test(here)
            texts = [*archived.statements, *(e for c in changes for e in (*c.before, *c.after))]
            gone = {each.id for each in texts if is_forgotten(each)}
            statements = [each for each in archived.statements if each.id not in gone]
            after = archived.with_statements(statements).with_forgotten(
                [*here.forgotten, *archived.forgotten]
            )
            rewritten = (c.rewritten(lambda e: None if e.id in gone else e) for c in changes)
            history = [write for each in rewritten for write in self.history.adding(each)]
            await self.store.write([*history, ("profile", "summary", after.stored())])
        return statements

    async def new_texts(self, texts: Iterable[str], source: str) -> list[str]:
        """The texts that ``add`` would add, each once."""
        return await self._new_texts(await self.read(), texts, source)

    async def edit(self, statement_id: str, text: str) -> Statement:
        """Replace the text of a statement. It is the user's own from now on, without evidence.

        Raises:
            Unknown: there is no such statement.
            UsageError: the text is empty or too long.
        """
        text = check_statement(text)
        users_own = {"text": text, "source": "user", "evidence": [], "changed_at": now()}
        return await self._update(
            statement_id, lambda old: old if old.text == text else old.model_copy(update=users_own)
        )

    async def set_lock(self, statement_id: str, *, locked: bool) -> Statement:
        """Lock a statement, so that no summary changes it, or unlock it.

        Raises:
            Unknown: there is no such statement.
        """
        return await self._update(
            statement_id, lambda old: old.model_copy(update={"locked": locked})
        )

    async def forget(self, statement_id: str) -> Statement:
        """Delete a statement, here and in the history; returns it.

        A keyed hash of its text and the ids of its evidence stay, so that neither a summary of the
        same episodes nor an import brings it back.

        Raises:
            Unknown: there is no such statement.
        """
        key = await hash_key(self.store)
        async with self.lock():
            stored = await self.read()
            statement = stored.find(statement_id)
            mark = ForgottenStatement(
                hash=keyed_hash(key, statement.text), evidence=statement.evidence
            )
            after = stored.without(statement).with_forgotten([*stored.forgotten, mark])
            erased = await self.history.rewriting(
                lambda each: None if is_same(each, statement) else each
            )
            number, note = stored.changes + 1, f"forget {statement.id}"
            change = ProfileChange(number=number, author="user", note=note)
            await self._write_change(after, change, erased)
        return statement

    async def undo_latest(self) -> ProfileChange:
        """Take the latest change back that can be undone; errors as of ``undo``."""
        latest = await self.history.last_undoable()
        if latest is None:
            raise UsageError("There is no change of the profile to undo.")
        return await self.undo(latest.number)

    async def undo(self, number: int) -> ProfileChange:
        """Take change ``number`` back, as a new change, which is returned.

        Statements that were changed again since then stay as they are.

        Raises:
            Unknown: there is no such change.
            Conflict: nothing of it can be taken back.
        """
        async with self.lock():
            change, stored = await self.history.get(number), await self.read()
            restored = change.taken_back(stored.statements)
            if restored == stored.statements:
                raise Conflict(
                    f"Change {number} of the profile cannot be undone: its statements were changed "
                    "or forgotten since then. `personaagent profile show` shows them."
                )
            after = stored.with_statements(restored)
            return await self._write(stored, after, "user", f"undo {number}", undoes=number)

    async def merge_summary(
        self, proposed: Sequence[Statement], base: Sequence[Statement] | None
    ) -> None:
        """Store what a summary proposes: see ``merge_statements``. ``base`` None is what is stored."""
        async with self.lock():
            stored = await self.read()
            is_forgotten = await self._forgotten_test(stored)
            read = stored.statements if base is None else base
            merged = merge_statements(stored.statements, proposed, read, is_forgotten)
            after = stored.with_statements(merged).model_copy(update={"at": now()})
            await self._write(stored, after, "summary")

    async def drop_evidence(self, episodes: set[str]) -> list[Statement]:
        """Remove the statements that rest on these episodes alone, here and in the history; return
        them. The others keep the rest of their evidence."""
        async with self.lock():
            stored = await self.read()
            remaining = without_evidence(stored.statements, episodes)
            after = stored.with_statements(remaining).with_forgotten(
                [each.without(episodes) for each in stored.forgotten]
            )
            writes = await self.history.rewriting(
                lambda each: next(iter(without_evidence([each], episodes)), None)
            )
            if after != stored:
                writes.append(("profile", "summary", after.stored()))
            await self.store.write(writes)
        left = {each.id for each in remaining}
        return [each for each in stored.statements if each.id not in left]

    async def _new_texts(
        self, stored: StoredStatements, texts: Iterable[str], source: str
    ) -> list[str]:
        is_forgotten = await self._forgotten_test(stored)
        known = {plain_words(each.text) for each in stored.statements}
        new = {plain_words(text): text for text in reversed([*map(check_statement, texts)])}
        return [
            text
            for words, text in reversed(new.items())
            if words not in known and (source == "user" or not is_forgotten(Statement(text=text)))
        ]

    async def _forgotten_test(self, stored: StoredStatements) -> Callable[[Statement], bool]:
        if not stored.forgotten:
            return lambda statement: False
        return forgotten_test(stored, await Tombstones(self.store).keys())

    async def _update(
        self, statement_id: str, update: Callable[[Statement], Statement]
    ) -> Statement:
        async with self.lock():
            stored = await self.read()
            old = stored.find(statement_id)
            new = update(old)
            statements = [new if each.id == old.id else each for each in stored.statements]
            check_number(statements, 0)
            await self._write(stored, stored.with_statements(statements), "user")
        return new

    async def _write(
        self,
        stored: StoredStatements,
        after: StoredStatements,
        author: ChangeAuthor,
        note: str | None = None,
        undoes: int | None = None,
    ) -> ProfileChange:
        """Store the statements, with a change in the history if they differ."""
        old, new = changed_statements(stored.statements, after.statements)
        change = ProfileChange(
            number=stored.changes + 1,
            author=author,
            note=note or describe_change(old, new),
            before=old,
            after=new,
            undoes=undoes,
        )
        if old or new:
            await self._write_change(after, change)
        elif after != stored:
            await self.store.write([("profile", "summary", after.stored())])
        return change

    async def _write_change(
        self, after: StoredStatements, change: ProfileChange, erased: Sequence[StoreWrite] = ()
    ) -> None:
        value = after.model_copy(update={"changes": change.number}).stored()
        writes = [*erased, *self.history.adding(change), ("profile", "summary", value)]
        await self.store.write(writes)
