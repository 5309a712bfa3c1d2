"""The profile of one user, as ``PersonaAgent`` gives access to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personaagent.core.records import Profile, Statement
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.forget import Receipt
    from personaagent.memory.profile_history import ProfileChange
    from personaagent.memory.statements import Statements


@dataclass(frozen=True)
class UserProfile:
    """The facts and statements of one user; ``PersonaAgent.profile`` makes it."""

    _agent: LocalAgent
    user: str

    def __post_init__(self) -> None:
        self._agent.memory(self.user)

    async def read(self) -> Profile:
        """Facts and statements as they are now."""
        return await self._agent.memory(self.user).profile.read()

    async def add(self, *texts: str) -> list[Statement]:
        """Add statements of the user's own; returns those that the profile did not have.

        Raises:
            UsageError: a text is not valid, or there are too many; nothing was added.
        """
        added = await self._statements.add(texts)
        await self._agent.memory(self.user).personas.begin()
        return added

    async def import_file(self, path: str | Path, source: str | None = None) -> list[Statement]:
        """Import a list in text or Markdown, the custom instructions and memory of a ChatGPT export, or
        the memory and the projects' instructions of a Claude export.

        Each line becomes a statement. The same file again adds nothing.

        Raises:
            DataError: the file cannot be read, or holds no statement.
            UsageError: there are too many; nothing was added.
        """
        from personaagent.memory.exchange.notes import read_notes

        notes = read_notes(Path(path), source)
        added = await self._statements.add(notes.texts, source=notes.source, written=notes.written)
        await self._agent.memory(self.user).personas.begin()
        return added

    async def edit(self, statement_id: str, text: str) -> Statement:
        """Correct a statement. It is the user's own from then on: no summary changes it.

        Raises:
            UsageError: there is no such statement, or the text is not valid.
        """
        return await self._statements.edit(statement_id, text)

    async def lock(self, statement_id: str) -> Statement:
        """Lock a statement, so that no summary changes it.

        Raises:
            UsageError: there is no such statement.
        """
        return await self._statements.set_lock(statement_id, locked=True)

    async def unlock(self, statement_id: str) -> Statement:
        """Unlock a statement.

        Raises:
            UsageError: there is no such statement.
        """
        return await self._statements.set_lock(statement_id, locked=False)

    async def forget(self, statement_id: str) -> Receipt:
        """Forget a statement for good, in the history too; the episodes that it rests on stay.

        Raises:
            UsageError: there is no such statement; nothing was forgotten.
            Conflict: the user's persona is being aligned; nothing was forgotten.
        """
        return await self._agent.forget_statement(self.user, statement_id)

    async def history(self) -> list[ProfileChange]:
        """The latest changes of the statements, oldest first."""
        return await self._statements.history.changes()

    async def undo(self, change: int | None = None) -> ProfileChange:
        """Take a change back, by its number; None is the latest. Returns the new change.

        Raises:
            UsageError: there is no such change.
            Conflict: its statements were changed or forgotten since then.
        """
        statements = self._statements
        return await (statements.undo_latest() if change is None else statements.undo(change))

    @property
    def _statements(self) -> Statements:
        return self._agent.memory(self.user).profile.statements
